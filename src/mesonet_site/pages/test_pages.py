"""What holds for every page."""

import ast
import gettext
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation.template import templatize

import classifiers
from mesonet_site.api import models

pytestmark = pytest.mark.django_db

PAGES_FOLDER = Path(__file__).parent
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


def test_the_api_speaks_english_after_a_spanish_page(client: Client) -> None:
    spanish = {"accept-language": "es"}
    assert '<html lang="es"' in client.get("/how-it-works/", headers=spanish).content.decode()
    for headers in ({}, spanish):
        answer = client.post("/api/v1/detections", headers=headers)
        assert answer.json()["errors"][0]["detail"] == "This field is required."


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
    page = answer.content.decode()
    assert "<h1>Too large</h1>" in page
    assert 'href="/how-it-works/"' in page
    assert answer.cookies["csrftoken"].value
    assert 'name="csrfmiddlewaretoken"' in page
    answer = client.post(
        *("/", b"x"),
        content_type="text/plain",
        CONTENT_LENGTH=str(1 << 40),
        headers={"accept-language": "es"},
    )
    assert "<h1>Demasiado grande</h1>" in answer.content.decode()


def test_spanish_is_complete(client: Client) -> None:
    with (PAGES_FOLDER / "locale" / "es" / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    calls = [call for path in PAGES_FOLDER.rglob("*.html") for call in calls_in_template(path)]
    for folder in (PAGES_FOLDER, Path(models.__file__).parent, Path(classifiers.__file__).parent):
        calls += [call for path in folder.rglob("*.py") for call in calls_in_module(path)]
    assert {name for name, _ in calls} == {"gettext", "ngettext", "pgettext"}
    assert len(set(calls)) > 350
    same = set()
    for name, texts in set(calls):
        more = {"ngettext": (1,)}.get(name, ())
        if getattr(catalogue, name)(*texts, *more) == texts[1 if name == "pgettext" else 0]:
            same.add(texts)
    assert same <= {("API",), ("Content Credentials",), ("real",)}
    page = client.get("/", headers={"accept-language": "es"}).content.decode()
    assert '<html lang="es" dir="ltr">' in page
    assert "Saltar al contenido" in page


def calls_in_template(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a template asks the catalogue for, as `makemessages` sees it."""
    text = r"""u?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    call = rf"\b(n?p?gettext|_)\({text}(?:,\s*{text})?"
    for name, *texts in re.findall(call, templatize(path.read_text())):
        known = tuple(ast.literal_eval(part) for part in texts if part)
        yield name.replace("_", "gettext"), known


def calls_in_module(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a module asks the catalogue for."""
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(getattr(node, "func", None), "id", "")
        if name == "_" or name.removesuffix("_lazy") in ("gettext", "ngettext", "pgettext"):
            texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
            yield name.removesuffix("_lazy").replace("_", "gettext"), tuple(texts)


def test_lines_are_told_apart_without_colour() -> None:
    style = (PAGES_FOLDER / "static" / "pages" / "page.css").read_text()
    for kind, count in (("curve", 5), ("line", 4)):
        rules = [re.findall(rf"\.{kind}-{n} polyline \{{([^}}]*)}}", style) for n in range(count)]
        dashes = [re.findall(r"stroke-dasharray: ([\d ]+)", "".join(rule)) for rule in rules]
        assert len(set(map(tuple, dashes))) == count


def test_a_phone_s_camera_is_offered(client: Client) -> None:
    camera = re.search(r'<input id="camera"[^>]*>', client.get("/").content.decode())
    assert camera
    assert 'capture="environment"' in camera[0]
    assert 'accept="image/*"' in camera[0]


def test_cookies_are_secure_behind_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS", "true")
    settings = runpy.run_path(PAGES_FOLDER.parent / "settings.py")
    assert settings["SECURE_SSL_REDIRECT"]
    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert settings[f"{cookie}_COOKIE_SECURE"]


def test_a_language_is_remembered(client: Client) -> None:
    answer = client.post("/language/setlang/", {"language": "es", "next": "/how-it-works/"})
    assert answer.headers["Location"] == "/how-it-works/"
    assert "Cómo funciona" in client.get("/how-it-works/").content.decode()
