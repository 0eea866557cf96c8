"""The three endpoints of the reference API, unchanged in path and shape."""

import re
import threading
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from classifiers.models import MLModel
from classifiers.serializers import MLModelSerializer, PredictionSerializer
from classifiers.utils import get_dataset_size, get_predictions
from mesonet.errors import DataError
from mesonet_site.api import conf
from mesonet_site.api.base import ApiView
from mesonet_site.api.concurrency import LimitedConcurrency
from mesonet_site.api.lookup import check_layers, check_usable, find_model
from mesonet_site.api.problems import Busy, Conflict

_drawing = threading.Semaphore(1)
_LAYERS = re.compile(r"^([0-9]{1,4}(,[0-9]{1,4})+|[0-9]{1,100})\Z")
_IMAGES = OpenApiParameter(
    "images",
    {"type": "integer", "minimum": 1, "maximum": conf.MAX_IMAGES},
    OpenApiParameter.PATH,
    description="How many images.",
)


class OrderSerializer(serializers.Serializer):
    """Which images are drawn."""

    seed = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**32 - 1,
        help_text="Draw from a fixed order, the same for each model; near its end, and where "
        "images cannot be read, there are fewer.",
    )
    skip = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=2**31 - 1,
        help_text="How many images of that order to pass over; without a seed it has no effect.",
    )


class DatasetSize(ApiView):
    """The labelled images that the server has."""

    @extend_schema(
        tags=["reference"],
        responses=inline_serializer("DatasetSize", {"size": serializers.IntegerField()}),
    )
    def get(self, request: Request) -> Response:
        """How many labelled images there are."""
        try:
            return Response({"size": get_dataset_size()})
        except DataError as error:
            raise NotFound(f"No images: {error}.") from None


class AvailableModels(ApiView):
    """The models, as the reference shows them."""

    @extend_schema(tags=["reference"], responses=MLModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All models with their figures."""
        models = MLModelSerializer(MLModel.objects.all(), many=True, context={"request": request})
        return Response(models.data)


class Predictions(LimitedConcurrency):
    """Predictions of random labelled images."""

    limited_actions = ("GET",)

    @extend_schema(
        tags=["reference"],
        operation_id="predictions",
        parameters=[_IMAGES, OrderSerializer],
        responses=PredictionSerializer(many=True),
    )
    def get(self, request: Request, model_id: UUID, images: int) -> Response:
        """Predict random labelled images."""
        return _predict(request, model_id, images, [])


class PredictionsWithPlots(LimitedConcurrency):
    """Predictions of random labelled images, with plots."""

    limited_actions = ("GET",)

    @extend_schema(
        tags=["reference"],
        operation_id="predictions_with_plots",
        parameters=[
            _IMAGES,
            OrderSerializer,
            OpenApiParameter(
                "layers",
                str,
                OpenApiParameter.PATH,
                description="Convolutional layers to draw, from 0: `02`, or `0,12`.",
                pattern="^([0-9]{1,4}(,[0-9]{1,4})+|[0-9]{1,100})$",
            ),
        ],
        responses=PredictionSerializer(many=True),
    )
    def get(self, request: Request, model_id: UUID, images: int, layers: str) -> Response:
        """Predict random labelled images and draw layers of the network."""
        if not _LAYERS.match(layers):
            raise ValidationError({"layers": "Name layers by their numbers, such as 02 or 0,12."})
        conv_idx = [int(index) for index in (layers.split(",") if "," in layers else layers)]
        return _predict(request, model_id, images, list(dict.fromkeys(conv_idx)))


def _predict(request: Request, model_id: UUID, images: int, conv_idx: list[int]) -> Response:
    model = check_usable(find_model(model_id))
    if not 1 <= images <= conf.MAX_IMAGES:
        raise ValidationError({"images": f"Ask for 1 to {conf.MAX_IMAGES} images."})
    check_layers(model, conv_idx)
    order = OrderSerializer(data=request.query_params)
    order.is_valid(raise_exception=True)
    if images * len(conv_idx) > conf.MAX_PLOTS:
        raise ValidationError({"layers": f"At most {conf.MAX_PLOTS} plots are drawn."})
    if conv_idx and not _drawing.acquire(timeout=conf.SCORE_WAIT_SECONDS):
        raise Busy
    try:
        predictions = get_predictions(model, images, conv_idx, **order.validated_data)
    except DataError as error:
        raise NotFound(f"No images: {error}.") from None
    except ValueError as error:
        raise Conflict(f"{error}.") from None
    except TimeoutError:
        raise Busy("The layers could not be drawn in time; ask for fewer, or later.") from None
    finally:
        if conv_idx:
            _drawing.release()
    serializer = PredictionSerializer(predictions, many=True, context={"request": request})
    return Response(serializer.data)
