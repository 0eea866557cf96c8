"""Settings of a training, and their form in files."""

import inspect
import json
from dataclasses import fields

import pytest

from mesonet.errors import ArgumentError
from mesonet.images.blending import Blending
from mesonet.train import train_model
from mesonet.training.settings import TrainingSettings


def test_what_is_written_is_read_again():
    settings = TrainingSettings(
        epochs=3,
        groups="video",
        augmentations={"channel_jitter_range": 25},
        blending=Blending(0.25),
        schedule="cosine",
    )
    content = json.loads(json.dumps(settings.to_dict()))
    read = TrainingSettings.from_dict(content)
    assert read.blending.share == 0.25
    assert json.loads(json.dumps(read.to_dict())) == content
    assert TrainingSettings.from_dict({}) == TrainingSettings()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 3, "rate": 1}, "no training setting epoch, rate"),
        ({"epochs": 0}, "at least 1"),
        ({"mode": "best"}, "auto, min or max"),
        ({"schedule": "linear"}, "steps or cosine"),
    ],
)
def test_mistakes(content, message):
    with pytest.raises(ArgumentError, match=message):
        TrainingSettings.from_dict(content)


def test_train_model_has_the_same_settings_and_defaults():
    parameters = inspect.signature(train_model).parameters
    assert {field.name: parameters[field.name].default for field in fields(TrainingSettings)} == {
        field.name: field.default for field in fields(TrainingSettings)
    }
