"""Why the API did not take something, as a sentence for people."""

import re

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from rest_framework.response import Response

from mesonet_site.pages.check.notes import TOO_LONG, TOO_MANY_PIXELS, say


def sentence(response: Response) -> str:
    """What went wrong, and what can be done; markup where a reason is only known in English."""
    status = response.status_code
    if status == 413:
        text = _(
            "The file is too large: photographs may have %(photo)s, clips %(clip)s. "
            "Send a smaller copy of the picture, or a shorter part of the clip."
        )
        return text % {
            "photo": filesizeformat(settings.MAX_IMAGE_BYTES),
            "clip": filesizeformat(settings.MAX_CLIP_BYTES),
        }
    if status in (401, 403):
        return _("Checks are only for people who have signed in.")
    if status == 429:
        return _("Too many files came at once. Wait a minute and try again.")
    if status == 409:
        return _("The server is still preparing its model. Try again in a minute.")
    if status in (503, 507):
        return _("The server has more to do than it can. Try again in a minute.")
    problems = response.data.get("errors") or []
    if any(error["detail"] == "This field is required." for error in problems):
        return _("No file was chosen.")
    if reasons := [error["detail"] for error in problems if error["pointer"].startswith("#/image")]:
        return _unusable(reasons[0])
    return _with_reason(_("The file was not taken: %(reason)s."), response.data.get("detail", ""))


def _unusable(reason: str) -> SafeString:
    if _is_one_of(TOO_MANY_PIXELS, reason):
        text = _("The file was not taken: %(reason)s. Send a smaller copy of it.")
    elif _is_one_of(TOO_LONG, reason):
        text = _("The file was not taken: %(reason)s. Send a shorter part of it.")
    else:
        text = _("The file cannot be read: %(reason)s. Send a photograph or a clip.")
    return _with_reason(text, reason)


def _is_one_of(patterns: tuple[str, ...], reason: str) -> bool:
    return any(re.fullmatch(pattern, reason) for pattern in patterns)


def _with_reason(text: str, reason: str) -> SafeString:
    markup = escape(text) % {"reason": say(reason.removesuffix("."))}
    return mark_safe(markup)  # noqa: S308 - both parts are escaped
