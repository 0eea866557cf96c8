"""How long the web page takes to show a verdict, beside the API's own time for the same picture.

    python -m benchmarks.page PHOTOGRAPH

One warm server; in every round the API is asked once, and Chromium is given the file once. Its time
is the browser's own, from the choice of the file to the frame that shows the verdict. Then the
weight of each page without its pictures, and how much its layout shifts (1 is the whole window).
"""

import argparse
import http.client
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import interleaved
from benchmarks.server import PORT, server

from mesonet.weights import DEFAULT, released

_BOUNDARY = "mesonet"
_WAIT = 120_000
_SITE = f"http://127.0.0.1:{PORT}"
_PAGES = ("/", "/models/", "/how-it-works/", "/api-guide/", "/sign-in/")
_CLOCK = """
addEventListener("change", () => sessionStorage.setItem("chosen", Date.now()), true);
const look = () => {
    const shown = document.querySelector("#result h1.verdict");
    if (shown) document.documentElement.dataset.shown = Date.now();
    else requestAnimationFrame(look);
};
look();
"""
_TOOK = "Number(document.documentElement.dataset.shown) - Number(sessionStorage.getItem('chosen'))"
_SHIFT = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 300);
})"""


def main() -> None:
    """Print medians and their ratio."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    model = released(DEFAULT)
    assert model is not None  # noqa: S101 - it is part of the package
    body = _form(options.photograph)
    with (
        tempfile.TemporaryDirectory() as home,
        server(Path(home), model.path),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(_WAIT)
        page.add_init_script(_CLOCK)
        shown: list[float] = []

        def by_page() -> None:
            page.set_input_files("#files", options.photograph)
            page.wait_for_selector("html[data-shown]")
            shown.append(page.evaluate(_TOOK) / 1000)

        def open_page() -> None:
            page.goto(f"{_SITE}/", wait_until="networkidle")

        ways = {"api": lambda: _ask(body), "opening": open_page, "page": by_page}
        interleaved(2, **ways)
        seconds = interleaved(options.rounds, **ways) | {"page": shown[2:]}
        result = page.url
        page.goto(f"{_SITE}/models/")
        model = page.locator(".cards a").first.get_attribute("href")
        pages = [*(_SITE + path for path in _PAGES), _SITE + model, result]
        weights = {address: _weigh(browser, address) for address in pages}
        browser.close()
    pairs = zip(seconds["page"], seconds["api"], strict=True)
    ratio = statistics.median(page_time / api_time for page_time, api_time in pairs)
    for name in ("api", "page"):
        print(f"{name:<6}{statistics.median(seconds[name]):6.2f} s")
    for address, (size, shift) in weights.items():
        print(f"{address.removeprefix(_SITE):<60}{size / 1000:6.1f} KB  shift {shift:.4f}")
    print(f"the page takes {ratio:.2f} times as long, by the median of {options.rounds} rounds")


def _weigh(browser: Any, address: str) -> tuple[int, float]:
    """Bytes of a page with its styles and scripts, without pictures; and its layout shift."""
    page = browser.new_page()
    sizes: dict[str, int] = {}

    def add(answer: Any) -> None:
        if not answer.headers.get("content-type", "").startswith("image/"):
            sizes[answer.url] = len(answer.body())

    page.on("response", add)
    page.goto(address, wait_until="networkidle", timeout=_WAIT)
    shift = float(page.evaluate(_SHIFT))
    page.close()
    return sum(sizes.values()), shift


def _form(path: Path) -> bytes:
    """What the page sends."""
    explain = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="explain"\r\n\r\ntrue\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"'
    )
    return explain.encode() + b"\r\n\r\n" + path.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _ask(body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    connection.request("POST", "/api/v1/detections", body, headers)
    response = connection.getresponse()
    content = json.loads(response.read())
    if response.status != 201:
        raise RuntimeError(f"{response.status}: {content}")


if __name__ == "__main__":
    main()
