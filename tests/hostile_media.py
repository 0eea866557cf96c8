"""Clips that are damaged, lie, or ask for too much."""

import io
import struct
from pathlib import Path

import av
import numpy as np
from tests.clips import nobody, numbered, write_clip, write_sound

_DURATION = b"\x44\x89\x88"
"""Matroska's element of a length in milliseconds, a double (RFC 9559, 5.1.2.10)."""


def bad_media(folder: Path) -> dict[Path, str]:
    """Files that cannot be used, and what has to be said of each."""
    whole = io.BytesIO()
    write_clip(whole, numbered(20), format="mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no clip at all " * 50)
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(50_000))
    (folder / "headless.mp4").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 3])
    (folder / "folder.mp4").mkdir()
    write_sound(folder / "sound.m4a")
    write_clip(folder / "endless.mkv", numbered(2), times=[0, 36_000])
    _write_header(folder / "none.mkv", 64, 64)
    _write_header(folder / "huge.mkv", 7680, 4320, b"\xff\xd8 and nothing that it promises")
    reasons = {
        "empty.mp4": "empty",
        "text.mp4": "not a photograph or clip",
        "list.mp4": "not a photograph or clip",
        "noise.mp4": "not a photograph or clip",
        "headless.mp4": "not a photograph or clip",
        "folder.mp4": "is a folder",
        "sound.m4a": "no moving picture",
        "endless.mkv": "longer than",
        "huge.mkv": "7680 x 4320 px",
        "none.mkv": "not a photograph or clip|no frames",
        "missing.mp4": "no such file",
    }
    return {folder / name: reason for name, reason in reasons.items()}


def flawed_media(folder: Path) -> dict[Path, str]:
    """Clips of nobody that can be looked at in part, and what has to be noted of each."""
    write_clip(folder / "hours.mkv", numbered(6))
    whole = (folder / "hours.mkv").read_bytes()
    place = whole.index(_DURATION) + len(_DURATION)
    said = struct.pack(">d", 36_000_000)
    (folder / "hours.mkv").write_bytes(whole[:place] + said + whole[place + len(said) :])
    write_clip(folder / "damaged.mp4", [nobody(64)] * 12, gop_size=1)
    damaged = bytearray((folder / "damaged.mp4").read_bytes())
    place = damaged.index(b"mdat") + 5000
    damaged[place : place + 1000] = bytes(1000)
    (folder / "damaged.mp4").write_bytes(damaged)
    return {
        folder / "hours.mkv": "says that it lasts 36,000.0 s",
        folder / "damaged.mp4": "damaged parts of the clip could not be read",
    }


def _write_header(path: Path, width: int, height: int, frame: bytes = b"") -> None:
    """Promise pictures of a size, without encoding one."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        container.start_encoding()
        if frame:
            packet = av.Packet(frame)
            packet.stream, packet.pts, packet.dts = stream, 0, 0
            container.mux(packet)
