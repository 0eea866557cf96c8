"""One self-contained HTML page with pictures, verdicts and layer plots."""

import base64
import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from mesonet import __version__
from mesonet.detector import DEEPFAKE, REAL, UNCERTAIN, Detector, Failure, Verdict
from mesonet.files import write_text
from mesonet.images.reading import read_image
from mesonet.model_info import ModelInfo
from mesonet.visualization import visualize_conv_layers

_PICTURE_SIDE = 256

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
       color: #1d2433; background: #fafbfc }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 0 }
.summary, .note { color: #4a5468 }
article { display: flex; gap: 1.2rem; background: #fff; border: 1px solid #dde2ea;
          border-radius: .6rem; padding: 1rem; margin: 1rem 0 }
article > img { width: 11rem; height: 11rem; object-fit: contain; border-radius: .4rem }
.body { flex: 1; min-width: 0 } .path { overflow-wrap: anywhere }
.deepfake { color: #a3231f } .real { color: #17643a } .uncertain { color: #6b5200 }
.wrong { color: #8a5a00; font-weight: 600 }
.scale { position: relative; height: .8rem; border-radius: .4rem; margin: .5rem 0;
         background: linear-gradient(90deg, #2f9e63, #e9d36b, #cf3f38) }
.scale i { position: absolute; top: -.3rem; width: .3rem; height: 1.4rem; background: #1d2433;
           border-radius: .15rem; transform: translateX(-50%) }
.scale b { position: absolute; top: -.1rem; height: 1rem; border-left: 2px dashed #1d2433 }
.scale u { position: absolute; top: 0; height: 100%; background: #ffffffb3;
           border: solid #1d2433; border-width: 0 1px; box-sizing: border-box }
details img { max-width: 100% } code { font-size: .8rem; overflow-wrap: anywhere }
"""


@dataclass(frozen=True, slots=True)
class Item:
    """An image for the report.

    Attributes:
        path: the image file.
        title: what it is called, by default its path.
        is_fake: the truth where it is known.
    """

    path: Path
    title: str | None = None
    is_fake: bool | None = None


def write_report(
    path: str | os.PathLike[str],
    detector: Detector,
    items: Sequence[Item],
    *,
    layers: Sequence[int] = (),
    heading: str = "Real or manipulated?",
) -> list[Verdict | Failure]:
    """Score images and write the page; it appears under its name when it is complete.

    Args:
        path: the HTML file to write.
        detector: gives the verdicts.
        items: the images.
        layers: convolutional layers to draw, from 0.
        heading: the page's title.

    Returns:
        The verdicts, in the order of the items.

    Raises:
        ValueError: the detector's network has no such layer.
    """
    results = list(detector.predict([item.path for item in items]))
    articles = [
        _article(detector, item, result, layers)
        for item, result in zip(items, results, strict=True)
    ]
    page = _page(detector, heading, items, results, articles)
    write_text(Path(path), page)
    return results


def _page(
    detector: Detector,
    heading: str,
    items: Sequence[Item],
    results: Sequence[Verdict | Failure],
    articles: Sequence[str],
) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>{escape(heading)}</h1>
<p class="summary">Model <b>{escape(detector.name)}</b>, mesonet {__version__}.
{_rule(detector.info)}{_score(items, results)}</p>
<p class="note">A fake probability of 0 means surely real, 1 surely manipulated, in the eyes of
this model. It is no proof: the model knows the kinds of manipulation it was trained on, and
errs on others. Layer plots show what the network reacts to; they are no map of a forgery.</p>
{"".join(articles)}
</body></html>
"""


def _rule(info: ModelInfo) -> str:
    rule = f"From a fake probability of {info.threshold:.3f} on (dashed line) an image is called"
    rule += " a deepfake."
    low, high = info.band or (0.0, 0.0)
    if low < high:
        rule += f" Between {low:.3f} and {high:.3f} (pale) it is uncertain"
        if info.error_rate is not None:
            rule += f": outside it, at most {info.error_rate:.1%} of the verdicts of each kind were"
            rule += " wrong on validation images"
        rule += "."
    return rule


def _score(items: Sequence[Item], results: Sequence[Verdict | Failure]) -> str:
    known = [
        (DEEPFAKE if item.is_fake else REAL, result.label)
        for item, result in zip(items, results, strict=True)
        if item.is_fake is not None and isinstance(result, Verdict)
    ]
    if not known:
        return ""
    right = sum(truth == label for truth, label in known)
    left_open = sum(label == UNCERTAIN for _, label in known)
    rest = f" and {left_open} left open" if left_open else ""
    return f" Of {len(known)} images whose truth is known, {right} are called right{rest}."


def _article(
    detector: Detector, item: Item, result: Verdict | Failure, layers: Sequence[int]
) -> str:
    title = escape(item.title or str(item.path))
    if isinstance(result, Failure):
        return f"""<article><div class="body"><h2 class="path">{title}</h2>
<p class="wrong">Not scored: {escape(result.error)}</p></div></article>"""
    image = read_image(item.path)
    truth = ""
    if item.is_fake is not None:
        name = DEEPFAKE if item.is_fake else REAL
        wrong = result.label not in (name, UNCERTAIN)
        mistake = ' <span class="wrong">- the model is wrong</span>' if wrong else ""
        truth = f"<div>Truth: {name}{mistake}</div>"
    return f"""<article><img src="{_jpeg(image)}" alt=""><div class="body">
<h2 class="path">{title}: <span class="{result.label}">{result.label}</span></h2>
<div class="scale">{_band(result)}<b style="left:{100 * result.threshold:.1f}%"></b>
<i style="left:{100 * result.fake_probability:.1f}%"></i></div>
<div>{_probability(detector.info, result)}</div>{truth}
<code>sha256 {hashlib.sha256(item.path.read_bytes()).hexdigest()}</code>
{_layer_plots(detector, image, layers)}</div></article>"""


def _band(verdict: Verdict) -> str:
    low, high = verdict.band or (0.0, 0.0)
    if low == high:
        return ""
    return f'<u style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></u>'


def _probability(info: ModelInfo, verdict: Verdict) -> str:
    text = f"Fake probability {verdict.fake_probability:.3f}"
    if info.calibration is None:
        return text
    return f"{text}, calibrated; the network's own score is {verdict.raw_score:.3f}"


def _layer_plots(detector: Detector, image: Image.Image, layers: Sequence[int]) -> str:
    if not layers:
        return ""
    pixels = detector.info.preprocessing.resize(image)
    prepared = detector.info.preprocessing.scale(pixels[None])
    figures = next(visualize_conv_layers(detector.network, prepared, layers))
    plots = "".join(
        f'<img src="{_png(figure)}" alt="Convolutional layer {index + 1}">'
        for index, figure in zip(layers, figures, strict=True)
    )
    return f"<details><summary>What the layers see</summary>{plots}</details>"


def _jpeg(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
