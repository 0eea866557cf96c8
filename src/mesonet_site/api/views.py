"""Models and detections."""

from typing import Any

from django.db.models import Count, QuerySet, Sum
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.throttling import BaseThrottle

from classifiers.conf import max_model_bytes
from classifiers.models import MLModel
from mesonet.errors import MediaError
from mesonet_site.api import conf
from mesonet_site.api.base import ApiView
from mesonet_site.api.concurrency import LimitedConcurrency
from mesonet_site.api.lookup import check_layers, check_usable, default_model, find_model
from mesonet_site.api.models import Detection
from mesonet_site.api.pagination import Pages
from mesonet_site.api.parsers import WholeMultiPartParser
from mesonet_site.api.people import check_upload, drop_pictures, kind_of_upload
from mesonet_site.api.permissions import MayDetect
from mesonet_site.api.problems import Busy, Conflict, TooLarge
from mesonet_site.api.scoring import score
from mesonet_site.api.serializers import (
    DetectionSerializer,
    DetectionSummarySerializer,
    ModelSerializer,
    NewDetectionSerializer,
)
from mesonet_site.api.tasks import enqueue
from mesonet_site.api.throttling import AnonymousDetectionThrottle, UserDetectionThrottle


@extend_schema_view(
    list=extend_schema(summary="All models"),
    retrieve=extend_schema(summary="One model with its figures"),
    create=extend_schema(summary="Upload a model, which is then measured (staff)"),
    destroy=extend_schema(summary="Delete a model (staff)"),
)
@extend_schema(tags=["models"])
class ModelViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The models that images can be scored with."""

    queryset = MLModel.objects.all()
    serializer_class = ModelSerializer
    pagination_class = Pages
    parser_classes = (WholeMultiPartParser,)
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f-]{36}"

    @property
    def max_request_bytes(self) -> int:
        """Most bytes of a request: a model file may come with it."""
        return super().max_request_bytes + max_model_bytes()

    def get_success_headers(self, data: Any) -> dict[str, str]:
        """Say where the new model is."""
        return {"Location": reverse("mesonet:model-detail", (data["id"],), request=self.request)}


@extend_schema_view(
    list=extend_schema(summary="Your detections", responses=DetectionSummarySerializer(many=True)),
    retrieve=extend_schema(summary="One detection with its results"),
    destroy=extend_schema(summary="Delete a detection, and cancel it if it still runs"),
)
@extend_schema(tags=["detections"])
class DetectionViewSet(
    LimitedConcurrency,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Images that are scored.

    Who knows the id of a detection that was made without logging in may see and delete it;
    that of a user only they and staff may.
    """

    limited_actions = ("create",)
    queryset = Detection.objects.all()
    serializer_class = DetectionSerializer
    pagination_class = Pages
    permission_classes = (MayDetect,)
    parser_classes = (WholeMultiPartParser,)
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f-]{36}"

    def get_throttles(self) -> list[BaseThrottle]:
        """Count detections apart from reading."""
        if self.action == "create":
            return [AnonymousDetectionThrottle(), UserDetectionThrottle()]
        return super().get_throttles()

    def get_queryset(self) -> QuerySet:
        """What the user may see."""
        user, everything = self.request.user, super().get_queryset()
        if user.is_staff:
            return everything
        own = everything.filter(owner=user.pk) if user.is_authenticated else everything.none()
        if self.action == "list":
            return own
        return own | everything.filter(owner=None)

    def get_serializer_class(self) -> type[Any]:
        """Leave the results out of the list."""
        if self.action == "list":
            return DetectionSummarySerializer
        return DetectionSerializer

    @extend_schema(
        summary="Check photographs and clips, or score face crops",
        description="A few photographs are answered at once; with many, with a clip, or with "
        "layers to draw, the answer is 202 and the results come at the address that `Location` "
        "names. 503 says that the server has too much to do, and `Retry-After` when to try again.",
        request=NewDetectionSerializer,
        responses={201: DetectionSerializer, 202: DetectionSerializer},
    )
    def create(self, request: Request) -> Response:
        """Score images now or later."""
        serializer = NewDetectionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        images = asked["image"]
        find = asked["faces"] == Detection.Faces.FIND
        at_once = _check_uploads(images, find)
        model = _choose_model(asked.get("model"))
        layers = asked.get("layers", [])
        check_layers(model, layers)
        _check_plots(len(images) * len(layers))
        info = model.get_info()
        detection = Detection(
            owner=request.user if request.user.is_authenticated else None,
            model=model,
            model_name=model.model_name,
            threshold=asked.get("threshold", info.threshold),
            band=None if "threshold" in asked else info.band,
            layers=layers,
            faces=asked["faces"],
            explain=asked["explain"],
            names=[image.name for image in images],
            images=len(images),
        )
        if at_once and len(images) <= conf.SYNC_IMAGES and not layers:
            try:
                _score_now(detection, images)
            except BaseException:
                drop_pictures(detection.pictures)
                raise
            status, headers = 201, {}
        else:
            _score_later(detection, images)
            status, headers = 202, {"Retry-After": "1"}
        headers["Location"] = reverse("mesonet:detection-detail", (detection.id,), request=request)
        return Response(self.get_serializer(detection).data, status, headers=headers)

    @extend_schema(
        summary="Stop a detection; the results so far stay",
        request=None,
        responses={200: DetectionSerializer, 409: OpenApiResponse(description="It is finished")},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **_: Any) -> Response:
        """Stop a detection that waits or runs."""
        detection = self.get_object()
        unfinished = Detection.objects.filter(pk=detection.pk, state__in=Detection.UNFINISHED)
        if not unfinished.update(state=Detection.State.CANCELLED):
            raise Conflict(f"The detection is {detection.state} already.")
        detection.drop_images()
        detection.refresh_from_db()
        return Response(self.get_serializer(detection).data)


