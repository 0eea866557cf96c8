"""The pages' only way to data and scores: the API's own views, called within the process.

Permissions, throttles, validation and refusals are therefore the API's.
"""

from typing import Any

from django.http import Http404, HttpRequest
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet


def ask(
    view_set: type[GenericViewSet], action: str, request: HttpRequest, **where: Any
) -> Response:
    """Let a view set of the API answer a page's request.

    Args:
        view_set: of `mesonet_site.api.views`.
        action: such as ``"create"``.
        request: the page's request; what its form sends is what the API gets.
        where: values of the address, such as ``id``.

    Returns:
        The answer with its data; of a refusal these are a problem document.
    """
    handlers = {str(request.method).lower(): action}
    unlimited = {"throttle_classes": ()} if request.method == "GET" else {}
    return view_set.as_view(handlers, **unlimited)(request, **where)


def ask_view(view: type[APIView], request: HttpRequest, **where: Any) -> Response:
    """Let a single view of the API answer; see `ask`."""
    return view.as_view(throttle_classes=())(request, **where)


def fetch(view_set: type[GenericViewSet], action: str, request: HttpRequest, **where: Any) -> Any:
    """The data that the API answers.

    Raises:
        Http404: it has none, or none for this person.
    """
    response = ask(view_set, action, request, **where)
    if response.status_code != 200:
        raise Http404
    return response.data
