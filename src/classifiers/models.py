"""Trained detectors in the database."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, ClassVar

import numpy as np
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.validators import MaxValueValidator
from django.db import DatabaseError, models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from classifiers import conf
from classifiers.drawing import draw
from classifiers.loading import get_detector, local_copy
from classifiers.signals import measurement_wanted
from classifiers.storage import content_hash, delete_on_commit, extension, model_storage
from classifiers.validators import validate_model_file
from mesonet.detector import Detector
from mesonet.model_info import ModelInfo

if TYPE_CHECKING:
    import keras

MEASURED_FIELDS = (
    *("accuracy", "clr", "curves", "conv_layers", "info"),
    *("state", "progress", "message"),
)
"""What a measurement fills in."""


def _model_filename(instance: "MLModel", filename: str) -> str:
    return instance.get_model_filename(filename)


def _loss_curve_filename(instance: "MLModel", filename: str) -> str:
    return instance.get_loss_curve_filename(filename)


class MLModel(models.Model):
    """A trained MesoNet variant.

    Saving one with a new file returns at once; a background task then measures it on the images
    of ``DATA_ROOT`` and fills in accuracy, report and convolutional layers. In this class a
    probability is that of class 1, the alphabetically last class folder, normally ``real``.
    """

    class State(models.TextChoices):
        """How far the measurement of a model is."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    root = "trained_models"
    loss_root = "loss_curves"
    plot_root = "plots"
    help_texts: ClassVar[dict[str, str]] = {
        "model_name": "A short name that people will choose the model by",
        "model_desc": "One sentence that helps people to choose",
        "model_file": "The trained model, an HDF5 or .keras file",
        "loss_curve": "A picture of the loss during training",
        "accuracy": "Share of the dataset's images that the model gets right, in percent",
        "clr": "Precision, recall and F1 of each class of the dataset",
        "curves": "Confusion matrix, ROC curve and reliability on the dataset's images",
        "info": "Threshold, band and all else that the model file says of the model",
        "conv_layers": "Number and size of the filters of each convolutional layer",
    }

    model_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_name = models.CharField(
        "name", max_length=30, unique=True, help_text=help_texts["model_name"]
    )
    model_desc = models.CharField("description", max_length=200, help_text=help_texts["model_desc"])
    model_file = models.FileField(
        "model file",
        upload_to=_model_filename,
        storage=model_storage,
        validators=[validate_model_file],
        help_text=help_texts["model_file"],
    )
    loss_curve = models.ImageField(
        upload_to=_loss_curve_filename, blank=True, help_text=help_texts["loss_curve"]
    )
    accuracy = models.FloatField(null=True, editable=False, help_text=help_texts["accuracy"])
    clr = models.JSONField(
        "classification report", null=True, editable=False, help_text=help_texts["clr"]
    )
    curves = models.JSONField(null=True, editable=False, help_text=help_texts["curves"])
    conv_layers = models.JSONField(
        "convolutional layers", null=True, editable=False, help_text=help_texts["conv_layers"]
    )

    info = models.JSONField(
        "what it says of itself", null=True, editable=False, help_text=help_texts["info"]
    )
    model_hash = models.CharField("SHA-256", max_length=64, editable=False, db_index=True)
    state = models.CharField(
        max_length=7, choices=State.choices, default=State.WAITING, editable=False
    )
    progress = models.PositiveSmallIntegerField(
        default=0, editable=False, validators=[MaxValueValidator(100)]
    )
    message = models.CharField(max_length=500, blank=True, editable=False)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("uploaded_at", "model_id")
        verbose_name = "detector"

    def __str__(self) -> str:
        return self.model_name

    @property
    def usable(self) -> bool:
        """Whether a worker has loaded the file once and found a detector in it."""
        return self.conv_layers is not None

    # Files

    def get_model_filename(self, filename: str) -> str:
        """Name of the model file below ``MODEL_FOLDER``, such as ``trained_models/model_1.h5``.

        Args:
            filename: the name it was uploaded under, of which only the extension is kept.
        """
        return f"{self.root}/{self._snake_case_name()}{extension(filename)}"

    def get_loss_curve_filename(self, filename: str) -> str:
        """Name of the loss curve below the media folder: ``loss_curves/model_1_curve.png``.

        Args:
            filename: the name it was uploaded under, of which only the extension is kept.
        """
        return f"{self.loss_root}/{self._snake_case_name()}_curve{extension(filename)}"

    def _snake_case_name(self) -> str:
        return slugify(self.model_name).replace("-", "_") or self.model_id.hex

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Store the model; when its file is new, have it measured. Old files are dropped."""
        names = type(self).objects.filter(pk=self.pk).values_list("model_file", "loss_curve")
        stored, curve = names.first() or ("", "")
        new = stored != self.model_file.name or not self.model_file._committed
        if update_fields is not None:
            new = new and "model_file" in update_fields
            if new:
                update_fields = {*update_fields, *MEASURED_FIELDS, "model_hash"}
        if new:
            self._forget_figures()
        try:
            with transaction.atomic():
                super().save(*args, update_fields=update_fields, **kwargs)
                if new:
                    transaction.on_commit(self.measure)
                    delete_on_commit(self.model_file, stored, unless=self.model_file.name)
                if update_fields is None or "loss_curve" in update_fields:
                    delete_on_commit(self.loss_curve, curve, unless=self.loss_curve.name)
        except DatabaseError:
            for file, name in ((self.model_file, stored), (self.loss_curve, curve)):
                if file and file._committed and file.name != name:
                    file.storage.delete(file.name)  # nothing knows of it
            raise

    def _forget_figures(self) -> None:
        self.accuracy = self.clr = self.curves = self.conv_layers = self.info = None
        self.state, self.progress, self.message = self.State.WAITING, 0, ""
        self.model_hash = content_hash(self.model_file)
        self.__dict__.pop("_loaded_model", None)

    def measure(self) -> None:
        """Queue the measurement; without a background worker, do it now."""
        type(self).objects.filter(pk=self.pk).update(state=self.State.WAITING, progress=0)
        measurement_wanted.send(type(self), model_id=str(self.pk))
        self.refresh_from_db(fields=MEASURED_FIELDS)

    # Predictions

    def get_detector(self) -> Detector:
        """The detector in the model's file, loaded once per process.

        Raises:
            mesonet.errors.ModelFileError: the file is broken, is no model, or brings code.
        """
        return get_detector(self.model_hash, self.model_file)

    def get_info(self) -> ModelInfo:
        """What has to be known about the model; loads no network once it was measured.

        Raises:
            mesonet.errors.ModelFileError: the file is broken, is no model, or brings code.
        """
        if self.info is None:  # measured before this was kept
            self.info = self.get_detector().info.to_dict()
            type(self).objects.filter(pk=self.pk).update(info=self.info)
        return ModelInfo.from_dict(self.info)

    def get_loaded_model(self) -> "keras.Model":
        """The Keras model, loaded as data: nothing that the file brings is run.

        Raises:
            mesonet.errors.ModelFileError: the file is broken, is no model, or brings code.
        """
        if not hasattr(self, "_loaded_model"):
            self._loaded_model = self.get_detector().network
        return self._loaded_model

    def predict(
        self, data: Any, steps: int | None = None, threshold: float = 0.5
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Predict probabilities and classes; see `mesonet.model.predict`.

        Args:
            data: whatever Keras' ``predict`` takes.
            steps: number of batches, by default all.
            threshold: smallest probability, 0..1, that counts as class 1.

        Returns:
            Probabilities of class 1 and classes 0 or 1, both of shape ``(n, 1)``.
        """
        from mesonet.model import predict

        return predict(self.get_loaded_model(), data, steps, threshold)

    def get_activation_model(self, conv_idx: Sequence[int]) -> "keras.Model":
        """A model that gives the outputs of convolutional layers.

        Args:
            conv_idx: indices of the layers, from 0, in the order wanted.

        Raises:
            ValueError: no index is given, or one that the model has not.
        """
        from mesonet.model import get_activation_model

        return get_activation_model(self.get_loaded_model(), conv_idx)

    def visualize_conv_layers(
        self, imgs: NDArray[np.floating], conv_idx: Sequence[int]
    ) -> Iterator[list[str]]:
        """Draw what convolutional layers make of images.

        A plot is named by the content of its image and model, so that it is drawn once however
        often it is asked for.

        Args:
            imgs: prepared images, shape ``(n, height, width, 3)``.
            conv_idx: indices of the layers, from 0, in the order wanted.

        Yields:
            For each image a list with the URL of one plot per layer.

        Raises:
            ValueError: no index is given, or one that the model has not.
        """
        activation_model = self.get_activation_model(conv_idx)
        for image in imgs:
            seed = self._plot_seed(image)
            if urls := self._stored_plots(seed, conv_idx):
                yield urls
                continue
            outputs = activation_model.predict(image[None], verbose=0)
            outputs = [outputs] if len(conv_idx) == 1 else outputs
            yield self._visualize_conv_layers_single_img(outputs, conv_idx, seed)

    def visualize_elsewhere(
        self, imgs: NDArray[np.floating], conv_idx: Sequence[int]
    ) -> list[list[str]]:
        """As `visualize_conv_layers`, but in a process of its own, which web servers have need of.

        With ``CLASSIFIERS_DRAW_SECONDS`` 0 it is done here.

        Raises:
            mesonet.errors.ModelFileError: the file is refused.
            TimeoutError: it takes longer than ``CLASSIFIERS_DRAW_SECONDS``.
        """
        if not conf.draw_seconds():
            return list(self.visualize_conv_layers(imgs, conv_idx))
        seeds = [self._plot_seed(image) for image in imgs]
        stored = [self._stored_plots(seed, conv_idx) for seed in seeds]
        missing = [index for index, urls in enumerate(stored) if not urls]
        if missing:
            with local_copy(self.model_file) as path:
                drawn = draw(path, imgs[missing], conv_idx, conf.draw_seconds())
            for index, pictures in zip(missing, drawn, strict=True):
                stored[index] = [
                    self.save_plot(BytesIO(picture), seeds[index], layer)
                    for picture, layer in zip(pictures, conv_idx, strict=True)
                ]
        return stored

    def _plot_seed(self, image: NDArray[np.floating]) -> str:
        content = np.ascontiguousarray(image, np.float32).tobytes()
        digest = hashlib.sha256(self.model_hash.encode() + content).hexdigest()
        return f"plot_img{digest[:24]}"

    def _stored_plots(self, seed: str, conv_idx: Sequence[int]) -> list[str]:
        """Where the plots are, or nothing where one is missing."""
        names = [self._plot_name(seed, index) for index in conv_idx]
        if not all(default_storage.exists(name) for name in names):
            return []
        return [default_storage.url(name) for name in names]

    @classmethod
    def _visualize_conv_layers_single_img(
        cls,
        activations: Sequence[NDArray[np.floating]],
        conv_idx: Sequence[int],
        filename_seed: str,
    ) -> list[str]:
        """Draw and save the layers of one image and return the URLs of the plots.

        Args:
            activations: one array of shape ``(height, width, filters)`` or
                ``(1, height, width, filters)`` per layer.
            conv_idx: their indices.
            filename_seed: how the names of the plots begin.
        """
        from mesonet.visualization import plot_layer

        urls = []
        for activation, index in zip(activations, conv_idx, strict=True):
            picture = BytesIO()
            plot_layer(activation.reshape(activation.shape[-3:]), index).savefig(
                picture, format="png", metadata={"Software": None}
            )
            urls.append(cls.save_plot(picture, filename_seed, index))
        return urls

    @classmethod
    def save_plot(cls, f: IO[bytes], filename_seed: str, idx: int = 0) -> str:
        """Save a plot as ``<plot_root>/<filename_seed>_conv<idx>.png``.

        The same plot is saved once; another one of the same name gets an addition to it.

        Args:
            f: the picture, a binary file.
            filename_seed: how the name begins.
            idx: index of the layer, from 0.

        Returns:
            The URL of the plot.
        """
        f.seek(0)
        content = f.read()
        name = cls._plot_name(filename_seed, idx)
        if default_storage.exists(name):
            with default_storage.open(name) as existing:
                if existing.read() == content:
                    return default_storage.url(name)
        return default_storage.url(default_storage.save(name, File(BytesIO(content))))

    @classmethod
    def _plot_name(cls, filename_seed: str, idx: int) -> str:
        return f"{cls.plot_root}/{filename_seed}_conv{idx}.png"


class Worker(models.Model):
    """A background worker's sign of life."""

    worker_id = models.CharField(primary_key=True, max_length=64)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker_id


@receiver(post_delete, sender=MLModel)
def _delete_files(instance: MLModel, **_: Any) -> None:
    for file in (instance.model_file, instance.loss_curve):
        delete_on_commit(file, file.name)