def _check_uploads(images: list[Any], find: bool) -> bool:
    """Refuse what is too large, or all if nothing can be used; False where a clip is among them."""
    largest = max(conf.MAX_IMAGE_BYTES, conf.MAX_CLIP_BYTES if find else 0)
    for image in images:
        _check_size(image, largest, "file")
    if not find:
        return True
    kinds, errors = [], {}
    for index, image in enumerate(images):
        try:
            kinds.append(kind_of_upload(image, image.name))
        except MediaError as error:
            errors[index] = error.reason
        else:
            if kinds[-1] == "photo":
                _check_size(image, conf.MAX_IMAGE_BYTES, "image")
    if not kinds:
        raise ValidationError({"image": errors})
    return "clip" not in kinds


def _check_size(image: Any, allowed: int, what: str) -> None:
    if image.size > allowed:
        raise TooLarge(
            f"{image.name} has {image.size:,} bytes; at most {allowed:,} are allowed for "
            f"{'an image' if what == 'image' else 'a file'}."
        )


def _check_plots(count: int) -> None:
    if count > conf.MAX_PLOTS:
        raise TooLarge(f"{count} plots are asked for; at most {conf.MAX_PLOTS} are drawn.")


def _choose_model(wanted: str | None) -> MLModel:
    if wanted is not None:
        return check_usable(find_model(wanted))
    model = default_model()
    if model is None:
        name = conf.DEFAULT_MODEL
        raise Conflict(f"The server has no model {name!r}." if name else "There is no model yet.")
    return check_usable(model)


def _score_now(detection: Detection, images: list[Any]) -> None:
    if detection.faces == Detection.Faces.FIND:
        results = [
            check_upload(
                *(detection.model, image, image.name, detection.pictures, index),
                explain=detection.explain,
            )
            for index, image in enumerate(images)
        ]
        errors = {i: r["notes"][-1] for i, r in enumerate(results) if r["kind"] is None}
    else:
        named = [(image.name, image) for image in images]
        results = score(
            detection.model, named, detection.threshold, detection.layers, detection.band
        )
        errors = {i: r["error"] for i, r in enumerate(results) if r["error"]}
    if len(errors) == len(images):
        raise ValidationError({"image": errors})
    detection.results, detection.processed = results, len(results)
    detection.state = Detection.State.DONE
    detection.save(force_insert=True)


def _score_later(detection: Detection, images: list[Any]) -> None:
    detection.stored_bytes = sum(image.size for image in images)
    _check_room(detection)
    detection.keep_images(images)
    try:
        detection.save(force_insert=True)
    except BaseException:
        detection.delete_images()
        raise
    try:
        enqueue(detection)
    except BaseException:
        detection.delete()
        raise
    detection.refresh_from_db()


def _check_room(detection: Detection) -> None:
    """Refuse a detection for which the queue has no room.

    People who are not logged in fill it to one half only.

    Raises:
        Busy: too many detections wait, or too many bytes of images.
    """
    waiting = Detection.objects.filter(state__in=Detection.UNFINISHED)
    jobs, stored = waiting.aggregate(jobs=Count("id"), stored=Sum("stored_bytes")).values()
    share = 1 if detection.owner else 2
    if jobs + 1 > conf.MAX_JOBS // share:
        raise Busy("Too many detections wait already; try again in a minute.", wait=60)
    if (stored or 0) + detection.stored_bytes > conf.MAX_STORED_BYTES // share:
        raise Busy("Too many images wait already; try again in a minute.", wait=60)
