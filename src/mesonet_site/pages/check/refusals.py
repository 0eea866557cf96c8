"""Why the API did not take something, as a sentence for people."""

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from rest_framework.response import Response


def sentence(response: Response) -> str:
    """What went wrong, and what can be done."""
    status = response.status_code
    if status == 413:
        text = _("The file is too large: photographs may have %(photo)s, clips %(clip)s.")
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
    if any(error["pointer"].startswith("#/image") for error in problems):
        return _("The file cannot be read: %(reason)s. Send a photograph or a clip.") % {
            "reason": problems[0]["detail"]
        }
    return _("The file was not taken: %(reason)s") % {"reason": response.data.get("detail", "")}
