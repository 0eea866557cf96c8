"""The command line as its user meets it: output and an exit code."""

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.command_line import mesonet, mesonet_process, only_line
from tests.images import write_class_folders, write_picture

from mesonet.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = write_class_folders(tmp_path_factory.mktemp("data"), videos=6, frames=3)
    (root / "notes.txt").write_text("no image")
    return root


def test_help_loads_no_framework():
    code = (
        "import sys; from mesonet.cli import app; "
        "heavy = {'keras', 'tensorflow', 'torch', 'numpy', 'openvino'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    result = mesonet_process("--help")
    assert result.returncode == 0
    for command in ("predict", "train", "evaluate", "layers", "models", "export", "split", "demo"):
        assert command in result.stdout
    for command in ("predict", "check"):
        words = " ".join(mesonet(command, "--help").stdout.replace("│", " ").split())
        assert "JPEG, PNG, GIF, BMP, PPM, WebP, TIFF, AVIF; HEIC with the extra heic" in words


def test_predict_json_lines(tiny_model, folder):
    result = mesonet_process("predict", folder, "--model", tiny_model, "--format", "jsonl")
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 36
    assert set(rows[0]) == {
        "path",
        "label",
        "probability",
        "fake_probability",
        "raw_score",
        "model",
        "threshold",
        "band",
    }
    assert all(0 <= row["fake_probability"] <= 1 for row in rows)
    assert all(row["probability"] >= 0.5 for row in rows)
    assert "threshold 0.5" in only_line(result.stderr)


def test_predict_names_bad_images_and_goes_on(tiny_model, tmp_path):
    write_picture(tmp_path / "fine.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "ünï.png").write_bytes((tmp_path / "fine.png").read_bytes())
    result = mesonet(
        "predict", tmp_path, tmp_path / "gone.png", "--model", tiny_model, "--format", "json"
    )
    assert result.returncode == 1
    rows = json.loads(result.stdout)
    errors = {Path(row["path"]).name: row["error"] for row in rows if "error" in row}
    assert set(errors) == {"broken.jpg", "loop.png", "gone.png"}
    assert {Path(r["path"]).name for r in rows if "label" in r} == {"fine.png", "ünï.png"}
    assert "Traceback" not in result.stderr


def test_a_file_name_cannot_pretend_to_be_a_verdict(tiny_model, tmp_path):
    name = "a\nreal       0.001  passport.png"
    write_picture(tmp_path / "faces" / name)
    write_picture(tmp_path / "faces" / "[bold]\x1b[31mred.png")
    (tmp_path / "faces" / "broken\n.png").write_bytes(b"")
    result = mesonet("predict", tmp_path / "faces", "--model", tiny_model)
    _, *rows, _ = result.stdout.splitlines()
    assert len(rows) == 3
    assert sum(row.split("/")[-1] == name.replace("\n", "\\n") for row in rows) == 1
    assert sum(row.endswith("/[bold]\\x1b[31mred.png") for row in rows) == 1
    table = mesonet("predict", tmp_path / "faces", "-m", tiny_model, "--format", "csv").stdout
    assert name in [Path(row["path"]).name for row in csv.DictReader(io.StringIO(table))]


def test_predict_csv_into_a_file(tiny_model, folder, tmp_path):
    target = tmp_path / "out.csv"
    result = mesonet(
        "predict",
        folder / "df" / "*_0.png",
        "-m",
        tiny_model,
        "--format",
        "csv",
        "-p",
        "--output",
        target,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert len(rows) == 6
    assert all(50 <= float(row["percent"]) <= 100 for row in rows)
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_predict_table_and_report(tiny_model, folder, tmp_path):
    result = mesonet("predict", folder, "--model", tiny_model, "-p", "-cl", "-t", "1")
    assert result.returncode == 0, result.stderr
    assert "36 real (model tiny, threshold 1)" in result.stdout
    assert "precision" in result.stdout
    assert result.stdout.count("%") == 36
    data = shutil.copytree(folder, tmp_path / "data")
    shutil.copy(next(folder.rglob("*.png")), data / "loose.png")
    beside = mesonet("predict", data, "--model", tiny_model, "-cl", "-t", "1")
    assert beside.returncode == 0, beside.stderr
    assert "37 real" in beside.stdout
    report = [" ".join(line.split()) for line in beside.stdout.splitlines()]
    assert any(line.startswith("accuracy") and line.endswith(" 36") for line in report)


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["predict"], "Missing argument", 2),
        (["predict", "x", "--threshold", "2"], "--threshold", 2),
        (["predict", "x", "--formt", "csv"], "No such option", 2),
        (["predict", "x", "--model", "nothing.keras"], "nothing.keras: ", 1),
        (["evaluate", "missing"], "missing: no such folder", 1),
        (["train", "missing"], "missing: no such folder", 1),
        (["train"], "either DATA_DIR or --resume", 2),
        (["train", "--resume", "."], "no run folder", 2),
        (["split", "missing", "out"], "missing: no such folder", 1),
        (["export", "nothing.keras", "out.keras"], "nothing.keras: ", 1),
        (["calibrate", "meso4", "x", "-o", "nowhere/out.keras"], "nowhere: No such file", 1),
        (["layers", "x.png", "--layers", "one"], "--layers takes numbers", 2),
        (["train", ".", "--weights", "imagenet"], "meso4 is none", 1),
    ],
)
def test_errors_are_one_line(arguments, message, code, tmp_path):
    result = mesonet(*arguments, cwd=tmp_path)
    assert result.returncode == code
    assert result.stdout == ""
    line = only_line(result.stderr)
    assert line.startswith("mesonet: ")
    assert message in line


