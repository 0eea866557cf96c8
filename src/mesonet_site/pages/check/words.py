"""What verdicts and outcomes are called on pages, and what can be done about them."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SIGNS = {
    "no_evidence": "○",
    "uncertain": "◇",
    "some_evidence": "▲",
    "strong_evidence": "■",
    None: "?",
}
"""A shape for each verdict, so that none is told by colour alone."""

VERDICTS = {
    "no_evidence": _("No evidence of manipulation"),
    "uncertain": _("Uncertain"),
    "some_evidence": _("Some evidence of manipulation"),
    "strong_evidence": _("Strong evidence of manipulation"),
    None: _("No score"),
}

EXPLAINED = {
    "no_evidence": _("This does not mean authentic: nothing was found that this model knows."),
    "uncertain": _("The score lies where this model is wrong too often to decide."),
    "some_evidence": _("Look for the original and for other sources before you rely on it."),
    "strong_evidence": _("This is no proof: real faces are called so as well, if rarely."),
}

OUTCOMES = {
    "no_face": _("No face was found, so there is nothing to judge."),
    "face_too_small": _("The face is too small to judge."),
    "blurred": _("The face is too blurred to judge."),
    "dark": _("The face is too dark to judge."),
    "unreadable": _("The file cannot be read."),
}

ADVICE = {
    "no_face": _(
        "Only faces are judged here. Take a picture on which a face is upright, uncovered "
        "and at least 32 pixels wide."
    ),
    "face_too_small": _(
        "A face needs at least 32 pixels. Take the original file, not a preview or a screenshot."
    ),
    "blurred": _("Take the original file, or another moment at which the face is in focus."),
    "dark": _("Take a picture with more light on the face. Brightening it afterwards misleads."),
    "unreadable": _(
        "Send a photograph (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF) or a clip (MP4, MOV, WebM, MKV)."
    ),
}

FLAWS = {
    "face_too_small": pgettext_lazy("a person's face", "too small to judge"),
    "blurred": pgettext_lazy("a person's face", "too blurred to judge"),
    "dark": pgettext_lazy("a person's face", "too dark to judge"),
    "unreadable": pgettext_lazy("a person's face", "the model gives no number"),
}

CHANGES = {
    "JPEG 70": _("saved as JPEG of quality 70"),
    "JPEG 50": _("saved as JPEG of quality 50"),
    "half size and back": _("halved in size and enlarged again"),
    "crop 1.2": _("cut closer"),
    "crop 1.4": _("cut wider"),
    "mirrored": _("mirrored"),
    "slightly blurred": _("slightly blurred"),
}

CREDENTIALS = {
    "absent": _(
        "The file brings no Content Credentials, which proves nothing: most sites strip them."
    ),
    "trusted": _("Signed by somebody on the trust list, and unchanged since."),
    "untrusted": _("Signed and unchanged since, but the signer is not on the trust list."),
    "invalid": _("There are Content Credentials, but they do not hold."),
    "tampered": _("The file or its Content Credentials were changed after signing."),
    "remote_only": _("The file only names an address of Content Credentials; nothing is fetched."),
    "not_checked": _("Content Credentials could not be looked at on this server."),
}

METADATA = {
    "camera": _("Camera"),
    "lens": _("Lens"),
    "software": _("Software"),
    "taken": _("Taken"),
    "modified": _("Changed"),
    "creator": _("Author"),
    "credit": _("Credit"),
    "source": _("Source"),
    "copyright": _("Copyright"),
    "source_type": _("Kind of source"),
}

STRENGTHS = {
    "weak": pgettext_lazy("likelihood ratio", "weak support"),
    "moderate": pgettext_lazy("likelihood ratio", "moderate support"),
    "moderately strong": pgettext_lazy("likelihood ratio", "moderately strong support"),
    "strong": pgettext_lazy("likelihood ratio", "strong support"),
    "very strong": pgettext_lazy("likelihood ratio", "very strong support"),
}

REGIONS = {
    "eyes": _("eyes"),
    "nose": _("nose"),
    "mouth": _("mouth"),
    "skin": _("skin"),
    "border": _("edge of the face"),
    "background": _("background"),
}

METHODS = {
    "regions": _("by region"),
    "occlusion": _("occlusion map"),
    "reciprocam": _("ReciproCAM map"),
    "rise": _("RISE map"),
}

KINDS = {
    "face swaps": _("face swaps"),
    "reenactment": _("reenactment"),
    "retouched parts of faces": _("retouched parts of faces"),
    "generated faces": _("generated faces"),
}


def kinds_of(names: Iterable[str]) -> str:
    """Kinds of manipulation in a row; those of other people's models in their own words."""
    return ", ".join(str(KINDS.get(name, name)) for name in names)
