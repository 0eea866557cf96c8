import numpy as np
import pytest

from mesonet.architectures import create_backbone, get_architecture
from mesonet.architectures.pretrained import assign_torch_weights

CLASSIFIER = (1280 + 1) * 1000
TORCHVISION = {
    "mnasnet0_5": 2_218_512,
    "mnasnet0_75": 3_170_208,
    "mnasnet1_0": 4_383_312,
    "mnasnet1_3": 6_282_256,
}
WIDTHS = (24, 16, 24, 32, 64, 72, 144, 240)  # of 0.75: stem, first block and stages
STAGES = ((3, 3, 2, 3), (5, 3, 2, 3), (5, 3, 2, 6), (3, 2, 1, 6), (5, 4, 2, 6), (3, 1, 1, 6))


@pytest.mark.parametrize("name", TORCHVISION)
def test_it_has_the_parameters_of_torchvision(name):
    model = create_backbone(name, 64, weights=None)
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable + CLASSIFIER == TORCHVISION[name]


@pytest.mark.parametrize(("size", "side"), [(400, 13), (128, 4), (65, 3)])
def test_feature_map_is_a_32nd_of_the_image(size, side):
    model = create_backbone("mnasnet0_75", size, weights=None)
    assert model.output.shape == (None, side, side, 1280)


def test_batch_normalisation_is_that_of_the_published_network():
    model = create_backbone("mnasnet0_5", 64, weights=None)
    layer = model.get_layer("layers_8_0_layers_1")
    assert layer.momentum == pytest.approx(0.9997)
    assert layer.epsilon == 1e-5


@pytest.mark.parametrize("name", TORCHVISION)
def test_published_file_is_checked_by_the_hash_in_its_name(name):
    published = get_architecture(name).published
    assert published.url.startswith("https://download.pytorch.org/models/mnasnet")
    assert published.url.endswith(f"-{published.sha256}.pth")


def torch_network(channels):
    """The network in PyTorch, with torchvision's names of modules."""
    from torch import nn

    def normalise(count):
        return nn.BatchNorm2d(count, momentum=1 - 0.9997)

    def depthwise(count, kernel, stride):
        return nn.Conv2d(count, count, kernel, stride, kernel // 2, groups=count, bias=False)

    class Block(nn.Module):
        def __init__(self, before, after, kernel, stride, expansion):
            super().__init__()
            self.adds = before == after and stride == 1
            inner = before * expansion
            self.layers = nn.Sequential(
                nn.Conv2d(before, inner, 1, bias=False),
                normalise(inner),
                nn.ReLU(),
                depthwise(inner, kernel, stride),
                normalise(inner),
                nn.ReLU(),
                nn.Conv2d(inner, after, 1, bias=False),
                normalise(after),
            )

        def forward(self, x):
            return self.layers(x) + x if self.adds else self.layers(x)

    stem, first, *widths = channels
    layers = [
        nn.Conv2d(3, stem, 3, 2, 1, bias=False),
        normalise(stem),
        nn.ReLU(),
        depthwise(stem, 3, 1),
        normalise(stem),
        nn.ReLU(),
        nn.Conv2d(stem, first, 1, bias=False),
        normalise(first),
    ]
    before = first
    for (kernel, repeats, stride, expansion), after in zip(STAGES, widths, strict=True):
        blocks = [Block(before, after, kernel, stride, expansion)]
        blocks += [Block(after, after, kernel, 1, expansion) for _ in range(1, repeats)]
        layers.append(nn.Sequential(*blocks))
        before = after
    layers += [nn.Conv2d(before, 1280, 1, bias=False), normalise(1280), nn.ReLU()]

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(*layers)
            self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    return Network().eval()


def test_it_computes_what_torch_computes():
    name, size = "mnasnet0_75", 97  # odd in every stage, where padding shows
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    reference = torch_network(WIDTHS)
    assert sum(p.numel() for p in reference.parameters()) == TORCHVISION[name]
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.05, 0.2)
    images = torch.randn(1, 3, size, size)
    with torch.no_grad():
        expected = reference.layers(images).permute(0, 2, 3, 1).numpy()

    model = create_backbone(name, size, weights=None)
    state = {key: tensor.numpy() for key, tensor in reference.state_dict().items()}
    assign_torch_weights(model, state, get_architecture(name).published.ignored)
    features = np.asarray(model(images.permute(0, 2, 3, 1).numpy()))

    assert features.shape == expected.shape == (1, 4, 4, 1280)
    assert expected.std() > 0.01
    assert np.abs(features - expected).max() < 1e-4 * expected.max()
