"""Feature extraction against plain PyTorch, and what a search among heads costs.

    python -m benchmarks.features DATA [--groups GROUPS] [--images 300] [--rounds 3]

Both ways take EfficientNet-Lite0 with the same weights over the same images at 224 px, in the same
process and in turns. The reference is loaded once. Ours writes a whole feature store in every round
and sets itself up for that; a store of two images tells how long the set-up takes. Then `mesonet
features` and `mesonet crossval --search` run, each in a process of its own.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.common import interleaved, rate, ratio
from PIL import Image

from mesonet.architectures import create_backbone, get_architecture
from mesonet.architectures.efficientnet_lite import PUBLISHED
from mesonet.architectures.pretrained import published_file
from mesonet.datasets.class_folders import ClassFolders
from mesonet.inspection.torch_checkpoint import read_torch_checkpoint
from mesonet.transfer.extraction import extract_features
from mesonet.transfer.store import FeatureRecipe

try:
    import torch
    from torch import nn
except ImportError:
    raise SystemExit("this benchmark compares with PyTorch: pip install torch") from None

BACKBONE = "efficientnet_lite0"
SIZE = 224
BATCH = 32
SEARCH = ("--head", "logistic", "--head", "mlp", "--search", "--folds", "5")
COMMAND = """
import sys
from mesonet.cli import main
try:
    main()
finally:
    print(open("/proc/self/status").read(), file=sys.stderr)
"""

# (repeats, kernel, stride of the first block, expansion, output channels)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def normalise(channels: int) -> nn.Module:
    """Batch normalisation as the published weights want it."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def convolve(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Module:
    """A convolution that pads as TensorFlow does; with a stride, for even sides."""
    padding = kernel // 2 if stride == 1 else 0
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)


def pad(kernel: int, stride: int) -> nn.Module:
    """What `convolve` leaves out."""
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    return nn.Identity() if stride == 1 else nn.ZeroPad2d((before, after, before, after))


class Block(nn.Module):
    """Inverted residual, its parts named as in the published checkpoint."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv = convolve(inputs, inner)
            self._bn0 = normalise(inner)
        self.expands = expansion > 1
        self.pad = pad(kernel, stride)
        self._depthwise_conv = convolve(inner, inner, kernel, stride, inner)
        self._bn1 = normalise(inner)
        self._project_conv = convolve(inner, outputs)
        self._bn2 = normalise(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps in, maps out."""
        y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(self.pad(y))))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """Images of shape ``(n, 3, 224, 224)`` to 1280 features each."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = pad(3, 2)
        self._conv_stem = convolve(3, 32, 3, 2)
        self._bn0 = normalise(32)
        blocks, channels = [], 32
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(channels, outputs, kernel, 1 if repeat else stride, expansion))
                channels = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = convolve(channels, 1280)
        self._bn1 = normalise(1280)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features, averaged over the image."""
        x = nn.functional.relu6(self._bn0(self._conv_stem(self.pad(x))))
        for block in self._blocks:
            x = block(x)
        return nn.functional.relu6(self._bn1(self._conv_head(x))).mean((2, 3))


def load_reference() -> nn.Module:
    """The PyTorch network with the published weights."""
    tensors = read_torch_checkpoint(published_file(PUBLISHED))
    network = EfficientNetLite0()
    network.load_state_dict(
        {
            name: torch.from_numpy(np.array(value))
            for name, value in tensors.items()
            if not name.startswith("_fc.")
        }
    )
    return network.eval()


def compute_reference(network: nn.Module, paths: tuple[Path, ...]) -> np.ndarray:
    """Features the plain way, batch by batch."""
    features = []
    with torch.no_grad():
        for start in range(0, len(paths), BATCH):
            images = [
                np.asarray(
                    Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
                )
                for path in paths[start : start + BATCH]
            ]
            x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
            features.append(network(x.float() / 127.5 - 1).numpy())
    return np.concatenate(features)


def link_evenly(data: ClassFolders, target: Path, count: int) -> Path:
    """Make a data folder of links to evenly drawn images, which keep their names."""
    for index in np.unique(np.linspace(0, len(data) - 1, count).round().astype(int)):
        link = target / data.names[index]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(data.paths[index].resolve())
    return target


def compare(data: ClassFolders, work: Path, rounds: int) -> None:
    """Print rates, ratios and how well the features agree."""
    network = load_reference()
    backbone = create_backbone(BACKBONE, SIZE)
    recipe = FeatureRecipe(BACKBONE, "imagenet", get_architecture(BACKBONE).preprocessing)
    first = np.unique(data.labels, return_index=True)[1]
    few = data.subset(np.isin(np.arange(len(data)), first))
    results: dict[str, np.ndarray] = {}

    def extract(images: ClassFolders) -> np.ndarray:
        store = work / "store"
        features = np.array(extract_features(store, images, backbone, recipe).features[:, 0])
        shutil.rmtree(store)
        return features

    def reference() -> None:
        results["reference"] = compute_reference(network, data.paths)

    def ours() -> None:
        results["ours"] = extract(data)

    ways = {"reference": reference, "ours": ours, "set-up": lambda: extract(few)}
    interleaved(1, **ways)
    seconds = interleaved(rounds, **ways)
    count = len(data)
    difference = np.abs(results["ours"] - results["reference"]).max() / results["reference"].max()
    print(f"{count} images at {SIZE} px, PyTorch {torch.__version__}, {os.cpu_count()} cores")
    print(f"plain PyTorch      {rate(count, seconds['reference']):7.1f} images/s")
    print(f"mesonet            {rate(count, seconds['ours']):7.1f} images/s")
    print(f"  of which set-up  {statistics.median(seconds['set-up']):7.1f} s")
    print(f"ratio              {ratio(seconds, 'ours', 'reference'):7.2f} x")
    print(f"largest difference, as a share of the largest feature  {difference:.1e}", flush=True)


def run_command(*arguments: object) -> None:
    """Run a whole command; print its wall time and the most memory that it had."""
    started = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", result.stderr, re.MULTILINE)
    if result.returncode or peak is None:
        raise SystemExit(result.stderr)
    print(f"mesonet {arguments[0]:<9} {seconds:7.1f} s, {int(peak[1]) / 1024:.0f} MiB at most")


def main() -> None:
    """Print the comparison, then time and memory of the commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--groups", help="see 'mesonet features'")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    groups = ("--groups", arguments.groups) if arguments.groups else ()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folder = link_evenly(ClassFolders.read(arguments.data), work / "images", arguments.images)
        compare(ClassFolders.read(folder), work, arguments.rounds)
        run_command("features", folder, *groups, "--output", work / "features")
        run_command("crossval", work / "features", *SEARCH)


if __name__ == "__main__":
    main()
