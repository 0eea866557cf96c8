"""Detections in Django's admin, to look at."""

from typing import Any

from django.contrib import admin

from mesonet_site.api.models import Detection


@admin.register(Detection)
class DetectionAdmin(admin.ModelAdmin):
    """Read and delete detections."""

    list_display = ("id", "created_at", "owner", "model_name", "images", "processed", "state")
    list_filter = ("state", "model_name")
    list_select_related = ("owner",)

    def has_add_permission(self, *_: Any) -> bool:
        """Detections come by the API."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Detections stay as they are."""
        return False
