"""Notes and reasons of the library, which are English, in the words of the page's language."""

import re

from django.utils.formats import number_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

_NUMBER = r"[\d,]+(?:\.\d+)?"
_SIZE = rf"(?P<width>{_NUMBER}) x (?P<height>{_NUMBER}) px"

TOO_MANY_PIXELS = (
    r"too many pixels",
    rf"{_SIZE}, more than the (?P<most>{_NUMBER}) allowed(?: for clips)?",
    rf"{_SIZE}, a side of more than the (?P<most>{_NUMBER}) allowed",
)
TOO_LONG = (
    rf"longer than the (?P<most>{_NUMBER}) seconds allowed for clips",
    rf"more than (?P<most>{_NUMBER}) frames",
)
_TOO_LARGE = rf"larger than the (?P<most>{_NUMBER}) bytes allowed"

_SAID = {
    TOO_MANY_PIXELS[0]: _("it has too many pixels"),
    TOO_MANY_PIXELS[1]: _("it has %(width)s by %(height)s pixels, and at most %(most)s are taken"),
    TOO_MANY_PIXELS[2]: _(
        "it has %(width)s by %(height)s pixels, and at most %(most)s on a side are taken"
    ),
    TOO_LONG[0]: _("it is longer than %(most)s seconds"),
    TOO_LONG[1]: _("it has more than %(most)s frames"),
    _TOO_LARGE: _("it is larger than %(most)s bytes"),
    r"(?:the file is|The submitted file is) empty\.?": _("it is empty"),
    r"the file is truncated": _("it breaks off"),
    r"damaged or unreadable|not an image in a supported format, or a damaged one": _(
        "it is damaged, or of a kind that is not known here"
    ),
    r"not a photograph or clip that can be read \(.*\)": _("it is neither a photograph nor a clip"),
    r"there is no moving picture in it": _("there is no moving picture in it"),
    r"its pictures are coded in a way that is not known here": _(
        "its pictures are coded in a way that is not known here"
    ),
    r"not one frame of the clip can be read|the clip has no frames": _(
        "not one frame of the clip can be read"
    ),
    rf"the clip ends early, after (?P<count>{_NUMBER}) frames": _(
        "the clip ends early, after %(count)s frames"
    ),
    r"the clip ends early: .*": _("the clip ends early"),
    rf"(?P<count>{_NUMBER}) damaged parts of the clip could not be read": _(
        "%(count)s damaged parts of the clip could not be read"
    ),
    r"of a clip this long only key frames were looked at": _(
        "of a clip this long only key frames were looked at"
    ),
    rf"the file says that it lasts (?P<said>{_NUMBER}) s, and its pictures last "
    rf"(?P<found>{_NUMBER}) s": _(
        "the file says that it lasts %(said)s s, and its pictures last %(found)s s"
    ),
    r"HDR: brightness and colours are taken without tone mapping": _(
        "HDR: brightness and colours are taken without tone mapping"
    ),
    r"the model was deleted": _("the model was deleted"),
    rf"scoring broke off (?P<count>{_NUMBER}) times": _("scoring broke off %(count)s times"),
    r"scoring failed; the worker's log says why": _("scoring failed; the worker's log says why"),
}


def say(note: str) -> SafeString:
    """A note as markup: in the page's language where it is a common one, else marked as English."""
    for pattern, text in _SAID.items():
        if found := re.fullmatch(pattern, note):
            values = {name: _localized(value) for name, value in found.groupdict().items()}
            return escape(text % values)
    return format_html('<span lang="en">{}</span>', note)


def _localized(number: str) -> str:
    plain = number.replace(",", "")
    _, _, decimals = plain.partition(".")
    return number_format(float(plain), len(decimals), force_grouping=True)
