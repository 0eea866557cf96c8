import io
import re
import tracemalloc

import av
import numpy as np
import pytest
from PIL import Image
from tests.clips import nobody, numbered, portrait, stranger, write_clip

from mesonet.errors import MediaError
from mesonet.media import Limits, Photo, kind_of_medium, open_medium
from mesonet.media.clip import spread

LIMITS = Limits()


def opened(path, **limits):
    return open_medium(path, str(path), Limits(**limits))


def test_frames_are_spread_evenly_in_order(tmp_path):
    write_clip(tmp_path / "a.mp4", numbered(100))
    clip = opened(tmp_path / "a.mp4")
    assert (clip.facts.codec, clip.facts.frames, clip.facts.width) == ("h264", 100, 64)
    assert clip.facts.duration == pytest.approx(10)
    frames = list(clip.frames(8))
    assert [frame.number for frame in frames] == list(spread(8, 100))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in spread(8, 100)])
    bright = [(frame.pixels[32, :, 0] > 120).mean() for frame in frames]
    assert bright == pytest.approx([n / 100 for n in spread(8, 100)], abs=0.05)
    assert not clip.problems


def test_a_photo_is_one_whatever_its_name(tmp_path):
    Image.fromarray(portrait(64)).save(tmp_path / "photo.mp4", "PNG")
    photo = opened(tmp_path / "photo.mp4")
    assert isinstance(photo, Photo)
    assert photo.format == "png"
    assert np.array_equal(photo.pixels, portrait(64))
    write_clip(tmp_path / "clip.mp4", numbered(3))
    (tmp_path / "clip.jpg").write_bytes((tmp_path / "clip.mp4").read_bytes())
    assert opened(tmp_path / "clip.jpg").facts.frames == 3
    assert open_medium((tmp_path / "clip.mp4").read_bytes(), "x", LIMITS).facts.frames == 3


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0, 0)), (90, (-1, 0)), (-90, (0, -1)), (180, (-1, -1))]
)
def test_turned_clips_stand_upright(tmp_path, rotation, corner):
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:20, :20] = 255
    write_clip(tmp_path / "a.mp4", [picture] * 3, rotation=rotation)
    frame = next(opened(tmp_path / "a.mp4").frames(1))
    assert frame.pixels.shape == ((64, 128, 3) if rotation % 180 == 0 else (128, 64, 3))
    assert frame.pixels[3 * (1 + 2 * corner[0]), 3 * (1 + 2 * corner[1])].min() > 200


def test_variable_rates_keep_their_times(tmp_path):
    times = [0, 0.1, 0.2, 1.2, 5.0]
    write_clip(tmp_path / "a.mkv", numbered(5), times=times)
    clip = opened(tmp_path / "a.mkv")
    assert [frame.time for frame in clip.frames(9)] == pytest.approx(times, abs=0.002)
    assert clip.facts.duration == pytest.approx(5, abs=0.2)


def test_cuts_are_found_and_every_shot_is_seen(tmp_path):
    shots = [portrait(128)] * 30 + [nobody(128)] * 2 + [stranger(128)] * 30
    write_clip(tmp_path / "a.mp4", shots)
    clip = opened(tmp_path / "a.mp4")
    frames = list(clip.frames(4))
    assert clip.cuts == pytest.approx([3.0, 3.2])
    assert {frame.shot for frame in frames} == {0, 1, 2}
    assert [frame.number for frame in frames] == sorted(frame.number for frame in frames)


