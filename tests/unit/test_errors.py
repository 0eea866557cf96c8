import pickle
import re
from pathlib import Path

import pytest

from mesonet import errors
from mesonet.errors import ArgumentError, ImageError, MesonetError, MissingPackageError


def test_an_error_says_what_and_where():
    error = ImageError("a.png", "the file is empty")
    assert (str(error), error.path, error.reason) == (
        "a.png: the file is empty",
        "a.png",
        "the file is empty",
    )
    assert str(ArgumentError("the threshold must lie in 0..1")) == "the threshold must lie in 0..1"


@pytest.mark.parametrize(
    "error", [ImageError("a", "b"), ArgumentError("b"), MissingPackageError("the demo", "demo")]
)
def test_errors_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.path) == (type(error), str(error), error.path)


def test_old_code_catches_what_it_caught():
    assert issubclass(ImageError, ValueError)
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(MissingPackageError, ImportError)


def test_exit_codes_are_the_same_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text()
    documented = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert documented == re.findall(r"^(\d+) {2}", errors.__doc__ or "", re.MULTILINE)
    assert {"0", "1", "4", "70"} <= set(documented)


def test_the_drawn_tree_is_the_tree():
    drawn = [line.split()[0] for line in (errors.__doc__ or "").splitlines() if "Error  " in line]
    found = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert drawn == [name for name in found if issubclass(vars(errors)[name], MesonetError)]
