"""Content Credentials: signed statements of a file's history, after the C2PA's specification.

Read with c2pa-python, the extra ``provenance``. Nothing is fetched: neither remote manifests nor
revocation lists.
"""

import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from mesonet.provenance.trust_list import TrustList, trust_list

State = Literal[
    "absent", "trusted", "untrusted", "invalid", "tampered", "remote_only", "not_checked"
]

STATES: dict[State, str] = {
    "absent": "The file brings no Content Credentials.",
    "trusted": "Signed by somebody on the trust list, and unchanged since.",
    "untrusted": "Signed and unchanged since, but the signer is not on the trust list.",
    "invalid": "There are Content Credentials, but they do not hold: see the problems.",
    "tampered": "The file or its Content Credentials were changed after signing.",
    "remote_only": "The file only names an address of Content Credentials; nothing is fetched.",
    "not_checked": "Content Credentials could not be looked at: see the problems.",
}

# What the specification calls failures of content or of statements that were signed over
_CHANGED = (
    "assertion.dataHash.mismatch",
    "assertion.bmffHash.mismatch",
    "assertion.boxesHash.mismatch",
    "assertion.collectionHash.mismatch",
    "assertion.multiAssetHash.mismatch",
    "assertion.hashedURI.mismatch",
    "claimSignature.mismatch",
)
_UNKNOWN_SIGNER = "signingCredential.untrusted"
_MADE_BY_AI = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
_REMOTE = "must fetch remote manifests from url "


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done to the file, as its signer says.

    Attributes:
        action: the specification's word, such as ``"c2pa.created"`` or ``"c2pa.edited"``.
        software: what did it.
        source_type: kind of source, the end of IPTC's address, such as
            ``"trainedAlgorithmicMedia"``.
        when: as written.
    """

    action: str
    software: str | None = None
    source_type: str | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that went into this one.

    Attributes:
        title: its name, as the signer says.
        relationship: such as ``"parentOf"`` or ``"componentOf"``.
    """

    title: str | None
    relationship: str | None


@dataclass(frozen=True, slots=True)
class ContentCredentials:
    """What the newest manifest says, and whether it can be believed.

    Attributes:
        state: see `STATES`.
        signer: organisation of the certificate.
        common_name: the certificate's own name.
        signed_at: time of the signature, as the time stamp says.
        claim_generator: the software that wrote the manifest.
        actions: what was done.
        ingredients: what went into the file.
        made_by_ai: whether an action names a generative model as the source; None without
            actions.
        problems: codes of the specification, or words, for what does not hold.
        remote_url: where the manifest is said to be; never visited.
        trust_list: date of the list that the signer was looked up in.
    """

    state: State
    signer: str | None = None
    common_name: str | None = None
    signed_at: str | None = None
    claim_generator: str | None = None
    actions: tuple[Action, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    made_by_ai: bool | None = None
    problems: tuple[str, ...] = ()
    remote_url: str | None = None
    trust_list: date | None = None

    @property
    def text(self) -> str:
        """The state in a sentence."""
        return STATES[self.state]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        day = self.trust_list and self.trust_list.isoformat()
        lists = {
            "actions": [asdict(action) for action in self.actions],
            "ingredients": [asdict(ingredient) for ingredient in self.ingredients],
            "problems": list(self.problems),
        }
        return asdict(self) | lists | {"trust_list": day, "text": self.text}


def read_credentials(
    source: str | os.PathLike[str] | bytes, trust: TrustList | None = None
) -> ContentCredentials:
    """Read the Content Credentials of a photograph or clip; what is wrong is said in the result.

    Args:
        source: path of a file, or the bytes of one.
        trust: whom to trust; by default `mesonet.provenance.trust_list`.
    """
    try:
        import c2pa
    except ImportError:
        return ContentCredentials(
            "not_checked",
            problems=("c2pa-python is not installed: pip install mesonet[provenance]",),
        )
    trust = trust or trust_list()
    settings = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": trust.to_settings(),
    }
    try:
        with (
            io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as stream,
            c2pa.Context.from_dict(settings) as context,
        ):
            reader = c2pa.Reader.try_create("", stream, None, context)
            if reader is None:
                return ContentCredentials("absent", trust_list=trust.date)
            with reader:
                return _describe(json.loads(reader.json()), reader.get_remote_url(), trust)
    except c2pa.C2paError.NotSupported:
        return ContentCredentials("not_checked", problems=("not a format that can hold any",))
    except OSError as error:
        return ContentCredentials("not_checked", problems=(error.strerror or str(error),))
    except (c2pa.C2paError, ValueError) as error:
        _, remote, url = str(error).partition(_REMOTE)
        if remote:
            return ContentCredentials("remote_only", remote_url=url, trust_list=trust.date)
        return ContentCredentials("invalid", problems=(str(error),), trust_list=trust.date)


def _describe(
    store: Mapping[str, Any], remote_url: str | None, trust: TrustList
) -> ContentCredentials:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signature = manifest.get("signature_info") or {}
    actions = tuple(_actions(manifest.get("assertions", ())))
    problems = tuple(_problems(store))
    return ContentCredentials(
        state=_state(str(store.get("validation_state")), problems),
        signer=signature.get("issuer"),
        common_name=signature.get("common_name"),
        signed_at=signature.get("time"),
        claim_generator=_generator(manifest),
        actions=actions,
        ingredients=tuple(
            Ingredient(found.get("title"), found.get("relationship"))
            for found in manifest.get("ingredients", ())
        ),
        made_by_ai=any(a.source_type in _MADE_BY_AI for a in actions) if actions else None,
        problems=problems,
        remote_url=remote_url,
        trust_list=trust.date,
    )


def _state(validation: str, problems: tuple[str, ...]) -> State:
    if any(problem.startswith(_CHANGED) for problem in problems):
        return "tampered"
    if validation == "Trusted":
        return "trusted"
    return "untrusted" if validation == "Valid" and _UNKNOWN_SIGNER in problems else "invalid"


def _problems(store: Mapping[str, Any]) -> Iterable[str]:
    results = store.get("validation_results") or {}
    failures = [*(results.get("activeManifest") or {}).get("failure", ())]
    for delta in results.get("ingredientDeltas") or ():
        failures += (delta.get("validationDeltas") or {}).get("failure", ())
    return dict.fromkeys(str(failure.get("code")) for failure in failures)


def _actions(assertions: Iterable[Mapping[str, Any]]) -> Iterable[Action]:
    for assertion in assertions:
        if not str(assertion.get("label")).startswith("c2pa.actions"):
            continue
        for entry in (assertion.get("data") or {}).get("actions", ()):
            agent = entry.get("softwareAgent")
            source_type = entry.get("digitalSourceType")
            yield Action(
                action=str(entry.get("action")),
                software=agent.get("name") if isinstance(agent, Mapping) else agent,
                source_type=source_type and str(source_type).rpartition("/")[2],
                when=entry.get("when"),
            )


def _generator(manifest: Mapping[str, Any]) -> str | None:
    for info in manifest.get("claim_generator_info") or ():
        return " ".join(str(info[key]) for key in ("name", "version") if info.get(key)) or None
    generator = manifest.get("claim_generator")
    return None if generator is None else str(generator)
