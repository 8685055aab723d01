# SPDX-License-Identifier: Apache-2.0
"""Pictures of an evaluation: the same bytes twice, what they show, and what they refuse."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from scaledrop.errors import UserError
from scaledrop.metrics import auroc, reliability_curve, risk_coverage
from scaledrop_flow.report import evaluation
from scaledrop_flow.report.style import LIGHT, save, svg

RANDOM = np.random.default_rng(0)
P = RANDOM.dirichlet(np.full(4, 0.3), 300)
LABELS = np.array([RANDOM.choice(4, p=p) for p in P])
ENTROPY = -(P * np.log(np.maximum(P, 1e-300))).sum(axis=1)
WRONG = P.argmax(axis=1) != LABELS
UNKNOWN = RANDOM.uniform(0.7, np.log(4), 100)
GROUPS = {
    "right": (0.9 * ENTROPY[~WRONG], 0.1 * ENTROPY[~WRONG]),
    "wrong": (0.6 * ENTROPY[WRONG], 0.4 * ENTROPY[WRONG]),
    "unknown": (np.zeros(0), np.zeros(0)),
}
TRUTH = RANDOM.integers(0, 3, (2, 6, 8))
GUESS = np.where(RANDOM.random(TRUTH.shape) < 0.8, TRUTH, 0)
NAMES = ("sky", "road", "car & <bus>")
HISTORY = [
    {"epoch": e, "loss": 2 / e, "task_loss": 1 / e, "accuracy": 1 - 0.5 / e, "other": "x"}
    | {"validation_accuracy": 0.9 if e % 2 else None, "learning_rate": 0.01 / e}
    for e in range(1, 7)
]
SCALES = {"conv1": RANDOM.normal(1, 0.1, 64), "conv2": np.ones((4, 1)), "dense$_1$": [0.5, 2]}
RATIOS = {"conv1": 1.4, "conv2": 0.9, "dense": 1.0}


def segmentation(images: np.ndarray | None = None, truth: np.ndarray = TRUTH) -> Figure:
    grey = np.linspace(0, 1, TRUTH.size).reshape(TRUTH.shape)
    pictures = grey if images is None else images
    return evaluation.segmentation_picture(pictures, truth, GUESS, grey, NAMES)


PICTURES: dict[str, Callable[[], Figure]] = {
    "reliability": lambda: evaluation.reliability_picture(reliability_curve(P, LABELS)),
    "adaptive": lambda: evaluation.reliability_picture(
        reliability_curve(P, LABELS, equal_mass=True)
    ),
    "risk": lambda: evaluation.risk_coverage_picture(risk_coverage(ENTROPY, WRONG)),
    "ood": lambda: evaluation.ood_picture(ENTROPY, UNKNOWN, np.log(4)),
    "split": lambda: evaluation.entropy_split_picture(GROUPS),
    "segmentation": segmentation,
    "training": lambda: evaluation.training_picture(HISTORY),
    "scale": lambda: evaluation.scale_picture(SCALES),
    "variance": lambda: evaluation.variance_picture(RATIOS),
}


def texts(name: str) -> set[str]:
    tree = ET.fromstring(svg(PICTURES[name](), name, name).replace("xlink:href", "href"))
    return {"".join(node.itertext()).strip() for node in tree.iter() if node.tag == "text"}


@pytest.mark.parametrize("name", PICTURES)
def test_same_input_same_bytes(name: str, tmp_path: Path) -> None:
    assert svg(PICTURES[name](), name, "x") == svg(PICTURES[name](), name, "x")
    for kind in ("svg", "png"):
        paths = [tmp_path / folder / f"{name}.{kind}" for folder in "ab"]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            save(PICTURES[name](), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_on_the_page_every_colour_is_the_page_s_and_every_reference_resolves(name: str) -> None:
    text = svg(PICTURES[name](), name, "a < b")
    assert not any(colour in text for colour in LIGHT.variables) and "var(--ink)" in text
    assert "<title>a &lt; b</title>" in text
    found = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', text)) <= found
    assert all(one.startswith(f"{name}-") for one in found)


def drawn(figure: Figure) -> list[Text]:
    """The texts that can be seen; ticks beyond an axis exist but are not drawn."""
    found: list[Text] = [text for one in figure.legends for text in one.get_texts()]
    for axes in figure.axes:
        found += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        found += axes.get_legend().get_texts() if axes.get_legend() else []
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [axis.label, *(tick.label1 for tick in ticks)]
    return [text for text in found if text.get_text().strip() and text.get_visible()]


@pytest.mark.parametrize("name", PICTURES)
def test_no_two_texts_overlap_and_none_is_cut_off(name: str) -> None:
    figure = PICTURES[name]()
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn(figure)]
    assert len(boxes) >= 8
    for index, (one, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width, one
        assert box.y0 >= 0 and box.y1 <= figure.bbox.height, one
        for other, second in boxes[index + 1 :]:
            apart = max(box.x0, second.x0) > min(box.x1, second.x1) - 1
            assert apart or max(box.y0, second.y0) > min(box.y1, second.y1) - 1, (one, other)


def test_reliability_shows_a_bar_and_a_gap_for_each_bin_that_is_not_empty() -> None:
    curve = reliability_curve(P, LABELS)
    top, low = evaluation.reliability_picture(curve).axes
    full = curve.count > 0
    assert [bar.get_height() for bar in top.patches] == curve.accuracy[full].tolist()
    gaps = next(one for one in top.collections if isinstance(one, LineCollection))
    assert len(gaps.get_segments()) == full.sum()
    assert low.patches[0].get_data().values.tolist() == curve.count.tolist()
    assert {"accuracy", "predictions", f"ECE {curve.error:.3f}", "calibrated"} <= texts(
        "reliability"
    )


def test_one_confidence_for_all_still_has_a_bar() -> None:
    curve = reliability_curve(np.tile([1.0, 0.0], (5, 1)), np.zeros(5, int), equal_mass=True)
    top = evaluation.reliability_picture(curve).axes[0]
    assert [bar.get_width() > 0 for bar in top.patches] == [True]


def test_risk_coverage_ends_at_the_error_rate_and_is_thin() -> None:
    curve = risk_coverage(np.tile(ENTROPY, 10), np.tile(WRONG, 10))
    risk, optimal = evaluation.risk_coverage_picture(curve).axes[0].lines
    assert len(risk.get_xdata()) == 400
    for line in (risk, optimal):
        assert line.get_xydata()[-1] == pytest.approx([1.0, WRONG.mean()])
    words = f"answered (AURC {curve.aurc:.4f}, E-AURC {curve.e_aurc:.4f})"
    assert {words, "wrong among the answers"} <= {
        evaluation.risk_coverage_picture(curve).axes[0].get_xlabel(),
        evaluation.risk_coverage_picture(curve).axes[0].get_ylabel(),
    }


def test_ood_counts_every_input_and_names_the_auroc() -> None:
    top, middle, low = PICTURES["ood"]().axes
    assert sum(bar.get_height() for bar in top.patches) == len(ENTROPY)
    assert sum(bar.get_height() for bar in middle.patches) == len(UNKNOWN)
    assert top.get_xlim() == middle.get_xlim() == (0, np.log(4))
    assert low.get_title("right").startswith(f"AUROC {auroc(ENTROPY, UNKNOWN):.3f}, FPR at 95 %")
    assert low.lines[1].get_xydata()[[0, -1]].tolist() == [[0, 0], [1, 1]]


def test_entropy_split_stacks_two_bars_a_group() -> None:
    axes = PICTURES["split"]().axes[0]
    data, model = (list(group) for group in axes.containers)
    assert len(data) == len(model) == 3
    for index, (first, second) in enumerate(list(GROUPS.values())[:2]):
        assert data[index].get_width() == pytest.approx(first.mean())
        assert model[index].get_x() == pytest.approx(first.mean())
        assert model[index].get_width() == pytest.approx(second.mean())
    assert "unknown: none" in texts("split") and f"wrong: {WRONG.sum()}" in texts("split")


def test_segmentation_has_five_maps_an_image_and_marks_the_errors() -> None:
    void = np.where(TRUTH == 2, 255, TRUTH)
    figure = segmentation(truth=void)
    assert [len(axes.images) for axes in figure.axes] == [1] * 10
    verdict = np.asarray(figure.axes[4].images[0].get_array())
    assert (verdict == np.where(void[0] == 255, 2, void[0] != GUESS[0])).all()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [*NAMES, "void"]
    assert [t.get_text() for t in segmentation().legends[0].get_texts()] == list(NAMES)
    assert {"image", "label", "prediction", "entropy 0 to 1.10", "error"} <= texts("segmentation")


@pytest.mark.parametrize("classes", [2, 15, 32])
def test_every_class_has_its_colour(classes: int) -> None:
    truth = np.arange(64).reshape(1, 8, 8) % classes
    pictures = np.zeros((1, 8, 8, 3), np.uint8)
    names = [f"class {k}" for k in range(classes)]
    figure = evaluation.segmentation_picture(pictures, truth, truth, truth * 0.0, names)
    pixels = np.asarray(figure.axes[1].images[0].get_array())
    assert len(np.unique(pixels.reshape(64, 3), axis=0)) == min(classes, 64)


def test_training_shows_what_it_has() -> None:
    axes = PICTURES["training"]().axes
    assert [one.get_ylabel() for one in axes] == ["loss", "accuracy", "learning rate"]
    assert [len(one.lines) for one in axes] == [2, 2, 1]
    assert axes[1].lines[1].get_xdata().tolist() == [1, 3, 5]
    assert {"objective", "task", "training", "validation", "epoch"} <= texts("training")
    bare = evaluation.training_picture([{"epoch": 1, "loss": 0.5}])
    assert [one.get_ylabel() for one in bare.axes] == ["loss"]


def test_scales_count_every_channel_about_one() -> None:
    axes = PICTURES["scale"]().axes[0]
    layers = [one for one in axes.patches if isinstance(one, StepPatch)]
    assert len(layers) == 3
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "conv1: 64",
        "conv2: 4",
        "dense$_1$: 2",
    ]
    values, edges, baseline = layers[1].get_data()
    assert edges[np.flatnonzero(values > 1)[0]] < 1.0 < edges[np.flatnonzero(values > 1)[0] + 1]
    np.testing.assert_allclose(values - 1, 1 - baseline, atol=1e-12)
    assert axes.lines[0].get_xdata()[0] == 1.0
    assert len(evaluation.scale_picture({"far": [-90.0, 90.0]}).axes[0].patches) == 1


def test_variance_bars_start_at_one() -> None:
    axes = PICTURES["variance"]().axes[0]
    ends = [bar.get_x() + bar.get_width() for bar in axes.patches]
    assert [bar.get_x() for bar in axes.patches] == [1, 1, 1]
    assert ends == pytest.approx(list(RATIOS.values()))
    assert {*RATIOS, "1.4", "0.9", "variance in training / variance in test"} <= texts("variance")


ONE = np.ones(1)
WRONG_INPUTS = [
    (lambda: evaluation.ood_picture(ONE, ONE, 0.0), "limit: must be above 0, not 0.0; give ln"),
    (lambda: evaluation.ood_picture(ONE[:0], ONE, 1.0), "known: must be one or more finite"),
    (lambda: evaluation.ood_picture(ONE, ONE * np.nan, 1.0), "unknown: must be one or more finite"),
    (lambda: evaluation.entropy_split_picture({}), "groups: none given; give at least one"),
    (
        lambda: evaluation.entropy_split_picture({"right": (ONE, np.ones(2))}),
        r"groups: right has \(1,\) expected entropies and \(2,\) mutual informations; give both",
    ),
    (
        lambda: evaluation.entropy_split_picture({"right": (ONE, ONE * np.inf)}),
        "right: must be one or more finite numbers",
    ),
    (lambda: segmentation(TRUTH[0]), r"images: shape must be \(N, H, W\) or \(N, H, W, 3\), not"),
    (lambda: segmentation(TRUTH[:1]), r"labels: shape must be \(1, 6, 8\) as of images, not"),
    (lambda: segmentation(truth=TRUTH * 1.0), "labels: must be integers, not float64; give"),
    (
        lambda: evaluation.segmentation_picture(TRUTH, TRUTH, TRUTH, TRUTH * np.nan, NAMES),
        "entropy: must be finite numbers; check the predictions",
    ),
    (
        lambda: evaluation.segmentation_picture(TRUTH, TRUTH, TRUTH, TRUTH * 0.0, NAMES[:2]),
        "predicted: must be 0 to 1, not 0 to 2; give a name for every class",
    ),
    (lambda: evaluation.training_picture([]), "history: no epochs; train first"),
    (
        lambda: evaluation.training_picture([*HISTORY, {"epoch": 7}]),
        "history: record 6 has no loss; give epoch and loss in each",
    ),
    (lambda: evaluation.scale_picture({}), "scales: no layers; give at least one"),
    (lambda: evaluation.scale_picture({"conv1": ONE[:0]}), "conv1: must be one or more finite"),
    (lambda: evaluation.variance_picture({}), "ratios: no layers; give at least one"),
    (
        lambda: evaluation.variance_picture({"conv1": 0.0}),
        "ratios: conv1 must be above 0, not 0.0; measure both variances",
    ),
    (
        lambda: save(evaluation.variance_picture(RATIOS), Path("a.gif")),
        "path: must end in .svg or .png, not 'a.gif'; rename it",
    ),
]


@pytest.mark.parametrize(("draw", "message"), WRONG_INPUTS)
def test_bad_input_is_refused(draw: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        draw()
