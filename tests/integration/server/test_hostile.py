"""What people with bad intentions upload, to a real server process."""

import http.client
import socket
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from tests.hostile import SENTINEL, hostile_models
from tests.hostile_images import png
from tests.integration.server.helpers import picture
from tests.integration.server.live import Server, form

from classifiers.models import MLModel
from mesonet_site.api.models import Detection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sqlite_is_enough,
    pytest.mark.django_db(transaction=True),
]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def bomb(side: int = 20_000) -> bytes:
    """A PNG of few bytes and very many pixels."""
    return png(side, side, 1, 0, bytes((side // 8 + 1) * side))


def polyglot() -> bytes:
    """A good GIF that is also a page with a script."""
    file = BytesIO()
    Image.new("RGB", (20, 20)).save(file, "GIF", comment=b"<script>alert(1)</script>")
    return file.getvalue() + b"<html><script>alert(1)</script></html>"


def test_hostile_uploads(server: Server, home: Path, tmp_path: Path) -> None:
    before = server.peak_megabytes()
    png_bomb = bomb()
    assert len(png_bomb) < 60_000

    status, text = server.detect(png_bomb)
    assert status == 400
    assert "too many pixels" in text
    status, text = server.detect(SVG, "face.svg")
    assert status == 400
    assert "not a photograph or clip" in text
    status, text = server.detect(b"GIF89a<script>alert(1)</script>", "face.gif")
    assert status == 400
    status, text = server.detect(polyglot(), "face.html")
    assert status == 201
    status, text = server.detect(picture(0), "../../../etc/passwd")
    assert status == 201
    assert '"path":"passwd"' in text
    status, text = server.post("/api/v1/detections", [("image", "a", b"x")] * 1000)
    assert status == 413
    assert "At most 200 files" in text
    status, text = server.detect(bytes(200_000_000))
    assert status == 413
    status, text = server.detect(bytes(95_000_000))
    assert status == 413
    assert "face.png has 95,000,000 bytes" in text
    assert a_body_that_never_comes(server).startswith(b"HTTP/1.1 413")

    assert not list(home.rglob("*.html"))
    assert not list(home.rglob("passwd"))
    assert server.process.poll() is None
    assert server.get("/api/v1/readyz") == 200
    assert server.peak_megabytes() - before < 300


def a_body_that_never_comes(server: Server) -> bytes:
    """Promise more than is allowed, and tell what the server answers to the promise alone."""
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(
            b"POST /api/v1/detections HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        slow.settimeout(60)
        return slow.recv(1000)


def test_uploads_in_chunks_and_uploads_that_break_off(server: Server) -> None:
    jobs = Detection.objects.count()
    files = [("image", f"{seed}.png", picture(seed)) for seed in range(20)]
    body = form(files, faces="whole")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    part = body.index(b'filename="12.png"')
    head = (
        b"POST /api/v1/detections HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
    )
    for framing in (
        b"Content-Length: 99999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as broken:
            broken.sendall(head + framing + body[:part])
    connection.request("POST", "/api/v1/detections", body[:part], headers)
    answer = connection.getresponse()
    assert answer.status == 400
    assert "breaks off" in answer.read().decode()
    assert Detection.objects.count() == jobs

    pieces = iter([body[:100], body[100:part], body[part:]])
    connection.request("POST", "/api/v1/detections", pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:1]) == (202, b"{")
    assert Detection.objects.get(images=20).names[12] == "12.png"


def test_hostile_models(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    models = {name: path for name, path in hostile_models(folder).items() if path.is_file()}
    assert len(models) > 20
    for name, path in models.items():
        files = [("file", name, path.read_bytes())]
        status, text = server.post("/api/v1/models", files, name=name[:30], description="-")
        assert 400 <= status < 500, (name, text)
        assert "The model file" in text or "empty" in text, (name, text)
    assert MLModel.objects.count() == 1
    assert not list(tmp_path.rglob(SENTINEL))
    assert server.get("/api/v1/readyz") == 200
