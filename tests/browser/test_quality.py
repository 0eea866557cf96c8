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
    found += [page.url, f"{page.url}explore/?images=2"]
    page.context.close()
    return [*(site.address + path for path in PAGES), *found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, site: Site, addresses: list[str], scheme: str) -> None:
    page = new_page(browser, color_scheme=scheme, bypass_csp=True)
    page.goto(f"{site.address}/sign-in/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    found = {}
    for address in [*addresses, f"{site.address}/staff/"]:
        page.goto(address)
        page.add_script_tag(path=AXE)
        violations = page.evaluate("axe.run()")["violations"]
        if violations:
            found[address] = [
                (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
                for violation in violations
            ]
    page.context.close()
    assert not found, found


def test_nothing_is_wider_than_a_small_phone(browser: Any, addresses: list[str]) -> None:
    page = new_page(browser, viewport={"width": 360, "height": 740})
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
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
        shift = page.evaluate(
            """() => new Promise(done => {
                let sum = 0;
                new PerformanceObserver(list => {
                    for (const entry of list.getEntries()) sum += entry.value;
                }).observe({ type: "layout-shift", buffered: true });
                setTimeout(() => done(sum), 300);
            })"""
        )
        assert shift < 0.01, address
    page.context.close()
