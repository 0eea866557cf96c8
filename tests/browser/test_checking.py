"""Checking by the page: every way that a person can go."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import Site, new_page

pytestmark = pytest.mark.slow

HEADING = "#result h1"
Media = dict[str, Path]


def check(page: Any, path: Path) -> str:
    """Choose a file and wait for its result; gives the result's address."""
    page.goto("/")
    page.set_input_files("#files", path)
    page.wait_for_url("**/checks/*/")
    page.wait_for_selector(f"{HEADING}.verdict")
    return str(page.url)


def test_a_photograph_with_two_people(page: Any, media: Media) -> None:
    check(page, media["two"])
    assert page.locator(".scene .box").count() == 2
    assert page.locator(".person").count() == 2
    assert page.locator(".person h3").first.inner_text().startswith("Person 1:")
    assert page.locator(".person svg.bar").count() == 2
    for image in page.locator("#result img").all():
        assert image.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    assert "does not mean authentic" in page.locator(".limits").inner_text()
    assert re.search(r"[0-9a-f]{64}", page.locator(".facts code").last.inner_text())


def test_what_is_seen_follows_the_order_of_questions(page: Any, media: Media) -> None:
    check(page, media["one"])
    tops = [
        page.locator(part).first.bounding_box()["y"]
        for part in (HEADING, ".scene", ".person", ".facts", ".limits", ".keeping")
    ]
    assert tops == sorted(tops)


def test_a_clip_is_waited_for(page: Any, media: Media) -> None:
    check(page, media["clip"])
    assert page.locator("svg.timeline circle").count() > 5
    assert page.locator(".frames li").count() > 5
    dot = page.locator("svg.timeline a").nth(2)
    dot.focus()
    page.keyboard.press("Enter")
    target = dot.get_attribute("href").removeprefix("#")
    assert page.evaluate("document.querySelector(':target').id") == target
    page.locator("summary", has_text="As a table").click()
    assert page.locator("details table tbody tr").count() == page.locator(".frames li").count()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "No face was found"),
        ("small", "too small to judge"),
        ("dark", "too dark to judge"),
    ],
)
def test_no_score(page: Any, media: Media, name: str, sentence: str) -> None:
    check(page, media[name])
    assert sentence in page.locator(HEADING).inner_text()
    assert page.locator("svg.bar").count() == 0
    assert "authentic" not in page.locator("#result .lead").first.inner_text()


def test_several_files_and_a_refused_one(page: Any, media: Media) -> None:
    page.goto("/")
    page.set_input_files("#files", [media["one"], media["text"], media["nobody"]])
    rows = page.locator("#rows > li")
    page.locator("#rows .verdict, #rows .alert").nth(2).wait_for()
    assert rows.count() == 3
    assert "cannot be read" in rows.nth(1).inner_text()
    rows.nth(2).get_by_role("link").click()
    page.wait_for_selector(HEADING)
    assert "No face was found" in page.locator(HEADING).inner_text()
    page.go_back()
    page.wait_for_selector("#check")
    assert page.get_by_role("heading", level=1).is_visible()


def test_dropping_and_pasting(page: Any, media: Media) -> None:
    page.goto("/")
    content = list(media["nobody"].read_bytes())
    page.evaluate(
        """([content, kinds]) => {
            for (const kind of kinds) {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(content)], kind + ".png"));
                const event = kind === "drop"
                    ? new DragEvent("drop", { dataTransfer: data, cancelable: true })
                    : new ClipboardEvent("paste", { clipboardData: data });
                dispatchEvent(event);
            }
        }""",
        [content, ["drop", "paste"]],
    )
    page.locator("#rows .verdict").nth(1).wait_for()
    assert page.locator("#rows .file").all_inner_texts() == ["drop.png", "paste.png"]


def test_too_large_is_said_before_it_is_sent(page: Any, media: Media) -> None:
    page.goto("/")
    page.evaluate("document.getElementById('check').dataset.maxBytes = '10'")
    page.set_input_files("#files", media["one"])
    page.wait_for_selector("#rows .alert")
    assert "too large" in page.locator("#rows").inner_text()


