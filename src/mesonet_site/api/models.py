"""Detections: images that somebody has sent, and what a model says of them."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.db import models, transaction
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from classifiers.models import MLModel
from mesonet_site.api.people import drop_pictures
from mesonet_site.api.storage import upload_storage


class Detection(models.Model):
    """One request to score images. A few are scored at once, many in the background.

    Images are stored only while background tasks need them, small pictures of what was found in
    them as long as the detection, in a folder that cannot be guessed. ``results`` has a record for
    each image, or None where it is not done; `record` fills it in, whichever worker is first.
    ``frames_done`` of ``frames`` have been looked at in a clip that is being checked.
    """

    class State(models.TextChoices):
        """How far a detection is."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

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

    def record(self, found: Mapping[int, dict[str, Any]]) -> bool:
        """Keep what was found of some images, unless another worker has done so already.

        With the last one the detection is done.

        Args:
            found: the record of each image by its number, from 0.

        Returns:
            False if the detection had come to an end before, so that nothing was kept.
        """
        with transaction.atomic():
            running = type(self).objects.filter(pk=self.pk, state=self.State.RUNNING)
            stored = running.select_for_update().first()
            if stored is None:
                return False
            results = stored.results + [None] * (stored.images - len(stored.results))
            new = {index: record for index, record in found.items() if results[index] is None}
            for index, record in new.items():
                results[index] = record
            processed = len(results) - results.count(None)
            state = self.State.DONE if processed == stored.images else self.State.RUNNING
            running.update(
                results=results,
                processed=processed,
                state=state,
                frames_done=0,
                frames=0,
            )
            Total.add("images", len(new))
        return True

    def keep_images(self, images: Sequence[File]) -> None:
        """Store the images under names of our own; all of them, or none."""
        try:
            for index, image in enumerate(images):
                upload_storage().save(self._upload(index), image)
        except BaseException:
            self.delete_images()
            raise

    def open_image(self, index: int) -> BinaryIO:
        """Open a stored image."""
        return upload_storage().open(self._upload(index), "rb")

    def delete_images(self) -> None:
        """Delete the stored images; the database is left alone."""
        storage = upload_storage()
        for index in range(self.images):
            storage.delete(self._upload(index))
        storage.delete(f"{self.id}")

    def drop_images(self) -> None:
        """Delete the stored images, which make room for others."""
        self.delete_images()
        type(self).objects.filter(pk=self.pk).update(stored_bytes=0)

    def _upload(self, index: int) -> str:
        return f"{self.id}/{index}"


class Total(models.Model):
    """Something that was counted since the database was made, and only grows."""

    name = models.CharField(primary_key=True, max_length=30)
    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

    @classmethod
    def add(cls, name: str, count: int) -> None:
        """Count some more."""
        if not cls.objects.filter(pk=name).update(value=F("value") + count):
            cls.objects.bulk_create([cls(name=name)], ignore_conflicts=True)
            cls.objects.filter(pk=name).update(value=F("value") + count)

    @classmethod
    def of(cls, name: str) -> int:
        """How many there were."""
        return cls.objects.filter(pk=name).values_list("value", flat=True).first() or 0


@receiver(post_delete, sender=Detection)
def _drop_images(instance: Detection, **_: Any) -> None:
    instance.drop_images()
    drop_pictures(instance.pictures)
