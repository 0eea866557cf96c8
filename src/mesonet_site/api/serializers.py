"""The shapes of ``/api/v1/``."""

import math
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from classifiers.models import MLModel
from classifiers.serializers import AbsoluteURLField
from classifiers.validators import validate_model_file
from mesonet.detector import DEEPFAKE, REAL, UNCERTAIN
from mesonet.explanations import read_exam
from mesonet.weights import released_file
from mesonet_site.api import conf
from mesonet_site.api.check_serializers import CheckSerializer
from mesonet_site.api.models import Detection


class ReportSerializer(serializers.Serializer):
    """A classification report as a table."""

    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField())


class ReliabilitySerializer(serializers.Serializer):
    """The images whose `fake_probability` lies in a range, and how many of them are manipulated."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    count = serializers.IntegerField()
    mean_probability = serializers.FloatField(required=False)
    share_fake = serializers.FloatField(required=False)


class ROCSerializer(serializers.Serializer):
    """Shares of real images called manipulated, and of manipulated ones called so."""

    false_alarms = serializers.ListField(child=serializers.FloatField())
    found = serializers.ListField(child=serializers.FloatField())


class CurvesSerializer(serializers.Serializer):
    """What plots of a measurement are drawn from."""

    confusion = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Rows are true real and true manipulated, columns called so",
    )
    auc = serializers.FloatField()
    roc = ROCSerializer()
    reliability = ReliabilitySerializer(many=True)


class ModelSerializer(serializers.ModelSerializer):
    """A model; its file is taken but never given out."""

    id = serializers.UUIDField(source="model_id", read_only=True)
    name = serializers.CharField(
        source="model_name",
        max_length=30,
        validators=[
            UniqueValidator(MLModel.objects.all(), "There is a model of this name already.")
        ],
    )
    description = serializers.CharField(source="model_desc", max_length=200)
    file = serializers.FileField(
        source="model_file", write_only=True, validators=[validate_model_file]
    )
    report = ReportSerializer(source="clr", read_only=True, allow_null=True)
    curves = CurvesSerializer(read_only=True, allow_null=True)
    layers = serializers.ListField(
        source="conv_layers",
        child=serializers.ListField(),
        read_only=True,
        allow_null=True,
        help_text="`[filters, [height, width]]` of each convolutional layer",
    )
    sha256 = serializers.CharField(source="model_hash", read_only=True)
    usable = serializers.BooleanField(read_only=True)
    explanations = serializers.SerializerMethodField(
        help_text="Methods that passed the exam with this model, the best first; null where it "
        "was not taken"
    )

    class Meta:
        model = MLModel
        fields = (
            *("id", "name", "description", "file", "loss_curve", "sha256", "uploaded_at"),
            *("state", "progress", "message", "usable", "accuracy", "report", "curves", "layers"),
            "explanations",
        )
        extra_kwargs = {  # noqa: RUF012
            "accuracy": {"help_text": "Percent of the dataset's images that it gets right"}
        }

    @extend_schema_field(serializers.ListField(child=serializers.CharField(), allow_null=True))
    def get_explanations(self, model: MLModel) -> list[str] | None:
        """Those of the released model whose file this is."""
        found = released_file(model.model_hash)
        exam = read_exam(found.scored_files) if found else None
        return list(exam.passed) if exam and exam.taken else None


class ResultSerializer(serializers.Serializer):
    """What a model says of one image, or why it says nothing."""

    name = serializers.CharField()
    label = serializers.ChoiceField([REAL, DEEPFAKE, UNCERTAIN], allow_null=True)
    probability = serializers.FloatField(
        allow_null=True,
        help_text="Probability of the label, 0..1; of an uncertain one, that of the likelier side",
    )
    fake_probability = serializers.FloatField(
        allow_null=True,
        help_text="0 is surely real, 1 surely manipulated; calibrated if the model is",
    )
    raw_score = serializers.FloatField(
        allow_null=True, help_text="The network's own fake score, before calibration"
    )
    plots = serializers.ListField(child=AbsoluteURLField())
    error = serializers.CharField(allow_null=True)


class DetectionSummarySerializer(serializers.Serializer):
    """A detection without its results."""

    id = serializers.UUIDField()
    faces = serializers.ChoiceField(Detection.Faces.choices)
    created_at = serializers.DateTimeField()
    model = serializers.CharField(source="model_name")
    threshold = serializers.FloatField()
    band = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        allow_null=True,
        help_text="From the first `fake_probability` to below the second an image is uncertain; "
        "null where the model has no such band, or a threshold was asked for",
    )
    layers = serializers.ListField(child=serializers.IntegerField())
    state = serializers.ChoiceField(Detection.State.choices)
    message = serializers.CharField()
    images = serializers.IntegerField()
    processed = serializers.IntegerField()
    progress = serializers.IntegerField(help_text="Percent of the images that are scored")
    explain = serializers.BooleanField()
    frames = serializers.IntegerField(
        help_text="Frames of the clip that is being checked; 0 as long as nobody knows"
    )
    frames_done = serializers.IntegerField(help_text="How many of them have been looked at")


class DetectionSerializer(DetectionSummarySerializer):
    """A detection with its results."""

    results = serializers.SerializerMethodField(
        help_text="One for each upload: a check where faces were to be found, else a score"
    )

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="CheckOrResult",
            serializers=[CheckSerializer, ResultSerializer],
            resource_type_field_name=None,
            many=True,
        )
    )
    def get_results(self, detection: Detection) -> list[Any]:
        """The records as they are, with whole addresses."""
        results = [result for result in detection.results if result is not None]
        if detection.faces == Detection.Faces.WHOLE:
            return list(ResultSerializer(results, many=True, context=self.context).data)
        return [
            {name: record[name] for name in record if name != "made_by"}
            | {"pictures": self._whole(record)}
            for record in results
        ]

    def _whole(self, record: dict[str, Any]) -> dict[str, Any] | None:
        pictures, request = record["pictures"], self.context.get("request")
        if not pictures or not request:
            return pictures
        address = request.build_absolute_uri
        whole = {
            kind: {name: address(url) for name, url in pictures.get(kind, {}).items()}
            for kind in ("crops", "frames", "maps")
        }
        return pictures | {"scene": address(pictures["scene"])} | whole


class NewDetectionSerializer(serializers.Serializer):
    """Images to score, and how."""

    image = serializers.ListField(
        child=serializers.FileField(max_length=255),
        allow_empty=False,
        help_text="One or many photographs (JPEG, PNG, GIF, BMP, PPM, WebP, TIFF, AVIF; HEIC where "
        "the server can) or clips (MP4, MOV, WebM, MKV, AVI, GIF and others); the field is "
        "repeated.",
    )
    faces = serializers.ChoiceField(
        Detection.Faces.choices,
        default=Detection.Faces.FIND,
        help_text="`find`: every person in a photograph or clip is found and judged; `whole`: the "
        "image is a face crop and is scored as it is.",
    )
    explain = serializers.BooleanField(
        default=False,
        help_text="Say where the score of a photograph's most suspicious person came from, as far "
        "as the model passed the exam. Only with faces=find.",
    )
    model = serializers.CharField(
        required=False, help_text="Id or name of a model; by default the server's choice."
    )
    threshold = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        help_text="From this fake_probability on an image is called a deepfake, below it real; "
        "by default the model's own threshold and band decide. Only with faces=whole.",
    )
    layers = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=9999),
        required=False,
        help_text="Convolutional layers to draw, from 0; the field is repeated. Only with "
        "faces=whole.",
    )

    def validate_image(self, images: list[Any]) -> list[Any]:
        """Refuse what is too large unread."""
        if len(images) > conf.MAX_IMAGES:
            raise serializers.ValidationError(f"At most {conf.MAX_IMAGES} images at a time.")
        return images

    def validate_threshold(self, threshold: float) -> float:
        """Refuse what is no number."""
        if not math.isfinite(threshold):
            raise serializers.ValidationError("A valid number is required.")
        return threshold

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuse options that mean nothing where faces are found, or are not looked for."""
        if asked["faces"] == Detection.Faces.FIND:
            wrong = {name: ["It goes with faces=whole only."] for name in ("threshold", "layers")}
            wrong = {name: text for name, text in wrong.items() if asked.get(name) is not None}
            wrong = {name: text for name, text in wrong.items() if asked[name] != []}
            if wrong:
                raise serializers.ValidationError(wrong)
        elif asked["explain"]:
            raise serializers.ValidationError({"explain": ["It goes with faces=find only."]})
        return asked

    def validate_layers(self, layers: list[int]) -> list[int]:
        """Draw each layer once."""
        return list(dict.fromkeys(layers))