def test_motion_and_flashes_are_no_cuts(tmp_path):
    wide = np.hstack([portrait(128), nobody(128)])
    moving = [np.ascontiguousarray(wide[:, 4 * n : 4 * n + 128]) for n in range(30)]
    flash = np.clip(moving[10].astype(int) + 90, 0, 255).astype(np.uint8)
    write_clip(tmp_path / "a.mp4", [*moving[:10], flash, *moving[10:]])
    clip = opened(tmp_path / "a.mp4")
    list(clip.frames(4))
    assert clip.cuts == []


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animations_are_clips(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    pictures = [Image.fromarray(picture) for picture in numbered(6)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=200)
    clip = opened(path)
    assert clip.facts.frames == 6
    frames = {frame.number: frame for frame in clip.frames(3)}
    assert {1, 3, 5} <= set(frames)
    assert frames[3].time == pytest.approx(0.6)
    assert clip.facts.duration == pytest.approx(1.2)
    assert (frames[3].pixels[32, :, 0] > 120).mean() == pytest.approx(0.5, abs=0.05)


def test_alpha_is_laid_aside_or_over_white(tmp_path):
    clear = np.dstack([portrait(64), np.full((64, 64), 255, np.uint8)])
    write_clip(tmp_path / "a.mov", [clear] * 2, codec="png", pixels="rgba")
    frame = next(opened(tmp_path / "a.mov").frames(1))
    assert np.abs(frame.pixels.astype(int) - portrait(64)).max() <= 3
    gone = [Image.new("RGBA", (8, 8), (n, 0, 0, 0)) for n in (0, 90)]
    gone[0].save(tmp_path / "b.webp", save_all=True, append_images=gone[1:], lossless=True)
    assert next(opened(tmp_path / "b.webp").frames(1)).pixels.min() == 255


def test_hdr_is_said(tmp_path):
    write_clip(tmp_path / "a.mp4", [portrait(64)] * 2, pixels="yuv420p10le", color_trc=16)
    clip = opened(tmp_path / "a.mp4")
    assert len(list(clip.frames(2))) == 2
    assert any("HDR" in problem for problem in clip.problems)


def test_a_file_that_was_cut_off_is_noted(tmp_path):
    path = tmp_path / "a.mkv"
    write_clip(path, numbered(40), codec="mjpeg", pixels="yuvj420p")
    assert opened(path).problems == []
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (problem,) = opened(path).problems
    assert problem.startswith("the file says that it lasts 4.0 s, and its pictures last ")


def test_what_is_broken_gives_what_it_has(tmp_path):
    with (tmp_path / "a.ts").open("wb") as file:
        whole = io.BytesIO()
        write_clip(whole, numbered(40, 128), format="mpegts", codec="mpeg2video")
        file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
    frames = list(opened(tmp_path / "a.ts").frames(32))
    assert 3 <= len(frames) < 40
    data = bytearray(whole.getvalue())
    rng = np.random.default_rng(0)
    for place in rng.integers(2000, len(data), len(data) // 200):
        data[place] = rng.integers(256)
    assert list(open_medium(bytes(data), "damaged", LIMITS).frames(32))


def test_a_longer_shape_of_pixels_is_taken_into_account(tmp_path):
    write_clip(tmp_path / "a.mkv", numbered(2), sample_aspect_ratio=2)
    assert next(opened(tmp_path / "a.mkv").frames(1)).pixels.shape == (64, 128, 3)


def test_a_song_with_a_cover_is_no_clip(tmp_path):
    with av.open(tmp_path / "song.m4a", "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=8000)
        container.mux(cover.encode(av.VideoFrame.from_ndarray(portrait(64))))
        container.mux(cover.encode())
        for _ in range(4):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate = 8000
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    with pytest.raises(MediaError, match="no moving picture"):
        opened(tmp_path / "song.m4a")


def test_bad_media_are_named(bad_media):
    for path, reason in bad_media.items():
        with pytest.raises(MediaError, match=reason) as error:
            list(opened(path).frames(32))
        assert error.value.path == str(path)


def test_flawed_media_give_what_they_have(flawed_media):
    for path, reason in flawed_media.items():
        clip = opened(path)
        assert list(clip.frames(32))
        assert clip.facts.duration < 3
        assert any(re.search(reason, problem) for problem in clip.problems)


def test_limits_hold(tmp_path):
    write_clip(tmp_path / "a.mp4", numbered(30))
    for limits, reason in (
        ({"bytes": 100}, "larger than the 100 bytes"),
        ({"frame_pixels": 4000}, "64 x 64 px"),
        ({"duration": 2}, "longer than the 2 seconds"),
        ({"frames": 20}, "more than 20 frames"),
    ):
        with pytest.raises(MediaError, match=reason):
            opened(tmp_path / "a.mp4", **limits)
    pictures = [Image.fromarray(picture) for picture in numbered(6)]
    path = tmp_path / "a.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=500)
    for limits, reason in (
        ({"frame_pixels": 4000}, "64 x 64 px"),
        ({"frames": 5}, "than 5 frames"),
    ):
        with pytest.raises(MediaError, match=reason):
            opened(path, **limits)
        with pytest.raises(MediaError, match=reason):
            kind_of_medium(path, "a.gif", Limits(**limits))
    frames = opened(path, duration=2).frames(6)
    with pytest.raises(MediaError, match="longer than the 2 seconds"):
        list(frames)


def test_an_animation_of_very_many_frames_is_refused_by_its_header(tmp_path):
    first, second = Image.new("L", (2, 2)), Image.new("L", (2, 2), 255)
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[second], duration=20)
    whole = file.getvalue()
    frame = whole[whole.rindex(b"\x21\xf9") : -1]
    many = whole[:-1] + 10_000 * frame + whole[-1:]
    with pytest.raises(MediaError, match="more than 10,000 frames"):
        open_medium(many, "a.gif", LIMITS)


def test_memory_does_not_grow_with_the_clip(tmp_path):
    write_clip(tmp_path / "a.mp4", (portrait(256) for _ in range(300)))
    tracemalloc.start()
    for _ in opened(tmp_path / "a.mp4").frames(64):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 256 * 256 * 3
