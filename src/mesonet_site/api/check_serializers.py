"""The shape of a check in the API; as ``docs/check.schema.json``, and its pictures."""

from typing import Any

from rest_framework import serializers

from mesonet.checking import OUTCOMES
from mesonet.evidence import WORDS


class _Probability(serializers.FloatField):
    """0 is surely real, 1 surely manipulated; null where there is no score."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=1, allow_null=True, **options)


def _numbers(count: int) -> serializers.ListField:
    return serializers.ListField(child=serializers.FloatField(), min_length=count, max_length=count)


class QualitySerializer(serializers.Serializer):
    """How well a face can be seen."""

    size = serializers.FloatField(help_text="Longer side of its box in pixels")
    sharpness = serializers.FloatField()
    brightness = serializers.FloatField()


class SeenFaceSerializer(serializers.Serializer):
    """A person's face in one frame."""

    frame = serializers.IntegerField()
    time = serializers.FloatField(allow_null=True, help_text="Seconds; null in a photograph")
    box = _numbers(4)
    landmarks = serializers.ListField(child=_numbers(2))
    quality = QualitySerializer()
    fake_probability = _Probability()
    raw_score = _Probability()


class PersonSerializer(serializers.Serializer):
    """Somebody in a photograph, or in one shot of a clip."""

    id = serializers.IntegerField(min_value=1)
    box = _numbers(4)
    outcome = serializers.ChoiceField(list(OUTCOMES))
    verdict = serializers.ChoiceField(list(WORDS), allow_null=True)
    fake_probability = _Probability()
    share_above = _Probability(help_text="Share of a clip's faces at or above the threshold")
    longest_run = serializers.IntegerField(allow_null=True, help_text="Most of them in a row")
    fragility = serializers.DictField(
        allow_null=True, help_text="What mild changes of a photograph do to the score"
    )
    likelihood = serializers.DictField(
        allow_null=True, help_text="How many times more often manipulated faces score so"
    )
    explanations = serializers.ListField(
        child=serializers.DictField(),
        help_text="Where the score came from, by what passed its exam; empty unless asked for",
    )
    faces = SeenFaceSerializer(many=True)


class FileFactsSerializer(serializers.Serializer):
    """What a file is."""

    sha256 = serializers.CharField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    format = serializers.CharField(allow_null=True)
    codec = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    duration = serializers.FloatField(allow_null=True, help_text="Seconds of a clip")
    frames = serializers.IntegerField(allow_null=True)


class StartsSerializer(serializers.Serializer):
    """The fake probability from which each word is used."""

    uncertain = serializers.FloatField()
    some_evidence = serializers.FloatField()
    strong_evidence = serializers.FloatField(allow_null=True, help_text="Null: not measured")


class RatesSerializer(serializers.Serializer):
    """How often each word was used in validation."""

    real = serializers.IntegerField(help_text="How many real ones there were")
    fake = serializers.IntegerField(help_text="How many manipulated ones there were")
    shares = serializers.DictField(
        child=_numbers(2), help_text="By word, the shares of real and of manipulated ones"
    )


class ScaleSerializer(serializers.Serializer):
    """How probabilities became words, and what those are worth."""

    name = serializers.CharField()
    threshold = serializers.FloatField()
    starts = StartsSerializer()
    meanings = serializers.DictField(child=serializers.CharField(), help_text="Of each word")
    rates = RatesSerializer(allow_null=True, help_text="Null where nobody measured them")
    error_rate = serializers.FloatField(
        allow_null=True, help_text="Share of wrong verdicts outside uncertainty, in validation"
    )
    measured_on = serializers.CharField(allow_null=True)
    level = serializers.ChoiceField(["image", "clip"])
    kinds = serializers.ListField(child=serializers.CharField())


class PicturesSerializer(serializers.Serializer):
    """Small pictures of what was seen; they are deleted with the detection."""

    scene = serializers.URLField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    scale = serializers.FloatField(help_text="Pixels of the scene for one of the original")
    frame = serializers.IntegerField(help_text="Which frame the scene is")
    crops = serializers.DictField(child=serializers.URLField(), help_text="By the person's id")
    frames = serializers.DictField(child=serializers.URLField(), help_text="By their number")
    maps = serializers.DictField(
        child=serializers.URLField(),
        help_text="The most suspicious face under each map, by its method",
    )


class CheckSerializer(serializers.Serializer):
    """What was found out about one photograph or clip, with `faces=find`."""

    path = serializers.CharField(help_text="The upload's name")
    kind = serializers.ChoiceField(["photo", "clip"], allow_null=True)
    outcome = serializers.ChoiceField(list(OUTCOMES))
    verdict = serializers.ChoiceField(
        list(WORDS), allow_null=True, help_text="No evidence does not mean authentic"
    )
    fake_probability = _Probability(help_text="That of the most suspicious person")
    file = FileFactsSerializer()
    model = ScaleSerializer()
    people = PersonSerializer(many=True)
    people_left_out = serializers.IntegerField()
    frames_seen = serializers.ListField(child=_numbers(2), help_text="Number and seconds of each")
    cuts = serializers.ListField(child=serializers.FloatField())
    notes = serializers.ListField(child=serializers.CharField())
    provenance = serializers.DictField(
        allow_null=True, help_text="What the file says of its origin; no part of the verdict"
    )
    pictures = PicturesSerializer(allow_null=True)