def test_a_lost_connection_can_be_tried_again(page: Any, media: Media) -> None:
    page.goto("/")
    page.route("**/", lambda route: route.abort() if route.request.method == "POST" else None)
    page.set_input_files("#files", media["nobody"])
    page.wait_for_selector("#rows .alert")
    assert "connection was lost" in page.locator("#rows").inner_text()
    page.unroute("**/")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/checks/*/")


def test_what_is_wrong_is_said_while_a_check_waits(browser: Any, site: Site) -> None:
    page = new_page(browser, base_url=site.address)  # errors in its console are expected
    address = site.wait_for_ever()
    page.clock.install()
    page.goto(address)
    assert "Waiting for its turn" in page.locator(HEADING).inner_text()
    lost = page.locator("#lost")
    assert not lost.is_visible()
    for answer, sentence in (
        (lambda route: route.abort(), "The connection is lost."),
        (lambda route: route.fulfill(status=503), "The server cannot answer"),
    ):
        page.route(f"**{address}", answer)
        page.clock.fast_forward(2100)
        lost.filter(has_text=sentence).wait_for()
        page.unroute(f"**{address}")
        page.clock.fast_forward(2100)
        lost.wait_for(state="hidden")
    site.sql(
        "delete from mesonet_api_detection where id = ?", address.split("/")[2].replace("-", "")
    )
    page.clock.fast_forward(2100)
    lost.filter(has_text="This check is gone").wait_for()
    assert page.locator("#result").count() == 0
    page.context.close()


def test_the_list_is_there_after_going_back(page: Any, media: Media) -> None:
    address = check(page, media["nobody"])
    page.goto("/")
    page.locator("#rows .verdict").wait_for()
    assert page.locator("#rows .file").all_inner_texts() == ["nobody.png"]
    page.get_by_role("link", name="See the result").click()
    page.wait_for_url(address)
    page.get_by_role("button", name="Delete this check now").click()
    page.wait_for_selector(".messages")
    page.wait_for_function("sessionStorage.getItem('addresses') === '[]'")
    assert page.locator("#rows > li").count() == 0


def test_by_keyboard_alone(page: Any, media: Media) -> None:
    page.on("filechooser", lambda chooser: chooser.set_files(media["nobody"]))
    page.goto("/", wait_until="networkidle")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    page.keyboard.press("Enter")
    page.wait_for_url("**/checks/*/")


def test_without_javascript(browser: Any, site: Site, media: Media) -> None:
    page = new_page(browser, base_url=site.address, java_script_enabled=False)
    page.goto("/")
    page.set_input_files("#files", [media["one"], media["clip"]])
    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_url("**/checks/*/")
    page.wait_for_selector("article.medium >> nth=1")  # the page refreshes by itself
    page.wait_for_selector(".keeping")
    assert page.locator("article.medium").count() == 2
    assert page.locator("svg.timeline circle").count() > 5
    page.get_by_role("button", name="Delete this check now").click()
    assert "are deleted" in page.locator(".messages").inner_text()
    page.context.close()


def test_two_tabs_and_deleting(page: Any, media: Media) -> None:
    address = check(page, media["one"])
    picture = page.locator(".scene img").get_attribute("src")
    other = page.context.new_page()
    assert other.goto(address).status == 200
    page.get_by_role("button", name="Delete this check now").click()
    page.wait_for_selector(".messages")
    assert other.goto(address).status == 404
    assert "Nothing is at this address" in other.locator("h1").inner_text()
    assert other.goto(picture).status == 404


def test_record_and_report(page: Any, media: Media, tmp_path: Path) -> None:
    check(page, media["two"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Record as JSON").click()
    record = json.loads(download.value.path().read_text())
    assert len(record["results"][0]["people"]) == 2
    with page.expect_download() as download:
        page.get_by_role("link", name="Report as one file").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    assert report.stat().st_size < 1_000_000
    text = report.read_text()
    assert 'src="http' not in text
    assert "<link" not in text
    page.goto(report.as_uri())
    assert page.locator(".person img").count() == 2
    assert page.locator(".scene img").evaluate("picture => picture.naturalWidth") > 0
    assert len(page.pdf()) > 10_000


def test_spanish(browser: Any, site: Site, media: Media) -> None:
    page = new_page(browser, base_url=site.address, locale="es-ES")
    check(page, media["one"])
    assert page.locator("html").get_attribute("lang") == "es"
    assert re.search(r"\d,\d\d", page.locator(".person .note").first.inner_text())
    page.get_by_label("Idioma").select_option("en")
    page.get_by_role("button", name="Cambiar").click()
    page.wait_for_selector("html[lang=en]")
    assert page.locator(".person").count() == 1
    page.context.close()
