"""Models, exploring and staff in a browser."""

from typing import Any

import pytest
from tests.browser.conftest import Site

from mesonet.weights import list_released

pytestmark = pytest.mark.slow


def sign_in(page: Any, site: Site) -> None:
    page.goto("/staff/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/staff/")


def test_a_model_and_its_images(page: Any) -> None:
    page.goto("/models/")
    page.get_by_role("link", name="standard").click()
    page.wait_for_selector("text=are called right")  # the worker has measured it
    assert page.locator("svg.plot:not(.low)").count() == 2  # ROC and reliability
    assert page.locator("svg.plot.low").count() == 6  # one for each kind of change
    page.get_by_text("Convolutional layers").wait_for()
    page.get_by_role("link", name="See what it says").click()
    page.get_by_label("How many images").fill("5")
    page.get_by_role("button", name="Draw images").click()
    page.wait_for_selector(".cards li")
    assert page.locator(".cards li").count() == 5
    page.get_by_label("Only the mistakes").check()
    page.get_by_role("button", name="Draw others").click()
    page.wait_for_selector("h2:has-text('drawn images are called wrong')")
    assert page.locator(".cards li:has-text('✓')").count() == 0


def test_a_model_is_uploaded_watched_and_deleted(page: Any, site: Site, tmp_path: Any) -> None:
    sign_in(page, site)
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"no model")
    page.get_by_label("Name").fill("a copy")
    page.get_by_label("Description").fill("of a released one")
    page.get_by_label("Model file").set_input_files(broken)
    page.get_by_role("button", name="Upload and measure").click()
    assert "Model file:" in page.get_by_role("alert").inner_text()

    meso4 = next(model for model in list_released() if model.name == "meso4")
    page.get_by_label("Model file").set_input_files(meso4.path)
    page.get_by_role("button", name="Upload and measure").click()
    page.wait_for_url("**/models/*/")
    page.wait_for_selector("text=are called right")

    page.goto("/staff/")
    row = page.locator("tr", has_text="a copy")
    row.get_by_text("Delete", exact=True).click()
    row.get_by_role("button", name="Delete a copy for good").click()
    page.wait_for_selector(".messages")
    assert page.locator("tr", has_text="a copy").count() == 0
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("text=Sign in for staff")


def test_the_api_can_be_tried(page: Any) -> None:
    page.goto("/api-guide/")
    page.get_by_role("link", name="All operations").click()
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() > 10
