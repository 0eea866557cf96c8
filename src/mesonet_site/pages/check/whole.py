"""Results of pictures that were scored as they are, in the shape of a check's record."""

from collections.abc import Mapping
from typing import Any

_VERDICTS = {"real": "no_evidence", "uncertain": "uncertain", "deepfake": "some_evidence"}


def as_record(result: Mapping[str, Any], detection: Mapping[str, Any]) -> dict[str, Any]:
    """The record of one result of a detection.

    Args:
        result: see `mesonet_site.api.serializers.ResultSerializer`.
        detection: what it belongs to.
    """
    low, high = detection["band"] or [detection["threshold"]] * 2
    score = result["fake_probability"]
    verdict = None if score is None else _VERDICTS[result["label"]]
    face = {"frame": 0, "time": None, "box": [0, 0, 0, 0], "fake_probability": score}
    person = {
        "id": 1,
        "outcome": "scored",
        "verdict": verdict,
        "fake_probability": score,
        "share_above": None,
        "longest_run": None,
        "faces": [face],
    }
    return {
        "path": result["name"],
        "kind": "photo",
        "outcome": "scored" if verdict else "unreadable",
        "verdict": verdict,
        "fake_probability": score,
        "file": {},
        "model": {
            "name": detection["model"],
            "threshold": detection["threshold"],
            "starts": {"uncertain": low, "some_evidence": high, "strong_evidence": None},
            "meanings": dict.fromkeys(_VERDICTS.values(), ""),
            "kinds": [],
        },
        "people": [person] if verdict else [],
        "people_left_out": 0,
        "frames_seen": [],
        "cuts": [],
        "notes": [result["error"]] if result["error"] else [],
    }
