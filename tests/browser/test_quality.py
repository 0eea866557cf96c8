"""Accessible, light and steady: what holds for every page."""

from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import Site, new_page
from tests.browser.test_checking import check

pytestmark = pytest.mark.slow

AXE = Path(__file__).with_name("axe.min.js")
PAGES = ("/", "/models/", "/how-it-works/", "/api-guide/", "/sign-in/", "/nothing/")
MOST_BYTES = 150_000
PICTURES = ("image/jpeg", "image/png", "image/webp")


@pytest.fixture(scope="module")
def addresses(browser: Any, site: Site, media: dict[str, Path]) -> list[str]:
    """All pages, with results of a photograph and a clip, and a model."""
    page = new_page(browser, base_url=site.address)
    found = [check(page, media[name]) for name in ("two", "clip", "nobody")]
    page.goto("/models/")
    page.get_by_role("link", name="standard").click()
    page.wait_for_selector("text=are called right")
    found += [page.url, f"{page.url}explore/?images=2&layers=0&seed=1"]
    page.context.close()
    return [*(site.address + path for path in PAGES), *found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, site: Site, addresses: list[str], scheme: str) -> None:
    page = new_page(browser, color_scheme=scheme, bypass_csp=True)
    sign_in(page, site)
    found: dict[str, Any] = {}
    for address in [*addresses, *more_addresses(site)]:
        page.goto(address)
        found[address] = violations(page)
    page.goto(site.address)
    send_what_is_refused(page)
    found["refused"] = violations(page)
    page.context.close()
    found = {address: names for address, names in found.items() if names}
    assert not found, found


def more_addresses(site: Site) -> list[str]:
    """The staff's page, and a check that waits, which never stops asking."""
    return [f"{site.address}/staff/", site.address + site.wait_for_ever()]


def sign_in(page: Any, site: Site) -> None:
    page.goto(f"{site.address}/sign-in/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Signed in as admin").wait_for()


def violations(page: Any) -> list[Any]:
    """What axe finds: names, and where."""
    page.add_script_tag(path=AXE)
    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
        for violation in page.evaluate("axe.run()")["violations"]
    ]


def send_what_is_refused(page: Any) -> None:
    """As the form does without its script."""
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["no picture"], "text.jpg"));
            document.getElementById("files").files = data.files;
            document.getElementById("check").submit();
        }"""
    )
    page.locator(".alert", has_text="cannot be read").wait_for()


def test_nothing_is_wider_than_a_small_phone(
    browser: Any, site: Site, addresses: list[str]
) -> None:
    page = new_page(browser, viewport={"width": 360, "height": 740})
    sign_in(page, site)
    for address in [*addresses, *more_addresses(site)]:
        page.goto(address)
        for direction in ("ltr", "rtl"):
            width = page.evaluate(
                "dir => (document.dir = dir, document.documentElement.scrollWidth)", direction
            )
            assert width <= 360, (address, direction)
    page.context.close()


def test_pages_are_light(browser: Any, addresses: list[str]) -> None:
    for address in addresses:
        page = new_page(browser)
        sizes: dict[str, int] = {}
        page.on(
            "response",
            lambda answer, sizes=sizes: (
                sizes.update({answer.url: len(answer.body())})
                if answer.headers.get("content-type") not in PICTURES
                else None
            ),
        )
        page.goto(address, wait_until="networkidle")
        assert 1000 < sum(sizes.values()) <= MOST_BYTES, sizes
        page.context.close()


def test_a_result_does_not_shift(browser: Any, addresses: list[str]) -> None:
    page = new_page(browser)
    for address in (address for address in addresses if "/checks/" in address):
        page.goto(address, wait_until="networkidle")
        assert shift(page) < 0.01, address
    page.context.close()


def test_a_wait_does_not_shift_as_it_ends(browser: Any, site: Site, addresses: list[str]) -> None:
    page = new_page(browser, base_url=site.address)
    waiting = site.wait_for_ever()
    page.goto(waiting, wait_until="load")
    done, new = (
        address.split("/")[-2].replace("-", "") for address in (addresses[len(PAGES)], waiting)
    )
    site.sql(
        "update mesonet_api_detection set state = 'done', processed = 1, results = "
        "(select results from mesonet_api_detection where id = ?) where id = ?",
        done,
        new,
    )
    page.wait_for_selector("#result h1.verdict")
    page.wait_for_load_state("networkidle")
    assert shift(page) < 0.01
    page.context.close()


def shift(page: Any) -> float:
    """How much of the layout has moved since the page was opened."""
    return float(
        page.evaluate(
            """() => new Promise(done => {
                let sum = 0;
                new PerformanceObserver(list => {
                    for (const entry of list.getEntries()) sum += entry.value;
                }).observe({ type: "layout-shift", buffered: true });
                setTimeout(() => done(sum), 300);
            })"""
        )
    )
