"""Models and predictions as plain types."""

from typing import Any

from rest_framework import serializers

from classifiers.models import MLModel


class MLModelSerializer(serializers.HyperlinkedModelSerializer):
    """All documented fields of a model; its file is taken but never given out."""

    class Meta:
        model = MLModel
        fields = (
            "model_id",
            "model_name",
            "model_desc",
            "model_file",
            "loss_curve",
            "accuracy",
            "clr",
            "conv_layers",
        )
        extra_kwargs = {"model_file": {"write_only": True}}  # noqa: RUF012


class AbsoluteURLField(serializers.URLField):
    """A URL, absolute where the serializer knows the request, as those of other files are."""

    def to_representation(self, value: Any) -> str:
        """Complete the URL with the request's scheme and host."""
        request = self.context.get("request")
        return str(request.build_absolute_uri(value) if request else value)


class PredictionSerializer(serializers.Serializer):
    """A `classifiers.utils.Prediction`."""

    img_url = AbsoluteURLField()
    true_label = serializers.CharField(max_length=20)
    pred_label = serializers.CharField(max_length=20)
    probability = serializers.FloatField()
    plots = serializers.ListField(child=AbsoluteURLField())
