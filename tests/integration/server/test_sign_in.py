"""Guessing passwords and tokens."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

pytestmark = pytest.mark.django_db

RIGHT = "correct horse"


def sign_in(client: Client, name: str, password: str, address: str = "10.0.0.1") -> int:
    form = {"username": name, "password": password}
    return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address).status_code


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", password=RIGHT)


def test_passwords_cannot_be_guessed_from_one_address(client: Client, admin: User) -> None:
    assert sign_in(Client(), "admin", RIGHT) == 302
    answers = [sign_in(Client(), f"name{index}", "wrong") for index in range(12)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert sign_in(Client(), "admin", RIGHT) == 429
    assert sign_in(Client(), "admin", RIGHT, "10.0.0.2") == 302


def test_passwords_of_one_account_cannot_be_guessed_from_many(admin: User) -> None:
    for index in range(12):
        sign_in(Client(), "admin", "wrong", f"10.0.1.{index}")
    assert sign_in(Client(), "admin", RIGHT, "10.0.2.1") == 429


def test_the_page_says_how_long_to_wait_and_the_log_from_where(
    admin: User, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    form = {"username": "admin", "password": "wrong"}
    with caplog.at_level("WARNING", "axes"):
        for _ in range(3):
            answer = Client().post("/sign-in/", form, headers={"accept-language": "es"})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "600"
    page = answer.content.decode()
    assert "<h1>Demasiados intentos</h1>" in page
    assert "en 10 minutos" in page
    assert "New login failure by" in caplog.text
    assert "127.0.0.1" in caplog.text
    assert "admin" not in caplog.text
    assert "wrong" not in caplog.text
    right = {"username": "admin", "password": RIGHT}
    page = Client().post("/sign-in/", right).content.decode()
    assert "<h1>Too many attempts</h1>" in page


def test_tokens_cannot_be_guessed(
    client: Client, admin: User, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    def get(token: str, address: str = "10.0.0.1") -> int:
        headers = {"Authorization": f"Token {token}"}
        return client.get("/api/v1/version", headers=headers, REMOTE_ADDR=address).status_code

    right = Token.objects.create(user=admin).key
    with caplog.at_level("WARNING", "mesonet_site.api.throttling"):
        answers = [get(f"{index:040}") for index in range(32)]
    assert answers[:30] == [401] * 30
    assert answers[30:] == [429] * 2
    assert get(right) == 429
    assert get(right, "10.0.0.2") == 200
    assert client.get("/api/v1/version", REMOTE_ADDR="10.0.0.1").status_code == 200
    assert "wrong token from 10.0.0.1" in caplog.text


def test_a_limit_that_is_switched_off(client: Client, settings: Any) -> None:
    settings.THROTTLE_ANONYMOUS, settings.THROTTLE_USER = "", "1/min"
    assert {client.get("/api/v1/version").status_code for _ in range(4)} == {200}
