"""The pages' way to scores and to what visitors send: the API's own views, in the process.

Permissions, throttles, validation and refusals are therefore the API's, and in English. Only the
staff's page reads the tables of models and checks by itself, and the report the kept pictures.
"""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import override
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet


class NoAnswerError(Exception):
    """The API can answer nothing at the moment: its disk is full, or its database is in use.

    Attributes:
        status: 503 or 507.
        wait: seconds until it may be asked again.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.data["detail"])
        self.status = response.status_code
        self.wait = int(response["Retry-After"])


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
    with override("en"):
        return view_set.as_view(handlers, **unlimited)(request, **where)


def ask_view(view: type[APIView], request: HttpRequest, **where: Any) -> Response:
    """Let a single view of the API answer; see `ask`."""
    with override("en"):
        return view.as_view(throttle_classes=())(request, **where)


def fetch(view_set: type[GenericViewSet], action: str, request: HttpRequest, **where: Any) -> Any:
    """The data that the API answers.

    Raises:
        Http404: it has none, or none for this person.
        NoAnswerError: it can answer nothing at the moment.
    """
    response = ask(view_set, action, request, **where)
    if response.status_code in (503, 507):
        raise NoAnswerError(response)
    if response.status_code != 200:
        raise Http404
    return response.data
