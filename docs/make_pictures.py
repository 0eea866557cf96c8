"""The pictures of the web page in these documents, of the demo's own media.

    python -m docs.make_pictures

starts a server, checks the demo's photograph and clip in Chromium, and writes
`docs/images/page-*.webp`.
"""

import shutil
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.server import PORT, server
from PIL import Image

from mesonet.demo.samples import make_samples
from mesonet.weights import DEFAULT, released

_IMAGES = Path(__file__).parent / "images"
_WIDTH = 800
_GAP = 16
_WAIT = 300_000


def main() -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    model = released(DEFAULT)
    assert model is not None  # noqa: S101 - it is part of the package
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder), model.path),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.set_default_timeout(_WAIT)
        photograph, clip = make_samples(Path(folder) / "media")
        _check(page, photograph.path)
        _keep(page, "photograph", ".verdict", ".scene", ".person:has(.strong_evidence)")
        _check(page, clip.path)
        _keep(page, "clip", ".person:last-child", "svg.timeline", ".frames")
        browser.close()


def _check(page: Any, path: Path) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/")
    page.set_input_files("#files", path)
    page.wait_for_selector("#result h1.verdict")
    page.wait_for_load_state("networkidle")


def _keep(page: Any, name: str, *parts: str) -> None:
    """Put parts of the page below each other, as one picture."""
    shots = []
    for part in parts:
        found = page.locator(part).first
        found.scroll_into_view_if_needed()
        shots.append(Image.open(BytesIO(found.screenshot())).convert("RGB"))
    width = max(shot.width for shot in shots)
    height = sum(shot.height + _GAP for shot in shots) + _GAP
    whole = Image.new("RGB", (width + 2 * _GAP, height), shots[0].getpixel((0, 0)))
    top = _GAP
    for shot in shots:
        whole.paste(shot, (_GAP, top))
        top += shot.height + _GAP
    small = whole.resize((_WIDTH, round(whole.height * _WIDTH / whole.width)))
    small.save(_IMAGES / f"page-{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