def test_where_an_error_came_from_is_told_when_asked(tmp_path):
    told = mesonet("--verbose", "evaluate", "missing", cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr.startswith("Traceback")
    assert told.stderr.splitlines()[-1] == "mesonet: missing: no such folder"


def test_a_fault_of_the_program_is_no_error_of_its_user(monkeypatch, capsys):
    def faulty(*_):
        raise ValueError("nobody checked this")

    monkeypatch.setattr("mesonet.weights.list_released", faulty)
    monkeypatch.setattr(sys, "argv", ["mesonet", "models"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_told(monkeypatch, capsys):
    monkeypatch.setattr("mesonet.cli.app", lambda standalone_mode: 130)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert capsys.readouterr().err == "mesonet: interrupted\n"


def test_evaluate_at_both_levels(tiny_model, folder, tmp_path):
    data = shutil.copytree(folder, tmp_path / "set [/red]")
    named = mesonet("evaluate", data, "--model", tiny_model)
    assert named.returncode == 0, named.stderr
    assert named.stdout.startswith(f"tiny on {data}, threshold")
    for image in (data / "real").iterdir():
        image.write_bytes(b"")
    without = mesonet("evaluate", data, "--model", tiny_model)
    assert without.returncode == 1
    assert "no real image can be read" in only_line(without.stderr)
    result = mesonet(
        "evaluate", folder, "--model", tiny_model, "--groups", "video", "--format", "json"
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["image"]["count"] == 36
    assert report["group"]["count"] == 12
    assert 0 <= report["image"]["auc"] <= 1
    assert sum(map(sum, report["image"]["confusion"])) == 36
    table = mesonet("evaluate", folder, "--model", tiny_model)
    assert "ROC AUC" in table.stdout
    assert "called deepfake" in table.stdout
    assert "macro avg" in table.stdout


def test_layers_writes_a_picture_per_image_and_layer(tiny_model, folder, tmp_path):
    result = mesonet(
        "layers",
        folder / "df/0_0.png",
        folder / "real/100_0.png",
        "--model",
        tiny_model,
        "--layers",
        "0,3",
        "--output",
        tmp_path / "plots",
    )
    assert result.returncode == 0, result.stderr
    names = sorted(p.name for p in (tmp_path / "plots").iterdir())
    assert names == [f"{n}_conv{k}.png" for n in ("0_0", "100_0") for k in (0, 3)]


@pytest.mark.parametrize("completed", [False, True])
def test_an_interrupted_training_says_how_to_go_on(folder, tmp_path, monkeypatch, completed):
    def interrupted(*_, run_dir, **__):
        if completed:
            (run_dir / "history.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr("mesonet.training.training.train", interrupted)
    run = tmp_path / "a run"
    result = mesonet("train", folder, "--output", run)
    assert result.returncode == 130
    first, last = result.stderr.splitlines()
    assert last == "mesonet: interrupted"
    if completed:
        assert f"mesonet: {run} holds the epochs" in first
        assert first.endswith(f"go on with: mesonet train --resume '{run}'")
    else:
        assert first == f"mesonet: no epoch was completed; {run} can be deleted"


@pytest.mark.slow
def test_train_then_resume_then_use(folder, tmp_path):
    run = tmp_path / "run"
    options = ["--groups", "video", "--validation-split", "0.3", "--batch-size", "16"]
    first = mesonet("train", folder, "--epochs", 1, *options, "--output", run, "-ntb")
    assert first.returncode == 0, first.stderr
    assert "epoch 1/1" in first.stderr
    assert "learning_rate" in first.stderr
    again = mesonet("train", folder, "--epochs", 1, "--output", run)
    assert again.returncode == 1
    assert "--resume" in only_line(again.stderr)

    settings = json.loads((run / "settings.json").read_text())
    settings["training"]["epochs"] = 2
    (run / "settings.json").write_text(json.dumps(settings))
    resumed = mesonet("train", "--resume", run)
    assert resumed.returncode == 0, resumed.stderr
    assert "epoch 2/2" in resumed.stderr
    assert "epoch 1/2" not in resumed.stderr
    assert len(json.loads((run / "history.json").read_text())["loss"]) == 2
    finished = mesonet("train", "--resume", run)
    assert finished.returncode == 0
    assert f"{run}: this run is finished, all 2 epochs are done" in finished.stderr

    best = next(run.glob("model-*.keras"))
    result = mesonet("predict", folder / "df", "--model", best)
    assert result.returncode == 0, result.stderr


def test_split_and_export(tiny_model, folder, tmp_path):
    result = mesonet("split", folder, tmp_path / "out", "--test", "0.3", "--groups", "video")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("train: ")
    exported = tmp_path / "model.h5"
    assert mesonet("export", tiny_model, exported).returncode == 0
    one, other = (
        mesonet("predict", folder / "df", "--model", model, "--format", "jsonl").stdout
        for model in (tiny_model, exported)
    )
    scores = [
        [json.loads(line)["fake_probability"] for line in text.splitlines()]
        for text in (one, other)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    half = tmp_path / "half.keras"
    written = mesonet("export", tiny_model, half, "--half")
    assert written.stdout == f"{half}: {half.stat().st_size:,} bytes\n"
    assert half.stat().st_size < Path(tiny_model).stat().st_size
    bad = mesonet("export", tiny_model, tmp_path / "model.pb")
    assert "must be .keras, .h5 or .onnx" in only_line(bad.stderr)


def test_calibrate_then_predict(tiny_model, folder, tmp_path):
    path = tmp_path / "calibrated.keras"
    options = ["--groups", "video", "--error-rate", "0.1", "--output", path]
    result = mesonet("calibrate", tiny_model, folder, *options)
    assert result.returncode == 0, result.stderr
    for text in ("calibration error", "Brier", "temperature", "left uncertain", "most)"):
        assert text in result.stdout
    with zipfile.ZipFile(path) as archive:
        info = json.loads(archive.read("mesonet.json"))
    assert info["calibration"]["temperature"] > 0
    assert info["error_rate"] == 0.1
    low, high = info["band"]
    assert low <= info["threshold"] <= high

    again = mesonet("calibrate", path, folder, *options[:-1], tmp_path / "again.keras")
    assert again.stdout.splitlines()[:5] == result.stdout.splitlines()[:5]

    predicted = mesonet("predict", folder, "--model", path, "--format", "jsonl")
    rows = [json.loads(line) for line in predicted.stdout.splitlines()]
    assert all(row["band"] == [low, high] for row in rows)
    assert all(
        (row["label"] == "uncertain") == (low <= row["fake_probability"] < high) for row in rows
    )
    assert "uncertain from" in only_line(predicted.stderr)
    raw = mesonet("predict", folder, "--model", tiny_model, "--format", "csv")
    rows_raw = list(csv.DictReader(io.StringIO(raw.stdout)))
    assert [row["raw_score"] for row in rows] == pytest.approx(
        [float(row["fake_probability"]) for row in rows_raw], abs=1e-6
    )
    assert rows_raw[0]["band_low"] == ""


def test_an_uncertain_image_is_shown_as_such(tiny_model, folder, tmp_path):
    path = tmp_path / "unsure.keras"
    with zipfile.ZipFile(tiny_model) as source, zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name == "mesonet.json":
                data = json.dumps(json.loads(data) | {"band": [0, 1]}).encode()
            archive.writestr(name, data)
    result = mesonet("predict", folder, "--model", path, "-cl")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("uncertain  ") == 36
    assert "36 uncertain (model unsure, threshold 0.5, uncertain from 0 to 1)" in result.stdout
    report = result.stdout.partition("precision")[2]
    assert "real" in report
    assert "uncertain" not in report
    table = mesonet("predict", folder, "--model", path, "--format", "csv").stdout
    row = next(csv.DictReader(io.StringIO(table)))
    assert (row["label"], row["band_low"], row["band_high"]) == ("uncertain", "0.0", "1.0")
    asked = mesonet("predict", folder, "--model", path, "-t", "0.5", "--format", "jsonl")
    assert "uncertain" not in asked.stdout + asked.stderr


def test_calibrate_says_what_it_needs(tiny_model, folder, tmp_path):
    wrong = mesonet("calibrate", tiny_model, folder, "--output", tmp_path / "model.onnx")
    assert wrong.returncode == 1
    assert "must be .keras, .h5 or .hdf5" in only_line(wrong.stderr)
    table = tmp_path / "groups.csv"
    names = [p.relative_to(folder) for p in folder.rglob("*.png")]
    table.write_text("file,group\n" + "".join(f"{n.as_posix()},same\n" for n in names))
    out = tmp_path / "model.keras"
    few = mesonet("calibrate", tiny_model, folder, "--groups", table, "--output", out)
    assert few.returncode == 1
    assert "two groups" in only_line(few.stderr)
    for name in ("df", "real"):
        shutil.copytree(folder / "real", tmp_path / "alike" / name)
    chance = mesonet("calibrate", tiny_model, tmp_path / "alike", "--output", out)
    assert chance.returncode == 1
    assert "no better than chance on these images (ROC AUC 0.50)" in chance.stderr
    assert not out.exists()
