"""Detections: images that somebody has sent, and what a model says of them."""

import secrets
import uuid
from collections.abc import Sequence
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver

from classifiers.models import MLModel
from mesonet_site.api.people import drop_pictures


class Detection(models.Model):
    """One request to score images. A few are scored at once, many in the background.

    Images are stored only while a background task needs them, small pictures of what was found in
    them as long as the detection, in a folder that cannot be guessed. ``results`` grows with
    ``processed`` and both are written together, so that a task that was broken off goes on
    where it was. ``frames_done`` of ``frames`` have been looked at in the clip that is being
    checked.
    """

    class State(models.TextChoices):
        """How far a detection is."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Faces(models.TextChoices):
        """What is scored of an image."""

        FIND = "find"
        WHOLE = "whole"

    UNFINISHED = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, editable=False)
    model = models.ForeignKey(MLModel, models.SET_NULL, null=True, editable=False)
    model_name = models.CharField(max_length=30)
    threshold = models.FloatField()
    band = models.JSONField(null=True)
    layers = models.JSONField(default=list)
    names = models.JSONField(default=list)
    faces = models.CharField(max_length=5, choices=Faces.choices, default=Faces.WHOLE)
    pictures = models.CharField(max_length=43, default=secrets.token_urlsafe, editable=False)
    images = models.PositiveIntegerField()
    processed = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=list)
    explain = models.BooleanField(default=False)
    frames = models.PositiveIntegerField(default=0)
    frames_done = models.PositiveIntegerField(default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-created_at", "id")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def progress(self) -> int:
        """Share of the images that are scored, in percent; a clip counts by its frames."""
        part = self.frames_done / self.frames if self.frames else 0.0
        return int(100 * min(self.processed + part, self.images) / self.images)

    def keep_images(self, images: Sequence[File]) -> None:
        """Store the images under names of our own; all of them, or none."""
        try:
            for index, image in enumerate(images):
                storages["uploads"].save(self._upload(index), image)
        except BaseException:
            self.drop_images()
            raise

    def open_image(self, index: int) -> BinaryIO:
        """Open a stored image."""
        return storages["uploads"].open(self._upload(index), "rb")

    def drop_images(self) -> None:
        """Delete the stored images."""
        type(self).objects.filter(pk=self.pk).update(stored_bytes=0)
        storage = storages["uploads"]
        for index in range(self.images):
            storage.delete(self._upload(index))
        storage.delete(f"{self.id}")

    def _upload(self, index: int) -> str:
        return f"{self.id}/{index}"


@receiver(post_delete, sender=Detection)
def _drop_images(instance: Detection, **_: Any) -> None:
    instance.drop_images()
    drop_pictures(instance.pictures)
