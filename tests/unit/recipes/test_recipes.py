"""Which stages ``python -m recipes`` runs; what they do has tests of its own."""

import importlib.util
import sys

import pytest
from recipes import __main__ as command
from recipes.detector import stages


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The modules that were run, in order; each leaves nothing but its result."""
    modules = []

    def run(module, *arguments):
        assert importlib.util.find_spec(f"recipes.detector.{module}")
        modules.append(module)
        if module == "boxes":
            arguments[-1].write_text("")

    monkeypatch.setattr(stages, "_run", run)
    return modules


def recipe(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["recipes", *map(str, arguments)])
    command.main()


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("standard", ["boxes", "train", "scores", "release"]),
        ("thorough", ["boxes", "encode", "head", "release"]),
    ],
)
def test_what_is_there_is_passed_over(monkeypatch, capsys, tmp_path, ran, name, modules):
    given = (name, "--data", tmp_path, "--output", tmp_path / "run")
    recipe(monkeypatch, *given)
    assert ran == modules
    recipe(monkeypatch, *given)
    assert ran == modules + modules[1:]
    assert f"boxes: {tmp_path / 'run' / 'boxes.csv'} is there" in capsys.readouterr().out
    recipe(monkeypatch, *given, "--only", "boxes")
    assert ran[-1] == "boxes"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["standard", "--only", "sleep"], "--only takes boxes, train, scores, release"),
        (["thorough", "--seed", "3"], "its seed is fixed"),
    ],
)
def test_what_a_recipe_does_not_take(monkeypatch, capsys, tmp_path, ran, arguments, message):
    with pytest.raises(SystemExit) as error:
        recipe(monkeypatch, *arguments, "--data", tmp_path, "--output", tmp_path / "run")
    assert error.value.code == 2
    assert message in capsys.readouterr().err
    assert not ran
