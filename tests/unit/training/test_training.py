import json
import pickle
import warnings
import zipfile

import numpy as np
import pytest
from tests.images import write_class_folders

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.errors import ModelFileError
from mesonet.images.blending import Blending
from mesonet.model_file import load_model
from mesonet.train import decay_schedule, find_best_model, train_model
from mesonet.training import training
from mesonet.training.schedules import cosine_schedule
from mesonet.training_data import hash_images


class Interrupted(Exception):
    pass


class InterruptAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.last = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.last:
            raise Interrupted


@pytest.fixture
def folder(tmp_path):
    return write_class_folders(tmp_path / "data", videos=4, frames=4)


def tiny():
    keras.utils.set_random_seed(1)
    return create_model("meso4", 32, dropout=0.0)


def rates(schedule, steps):
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def test_schedule_of_the_documented_example():
    schedule = decay_schedule(1e-3, 0.1, 1e-6, 30, 16_384, 32)
    assert schedule.decay_steps == 5_120
    steps = [0, 5_119, 5_120, 10_240, 15_359]
    assert rates(schedule, steps) == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5, 1e-5])


def test_a_few_epochs_are_not_over_before_they_have_begun():
    schedule = decay_schedule(1e-3, 0.1, 1e-6, 4, 9_600, 32)
    steps = [0, 399, 400, 799, 800, 1_199]
    assert rates(schedule, steps) == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])


