import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.visualization import plot_layer, plot_loss_curve, visualize_conv_layers


def test_loss_curve_shows_training_and_validation():
    figure = plot_loss_curve({"loss": [3, 2, 1], "val_loss": [3, 2.5, 2]})
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["training", "validation"]
    assert list(lines[1].get_ydata()) == [3, 2.5, 2]
    assert len(plot_loss_curve({"loss": [1.0]}).axes[0].get_lines()) == 1


@pytest.mark.parametrize(("filters", "columns"), [(10, 4), (64, 8), (320, 18)])
def test_layer_plot_has_a_cell_per_filter(filters, columns):
    maps = np.random.default_rng(0).random((5, 6, filters))
    figure = plot_layer(maps, 3)
    assert figure.get_suptitle() == "Convolutional layer 3"
    (axes,) = figure.axes
    (image,) = axes.images
    assert image.get_cmap().name == "viridis"
    grid = image.get_array()
    assert grid.shape == (6 * -(-filters // columns), 7 * columns)
    last = maps[..., -1]
    row, column = divmod(filters - 1, columns)
    cell = grid[6 * row : 6 * row + 5, 7 * column : 7 * column + 6]
    np.testing.assert_allclose(cell, (last - last.min()) / np.ptp(last), atol=1e-6)
    assert grid.mask[5].all()


def test_a_layer_plot_is_of_modest_size():
    for shape in ((256, 256, 8), (8, 8, 1280), (128, 128, 320)):
        width, height = plot_layer(np.zeros(shape), 1).get_size_inches() * 100
        assert 700 < width <= 2000
        assert height <= 2100


def test_a_list_of_figures_per_image_in_the_order_asked_for():
    model = create_model("meso4", 32)
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    for conv_idx, titles in (([3, 0], ["3", "0"]), ([1], ["1"])):
        figures = list(visualize_conv_layers(model, images, conv_idx))
        assert len(figures) == 2
        assert [f.get_suptitle().split()[-1] for f in figures[0]] == titles


def test_unknown_layer():
    model = create_model("meso4", 32)
    with pytest.raises(ValueError, match="no layer 9"):
        next(visualize_conv_layers(model, np.zeros((1, 32, 32, 3)), [9]))
