import re
import subprocess
import sys
from pathlib import Path

import pytest

import mesonet


def test_every_public_name_is_there():
    for name in mesonet.__all__:
        assert getattr(mesonet, name) is not None
    assert set(mesonet.__all__) <= set(dir(mesonet))
    with pytest.raises(AttributeError, match="no attribute 'Detektor'"):
        _ = mesonet.Detektor


def test_types_are_told_of_the_same_names():
    stub = Path(mesonet.__file__).with_suffix(".pyi").read_text()
    told = {*re.findall(r"as (\w+)", stub), *re.findall(r"^(\w+):", stub, re.MULTILINE)}
    assert told == set(mesonet.__all__)


def test_importing_the_package_loads_nothing():
    code = "import mesonet, sys; assert not {'numpy', 'keras', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