def test_validation_at_chance_is_told():
    with pytest.warns(UserWarning, match=r"no better than chance \(ROC AUC 0\.52"):
        training._warn_at_chance({"val_auc": [0.5, 0.52, 0.48]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training._warn_at_chance({"val_auc": [0.5, 0.9]})
        training._warn_at_chance({"auc": [0.5]})


@pytest.mark.parametrize("epochs", [1, 2, 3, 5, 31])
@pytest.mark.parametrize("samples", [1, 31, 1000])
def test_schedule_works_for_few_epochs_and_images(epochs, samples):
    schedule = decay_schedule(1e-3, 0.1, 1e-6, epochs, samples, 32)
    assert schedule.decay_steps >= 1


@pytest.mark.parametrize(
    ("rate", "limit"), [(0.1, 1e-2), (0.1, 1e-3), (1.0, 1e-6), (1.5, 1e-6), (0.1, 5e-4)]
)
def test_no_step_fits_and_the_rate_stays(rate, limit):
    assert decay_schedule(1e-3, rate, limit, 30, 1000, 32) == 1e-3


@pytest.mark.parametrize("wrong", [(0, 0.1, 1e-6), (1e-3, 0, 1e-6), (1e-3, 0.1, 0)])
def test_rates_must_be_positive(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        decay_schedule(*wrong, 30, 1000, 32)


def test_run_folder_holds_everything(folder, tmp_path):
    history = train_model(
        tiny(), folder, 0.25, 8, epochs=2, groups="video", run_dir=tmp_path / "run", verbose=0
    )
    run = tmp_path / "run"
    assert set(history.history) >= {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert len(history.history["loss"]) == 2
    assert json.loads((run / "history.json").read_text()) == history.history
    assert pickle.loads((run / "history.pkl").read_bytes()) == history.history
    assert (run / "loss_curve.png").read_bytes().startswith(b"\x89PNG")
    assert list((run / "tensorboard").rglob("events.*"))
    model, info = load_model(find_best_model(run))
    assert info.class_names == ("df", "real")
    assert info.preprocessing.size == 32
    seen = info.training_data.overlap(hash_images(sorted(folder.rglob("*.png"))))
    assert info.training_data.sets == (folder.name,)
    assert 0 < seen.found == info.training_data.images < seen.compared  # the rest validates
    assert model.output_shape == (None, 1)


def test_options_switch_files_off(folder, tmp_path):
    run = tmp_path / "run"
    options = {"checkpoint": False, "tensorboard": False, "loss_curve": False}
    train_model(tiny(), folder, epochs=1, run_dir=run, verbose=0, **options)
    assert find_best_model(run) is None
    assert not (run / "tensorboard").exists()
    assert not (run / "loss_curve.png").exists()


def test_cosine_rises_and_falls_to_zero():
    schedule = cosine_schedule(1e-3, 100)
    rates = [float(schedule(step)) for step in range(101)]
    assert rates[0] == pytest.approx(1e-4)
    assert rates.index(max(rates)) == 10
    assert max(rates) == pytest.approx(1e-3)
    assert rates[55] == pytest.approx(5e-4)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "further", [{}, {"weight_averaging": 0.9, "schedule": "cosine", "blending": Blending(1, 0.5)}]
)
def test_interrupted_and_resumed_is_the_same_as_uninterrupted(folder, tmp_path, further):
    def options(run):
        fixed = {"epochs": 4, "run_dir": tmp_path / run, "verbose": 0, "tensorboard": False}
        return {**fixed, **further}

    whole = train_model(tiny(), folder, 0.25, 8, groups="video", **options("whole"))
    with pytest.raises(Interrupted):
        train_model(
            tiny(), folder, 0.25, 8, groups="video", **options("cut"), callbacks=[InterruptAfter(2)]
        )
    resumed = train_model(tiny(), folder, 0.25, 8, groups="video", **options("cut"), resume=True)
    assert resumed.epoch == [0, 1, 2, 3]
    for name, values in whole.history.items():
        assert resumed.history[name] == pytest.approx(values, rel=1e-3, abs=1e-4), name
    best = [load_model(find_best_model(tmp_path / run))[0] for run in ("whole", "cut")]
    for one, other in zip(best[0].get_weights(), best[1].get_weights(), strict=True):
        assert np.allclose(one, other, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_the_average_of_the_weights_is_what_the_model_keeps(folder, tmp_path):
    model = tiny()
    options = {"verbose": 0, "tensorboard": False, "schedule": "cosine"}
    train_model(
        model, folder, None, 8, epochs=2, weight_averaging=1.0, run_dir=tmp_path / "a", **options
    )
    averaged = [weight.numpy() for weight in model.trainable_variables]
    first = [weight.numpy() for weight in tiny().trainable_variables]
    for one, other in zip(averaged, first, strict=True):
        assert np.abs(one - other).max() < 1.1e-3  # it starts after one step and never moves
    again = train_model(
        model,
        folder,
        None,
        8,
        epochs=2,
        weight_averaging=1.0,
        run_dir=tmp_path / "a",
        resume=True,
        **options,
    )
    assert again.epoch == [0, 1]
    for one, other in zip(averaged, model.trainable_variables, strict=True):
        assert np.array_equal(one, other.numpy())  # nothing was left to do


def test_a_run_is_never_overwritten_and_nothing_cannot_be_resumed(folder, tmp_path):
    options = {"epochs": 1, "run_dir": tmp_path / "run", "verbose": 0, "tensorboard": False}
    with pytest.raises(ValueError, match="nothing to resume"):
        train_model(tiny(), folder, **options, resume=True)
    train_model(tiny(), folder, **options)
    with pytest.raises(ValueError, match="holds a run already"):
        train_model(tiny(), folder, **options)


@pytest.mark.slow
def test_early_stopping_counts_epochs_before_the_interruption(folder, tmp_path):
    options = {
        "epochs": 10,
        "run_dir": tmp_path / "run",
        "verbose": 0,
        "tensorboard": False,
        "lr": 1e-12,
        "lr_decay": False,
        "monitor": "loss",
        "mode": "max",
        "patience": 3,
        "use_default_augmentation": False,
    }
    with pytest.raises(Interrupted):
        train_model(tiny(), folder, batch_size=32, **options, callbacks=[InterruptAfter(2)])
    history = train_model(tiny(), folder, batch_size=32, **options, resume=True)
    epochs = len(history.history["loss"])
    assert epochs < 10
    with pytest.warns(UserWarning, match=f"it stopped early, after {epochs} of 10 epochs"):
        again = train_model(tiny(), folder, batch_size=32, **options, resume=True)
    assert len(again.history["loss"]) == epochs


def test_compile_false_trains_a_compiled_model_further(folder, tmp_path):
    model = tiny()
    options = {"epochs": 1, "verbose": 0, "tensorboard": False, "compile": False}
    with pytest.raises(ValueError, match="not compiled"):
        train_model(model, folder, **options, run_dir=tmp_path / "a")
    optimizer = keras.optimizers.SGD(1e-3)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    train_model(model, folder, **options, run_dir=tmp_path / "b")
    assert model.optimizer is optimizer
    assert int(keras.ops.convert_to_numpy(optimizer.iterations)) == 1


def test_bad_arguments(folder, tmp_path):
    with pytest.raises(ValueError, match="epochs"):
        train_model(tiny(), folder, epochs=0, run_dir=tmp_path / "run")
    with pytest.raises(ValueError, match="mode"):
        train_model(tiny(), folder, mode="best", run_dir=tmp_path / "run")
    with pytest.raises(ValueError, match="val_nonsense"):
        train_model(
            tiny(),
            folder,
            0.3,
            groups="video",
            monitor="val_nonsense",
            epochs=1,
            run_dir=tmp_path / "run2",
            verbose=0,
        )


@pytest.mark.slow
def test_a_saved_model_keeps_its_optimizer_for_further_training(folder, tmp_path):
    options = {"verbose": 0, "tensorboard": False, "epochs": 2}
    train_model(tiny(), folder, 0.25, 8, groups="video", run_dir=tmp_path / "a", **options)
    path = find_best_model(tmp_path / "a")
    model, _ = load_model(path, compile=True)
    before = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    assert before > 0
    assert np.abs(keras.ops.convert_to_numpy(model.optimizer.variables[2])).sum() > 0
    history = train_model(
        model, folder, 0.25, 8, groups="video", compile=False, run_dir=tmp_path / "b", **options
    )
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) > before
    assert {"loss", "accuracy", "auc"} <= set(history.history)


def test_training_information_of_a_file_runs_nothing_either(tiny_model, tmp_path):
    with pytest.raises(ModelFileError, match="no optimizer state"):
        load_model(tiny_model, compile=True)
    hostile = tmp_path / "hostile.keras"
    spec = {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"}
    with zipfile.ZipFile(tiny_model) as old, zipfile.ZipFile(hostile, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "config.json":
                config = json.loads(data)
                config["compile_config"] = {"optimizer": spec, "loss": "binary_crossentropy"}
                data = json.dumps(config).encode()
            new.writestr(member, data)
    assert load_model(hostile)[1].architecture == "meso4"
    with pytest.raises(ModelFileError, match="system of os, which is not one of the built-in"):
        load_model(hostile, compile=True)
