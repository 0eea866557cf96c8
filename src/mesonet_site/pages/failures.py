"""What is shown when the server cannot answer."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from mesonet_site.api import problems
from mesonet_site.pages.context import menu
from mesonet_site.pages.doors import NoAnswerError


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``.

    The page is made without the request: user, messages and session may be what failed.
    """
    if request.path.startswith("/api/"):
        return problems.failure()
    error = sys.exc_info()[1]
    if isinstance(error, NoAnswerError):
        status, wait = error.status, error.wait
    elif passing := problems.trouble(error):
        status, wait = passing.status_code, passing.wait
    else:
        status, wait = 500, 0
    context = {"status": status, "pages": menu()}
    page = HttpResponse(render_to_string("500.html", context), status=status)
    if wait:
        page["Retry-After"] = str(wait)
    return page
