"""The types of what `__init__.py` loads when it is asked for."""

from mesonet.architectures import create_model as create_model
from mesonet.architectures import list_architectures as list_architectures
from mesonet.checking import Checker as Checker
from mesonet.checking import check as check
from mesonet.datasets.class_folders import ClassFolders as ClassFolders
from mesonet.detector import Detector as Detector
from mesonet.detector import Failure as Failure
from mesonet.detector import Verdict as Verdict
from mesonet.errors import MesonetError as MesonetError
from mesonet.model_file import load_model as load_model
from mesonet.model_file import save_model as save_model
from mesonet.model_info import Calibration as Calibration
from mesonet.model_info import ModelInfo as ModelInfo
from mesonet.preprocessing import Preprocessing as Preprocessing
from mesonet.training.training import train_model as train_model
from mesonet.weights import list_released as list_released

__version__: str
