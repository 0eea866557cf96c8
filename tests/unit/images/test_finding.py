import errno
import io
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mesonet.errors import ImageError
from mesonet.images import reading
from mesonet.images.finding import find_images
from mesonet.images.reading import load_images, read_image
from mesonet.preprocessing import Preprocessing

SMALL = Preprocessing(size=2)


def save(path: Path, colour: str | int = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(colour, int):
        colour = f"rgb({colour % 256}, {colour // 256}, 0)"
    Image.new("RGB", (3, 3), colour).save(path, "PNG")
    return path


def odd_jpeg() -> bytes:
    """A JPEG on which Pillow warns of corrupt EXIF data."""
    stream = io.BytesIO()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01"
    Image.new("RGB", (9, 9), "red").save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def refusal(source, **options) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(source, **options)
    assert str(caught.value) == f"{caught.value.path}: {caught.value.reason}"
    return str(caught.value)


@pytest.mark.parametrize("kind", [str, Path, bytes, io.BytesIO, open])
def test_sources(tmp_path, kind):
    path = save(tmp_path / "ä b.png")
    source = {
        str: lambda: str(path),
        Path: lambda: path,
        bytes: path.read_bytes,
        io.BytesIO: lambda: io.BytesIO(path.read_bytes()),
        open: lambda: path.open("rb"),
    }[kind]()
    assert read_image(source).getpixel((1, 1)) == (255, 0, 0)
    if kind in (io.BytesIO, open):
        assert not source.closed
        source.close()


def test_what_errors_call_the_image(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"nothing")
    assert refusal(path).startswith(f"{path}: not an image")
    assert refusal(str(path), name="portrait").startswith("portrait: not an image")
    assert refusal(b"nothing").startswith("image: not an image")
    with path.open("rb") as stream:
        assert refusal(stream).startswith(f"{path}: not an image")
    assert refusal(stream) == f"{path}: damaged or unreadable"
    assert refusal(io.StringIO("text")) == "image: damaged or unreadable"
    error = pickle.loads(pickle.dumps(ImageError("a", "b")))
    assert (str(error), error.path, error.reason) == ("a: b", "a", "b")


def test_only_regular_files_are_opened(tmp_path, monkeypatch):
    loop, pipe = tmp_path / "loop.png", tmp_path / "pipe.png"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    monkeypatch.setattr(os, "open", None)
    assert refusal(tmp_path) == f"{tmp_path}: is a folder"
    assert refusal(pipe) == f"{pipe}: not a regular file"
    assert refusal("/dev/zero") == "/dev/zero: not a regular file"
    assert refusal(tmp_path / "no.png").endswith("no such file or directory")
    assert refusal(loop) == f"{loop}: {os.strerror(errno.ELOOP).lower()}"
    assert refusal("a\0b.png") == "a\0b.png: damaged or unreadable"
    assert refusal("x" * 5000).endswith("file name too long")


def test_a_pipe_that_takes_the_place_of_a_file_does_not_block(tmp_path, monkeypatch):
    path, pipe = save(tmp_path / "a.png"), tmp_path / "pipe"
    os.mkfifo(pipe)
    real_open = os.open

    def open_pipe(file, flags):
        assert flags & os.O_NONBLOCK
        return real_open(pipe, flags)

    monkeypatch.setattr(os, "open", open_pipe)
    assert refusal(path) == f"{path}: the file is empty"


def test_permission_denied(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")

    def deny(*arguments):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", deny)
    monkeypatch.setattr(os, "scandir", deny)
    assert refusal(path) == f"{path}: permission denied"
    images, errors = find_images([tmp_path, tmp_path / "*.png"])
    assert images == []
    assert [str(error) for error in errors] == [
        f"{tmp_path}: permission denied",
        f"{tmp_path}: permission denied",
        f"{tmp_path}/*.png: nothing matches this pattern",
    ]


def test_names_that_are_not_utf_8(tmp_path):
    path = save(tmp_path / os.fsdecode(b"\xff\xfe.png"))
    assert find_images([tmp_path]) == ([path], [])
    assert read_image(path).size == (3, 3)
    path.write_bytes(b"nothing")
    assert refusal(path).startswith(f"{path}: not an image")


@pytest.mark.parametrize("action", ["always", "error"])
def test_pillow_is_quiet_while_reading_and_only_then(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        read_image(odd_jpeg())
        assert caught == []
        with pytest.raises(UserWarning) if action == "error" else pytest.warns(UserWarning):
            Image.open(io.BytesIO(odd_jpeg()))


def test_warnings_of_other_threads_are_kept_while_one_reads(monkeypatch):
    real_open = Image.open

    def open_while_another_warns(*arguments, **options):
        warnings.warn("of the reader", stacklevel=1)
        other = threading.Thread(target=warnings.warn, args=("of the other",))
        other.start()
        other.join()
        return real_open(*arguments, **options)

    monkeypatch.setattr(Image, "open", open_while_another_warns)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_image(odd_jpeg())
    assert [str(each.message) for each in caught] == ["of the other"]


def test_pillow_s_own_limit_is_kept_and_its_warning_is_not_shown(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(path).size == (3, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    assert refusal(path) == f"{path}: too many pixels"
    assert Image.MAX_IMAGE_PIXELS == 4


def test_nothing_reaches_the_terminal_and_no_framework_is_imported(tmp_path):
    many_samples = bytes.fromhex(
        "49492a0008000000 0400 000104000100000008000000 010104000100000008000000"
        "020103000100000008000000 150104000100000000010000 00000000"
    )
    (tmp_path / "samples.tif").write_bytes(many_samples)
    (tmp_path / "odd.jpg").write_bytes(odd_jpeg())
    (tmp_path / "text.jpg").write_text("text")
    code = (
        "import sys\n"
        "from mesonet.images.finding import find_images\n"
        "from mesonet.images.reading import load_images\n"
        "from mesonet.preprocessing import Preprocessing\n"
        "loaded = list(load_images(find_images(sys.argv[1:])[0], Preprocessing()))\n"
        "print(len(loaded), sum(isinstance(each, ValueError) for each in loaded))\n"
        "print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert run.stdout == "3 2\nset()\n"
    assert run.stderr == ""


def test_folders_are_searched_sorted_and_to_any_depth(tmp_path):
    names = ["b/2.PNG", "b/10.jpeg", "a.png", "b/c/d/e.webp", "b-.tiff", "folder.jpg/x.gif"]
    images = [save(tmp_path / name) for name in names]
    for name in ("notes.txt", "png", ".hidden.png", ".cache/x.png", "b/.DS_Store"):
        save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert find_images([tmp_path]) == (sorted(images), [])


def test_order_is_as_given_and_each_path_comes_once(tmp_path, monkeypatch):
    one, two, three = (save(tmp_path / name) for name in ("b/1.png", "a/2.png", "a/.3.dat"))
    found, errors = find_images([one, str(three), tmp_path / "b", tmp_path, one])
    assert (found, errors) == ([one, three, two], [])
    monkeypatch.chdir(tmp_path)
    found, errors = find_images(["a/2.png", ".", "./a/2.png"])
    assert (found, errors) == ([Path("a/2.png"), Path("b/1.png")], [])


def test_what_gives_no_image_is_an_error(tmp_path):
    save(tmp_path / "documents" / "x.txt")
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    inputs = ["", tmp_path / "no", tmp_path / "lost.png", loop, tmp_path / "documents", "a\0b"]
    inputs += [tmp_path / "*.gif", tmp_path / "no" / "*.png", tmp_path / "no" / "**" / "*.png"]
    found, errors = find_images(inputs)
    assert found == []
    assert [error.path for error in errors] == [str(each) for each in inputs]
    assert [error.reason for error in errors] == [
        "the name is empty",
        *["no such file or directory"] * 2,
        os.strerror(errno.ELOOP).lower(),
        "no images in this folder",
        "damaged or unreadable",
        *["nothing matches this pattern"] * 3,
    ]


def test_broken_links_in_a_folder_are_named_when_read(tmp_path):
    links = [tmp_path / name for name in ("lost.png", "loop.png")]
    for link in links:
        link.symlink_to(link if link.stem == "loop" else "nowhere")
    found, errors = find_images([tmp_path])
    assert (found, errors) == (sorted(links), [])


def test_linked_folders_do_not_loop(tmp_path):
    image = save(tmp_path / "set" / "real" / "a.png")
    elsewhere = save(tmp_path / "elsewhere" / "b.png")
    for name in ("up", "again"):
        (tmp_path / "set" / "real" / name).symlink_to(tmp_path / "set")
    (tmp_path / "set" / "link").symlink_to(elsewhere.parent)
    expected = [tmp_path / "set" / "link" / "b.png", image]
    assert find_images([tmp_path / "set"]) == (expected, [])
    assert find_images([tmp_path / "set" / "**" / "*.png"]) == (expected, [])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["1.png", "2.png"]),
        ("?.[pd]*", ["1.png", "2.png", "3.dat"]),
        ("*/4.png", ["a/4.png"]),
        ("a*", ["a/4.png", "a/b/5.png"]),
        ("**/*.png", ["1.png", "2.png", "a/4.png", "a/b/5.png"]),
        ("**/b/*", ["a/b/5.png"]),
        ("**/**/[45].png", ["a/4.png", "a/b/5.png"]),
        ("*/**/*.png", ["a/4.png", "a/b/5.png"]),
        ("**", ["1.png", "2.png", "a/4.png", "a/b/5.png"]),
        (".h*", [".h.png"]),
    ],
)
@pytest.mark.parametrize("relative", [True, False])
def test_patterns(tmp_path, monkeypatch, pattern, expected, relative):
    for name in ("1.png", "2.png", "3.dat", "a/4.png", "a/b/5.png", ".h.png"):
        save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    base = Path() if relative else tmp_path
    assert find_images([base / pattern]) == ([base / name for name in expected], [])


def test_a_file_name_with_glob_characters_is_a_file(tmp_path):
    file, other = save(tmp_path / "a[1].png"), save(tmp_path / "a1.png")
    assert find_images([file]) == ([file], [])
    file.unlink()
    assert find_images([file]) == ([other], [])


def test_a_large_folder_is_listed_quickly(tmp_path):
    for number in range(5_000):
        (tmp_path / f"{number}.jpg").touch()
    start = time.process_time()
    found, _ = find_images([tmp_path])
    assert len(found) == 5_000
    assert time.process_time() - start < 5


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    return [save(folder / f"{number:03}.png", number) for number in range(300)]


def number_of(pixels: np.ndarray) -> int:
    return int(pixels[0, 0, 0]) + 256 * int(pixels[0, 0, 1])


def decoding_threads() -> int:
    return sum(thread.name.startswith("mesonet") for thread in threading.enumerate())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    numbers=st.lists(st.integers(-1, 299), max_size=60),
    workers=st.integers(1, 4),
    ahead=st.integers(1, 9),
)
def test_load_images_keeps_order_and_count(images, numbers, workers, ahead):
    paths = ["missing" if number < 0 else images[number] for number in numbers]
    loaded = list(load_images(paths, SMALL, workers=workers, ahead=ahead))
    assert [-1 if isinstance(x, ImageError) else number_of(x) for x in loaded] == numbers
    assert decoding_threads() == 0


def test_leaving_load_images_early_stops_its_threads(images):
    stream = load_images(images, SMALL)
    for count, _ in enumerate(stream):
        if count == 3:
            break
    assert decoding_threads() > 0
    stream.close()
    assert decoding_threads() == 0


def test_load_images_reads_only_so_far_ahead(images, monkeypatch):
    asked = []
    monkeypatch.setattr(reading, "load_image", lambda path, _: asked.append(path))
    for count, _ in enumerate(load_images(images, SMALL, workers=3, ahead=5), start=1):
        assert len(asked) <= count + 5
    assert sorted(asked) == images


def test_errors_from_load_images_hold_no_image(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    (error,) = load_images([tmp_path / "a.png"], SMALL)
    assert isinstance(error, ImageError)
    assert error.path == str(tmp_path / "a.png")
    assert error.__traceback__ is error.__cause__ is error.__context__ is None


@pytest.mark.parametrize("options", [{"ahead": 0}, {"workers": 0}])
def test_load_images_needs_a_worker_and_room(images, options):
    with pytest.raises(ValueError, match=r"at least one|greater than 0"):
        next(load_images(images, SMALL, **options))
