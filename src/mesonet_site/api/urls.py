"""Addresses of the API; a project includes them where it likes, such as below ``/api/``."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from mesonet_site.api import health, reference, views

app_name = "mesonet"

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("models", views.ModelViewSet, "model")
router.register("detections", views.DetectionViewSet, "detection")

urlpatterns = [
    path("dataset-size/", reference.DatasetSize.as_view()),
    path("available-models/", reference.AvailableModels.as_view()),
    path("predictions/<uuid:model_id>/<int:images>/", reference.Predictions.as_view()),
    path(
        "predictions/<uuid:model_id>/<int:images>/<str:layers>/",
        reference.PredictionsWithPlots.as_view(),
    ),
    path("v1/", include(router.urls)),
    re_path(r"^v1/livez/?$", health.Live.as_view()),
    re_path(r"^v1/readyz/?$", health.Ready.as_view()),
    re_path(r"^v1/version/?$", health.Version.as_view()),
]
