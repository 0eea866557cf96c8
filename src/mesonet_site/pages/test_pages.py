"""What holds for every page."""

import gettext
import re
from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

PAGES = ("/", "/models/", "/how-it-works/", "/api-guide/", "/sign-in/", "/nothing/")


@pytest.mark.parametrize("path", (*PAGES, "/api/docs/", "/admin/login/"))
def test_nothing_inline_may_run(client: Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in answer.headers["Permissions-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_markup_brings_no_code_or_style(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert '<html lang="en" dir="ltr">' in page
    for forbidden in ("style=", "<style", "<script>", "onclick"):
        assert forbidden not in page


def test_the_api_speaks_english(client: Client) -> None:
    answer = client.get("/api/v1/models/x", headers={"accept-language": "es"})
    assert answer.json()["detail"] == "There is nothing at this address."


def test_signing_in_and_out(client: Client, django_user_model: type) -> None:
    django_user_model.objects.create_user("ada", password="a long password")
    wrong = client.post("/sign-in/", {"username": "ada", "password": "no"})
    assert "do not match" in wrong.content.decode()
    right = client.post("/sign-in/", {"username": "ada", "password": "a long password"})
    assert right.status_code == 302
    assert "Signed in as ada" in client.get("/").content.decode()
    client.post("/sign-out/")
    assert "Signed in" not in client.get("/").content.decode()


def test_too_much_at_once_is_said_on_a_page(client: Client, settings: object) -> None:
    answer = client.post("/", b"x", content_type="text/plain", CONTENT_LENGTH=str(1 << 40))
    assert answer.status_code == 413
    assert "<h1>Too large</h1>" in answer.content.decode()


def test_spanish_is_complete(client: Client) -> None:
    pages = Path(__file__).parent
    with (pages / "locale" / "es" / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    sentences = {
        sentence
        for template in pages.rglob("*.html")
        for _, sentence in re.findall(r"{% translate (['\"])(.+?)\1 %}", template.read_text())
    }
    sentences |= {
        sentence
        for module in pages.rglob("*.py")
        for sentence in re.findall(r'_\("([^"]+)"\)', module.read_text())
    }
    assert len(sentences) > 150
    same = {sentence for sentence in sentences if catalogue.gettext(sentence) == sentence}
    assert same <= {"API", "Content Credentials", "real"}
    page = client.get("/", headers={"accept-language": "es"}).content.decode()
    assert '<html lang="es" dir="ltr">' in page
    assert "Saltar al contenido" in page


def test_a_language_is_remembered(client: Client) -> None:
    answer = client.post("/language/setlang/", {"language": "es", "next": "/how-it-works/"})
    assert answer.headers["Location"] == "/how-it-works/"
    assert "Cómo funciona" in client.get("/how-it-works/").content.decode()
