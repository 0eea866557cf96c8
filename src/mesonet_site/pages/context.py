"""What every page's template knows."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _


def menu() -> list[tuple[str, str]]:
    """Name and label of each page in everybody's menu."""
    return [
        ("check", _("Check")),
        ("models", _("Models")),
        ("how-it-works", _("How it works")),
        ("api-guide", _("API")),
    ]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The pages of the menu, and which of them is shown."""
    pages = menu()
    user = getattr(request, "user", None)
    if user and user.is_staff:
        pages.append(("staff", _("Staff")))
    match = request.resolver_match
    return {"pages": pages, "here": match.url_name if match else None}
