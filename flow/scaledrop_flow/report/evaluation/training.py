# SPDX-License-Identifier: Apache-2.0
"""How training went, and what it made of the scales and of the variances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scaledrop.errors import UserError
from scaledrop.metrics.checks import finite
from scaledrop_flow.report.style import LIGHT, bare, drawing, legend

__all__ = ["scale_picture", "training_picture", "variance_picture"]

Floats = npt.NDArray[np.float64]

_PANELS = (
    ("loss", (("loss", "objective", LIGHT.ink), ("task_loss", "task", LIGHT.accent))),
    (
        "accuracy",
        (
            ("accuracy", "training", LIGHT.accent),
            ("validation_accuracy", "validation", LIGHT.bad),
        ),
    ),
    ("learning rate", (("learning_rate", "", LIGHT.soft),)),
)
_BINS = 60
"""At most, in a spread of scales."""


def _series(history: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(one["epoch"], one[key]) for one in history if one.get(key) is not None]


def _curves(axes: Axes, history: Sequence[Mapping[str, Any]], lines: Any) -> None:
    for key, word, colour in lines:
        points = _series(history, key)
        if points:
            # A single epoch, or one between two gaps, makes no line.
            marker = "o" if len(points) < len(history) or len(points) == 1 else ""
            axes.plot(
                *zip(*points, strict=True),
                color=colour,
                linewidth=1.4,
                label=word or None,
                marker=marker,
                markersize=3,
            )


def training_picture(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss, accuracy and learning rate against the epoch, one above the other.

    Args:
        history: one record an epoch, with ``epoch`` and ``loss`` and, where known, ``task_loss``
            (nats), ``accuracy`` and ``validation_accuracy`` (0 to 1) and ``learning_rate``. A value
            that is missing or None is left out, a panel without values too; other keys are ignored.

    Raises:
        UserError: no records, or one without ``epoch`` or ``loss``.
    """
    if not history:
        raise UserError("history: no epochs; train first")
    for row, one in enumerate(history):
        for key in ("epoch", "loss"):
            if one.get(key) is None:
                raise UserError(f"history: record {row} has no {key}; give epoch and loss in each")
    panels = [p for p in _PANELS if any(_series(history, key) for key, *_ in p[1])]
    with drawing("training", 0.5 + 1.5 * len(panels)) as figure:
        stack = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, lines) in zip(stack, panels, strict=True):
            _curves(axes, history, lines)
            axes.set_ylabel(name)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            legend(axes)
            axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)
            bare(axes)
        stack[-1].set_xlabel("epoch")
        stack[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.align_ylabels()
    return figure


def _rows(axes: Axes, names: Sequence[str], label: str) -> None:
    """Names down the left, the first on top, and a line at 1."""
    axes.axvline(1.0, color=LIGHT.ink, linewidth=1, linestyle=(0, (2, 2)))
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=label)
    axes.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
    axes.set_axisbelow(True)
    bare(axes)


def _edges(low: float, high: float) -> Floats:
    """Bins around 1.0; a power of two wide, so that each holds as many fixed-point codes."""
    step = 2.0 ** np.ceil(np.log2(max(high - low, 0.25) / (_BINS - 2)))
    first, last = np.floor((low - 1.0) / step), np.ceil((high - 1.0) / step)
    result: Floats = 1.0 + step * (np.arange(first, last + 2) - 0.5)
    return result


def scale_picture(scales: Mapping[str, Floats]) -> Figure:
    """How the scales of each layer are spread: a histogram mirrored about its row, and the median.

    Args:
        scales: from a layer's name to its alpha, (C,) or any shape, finite; the first on top.

    Raises:
        UserError: no layers, or values that are not finite.
    """
    if not scales:
        raise UserError("scales: no layers; give at least one")
    values = {name: finite(name, alpha) for name, alpha in scales.items()}
    every = np.concatenate([*values.values(), np.ones(1)])
    edges = _edges(float(every.min()), float(every.max()))
    with drawing("scales", 0.8 + 0.42 * len(values)) as figure:
        axes = figure.subplots()
        look: Any = {"color": LIGHT.accent, "alpha": 0.6}
        for row, alpha in enumerate(values.values()):
            counts = np.histogram(alpha, edges)[0]
            half = 0.4 * counts / counts.max()
            axes.stairs(row + half, edges, baseline=row - half, fill=True, **look)
            axes.vlines(float(np.median(alpha)), row - 0.4, row + 0.4, color=LIGHT.bad)
        axes.set_xlim(edges[0], edges[-1])
        names = [f"{name}: {alpha.size}" for name, alpha in values.items()]
        _rows(axes, names, "scale alpha by channel; red: median")
    return figure


def variance_picture(ratios: Mapping[str, float]) -> Figure:
    """Variance in training over variance in test before each normalisation; bars start at 1.

    Args:
        ratios: from a layer's name to its ratio, > 0, no unit; the first on top.

    Raises:
        UserError: no layers, or a ratio that is not above 0.
    """
    if not ratios:
        raise UserError("ratios: no layers; give at least one")
    for name, ratio in ratios.items():
        if not 0 < ratio < np.inf:
            raise UserError(f"ratios: {name} must be above 0, not {ratio}; measure both variances")
    shift = np.array(list(ratios.values()), dtype=np.float64) - 1.0
    reach = max(float(np.abs(shift).max()), 0.05)
    with drawing("variance", 0.8 + 0.32 * len(ratios)) as figure:
        axes = figure.subplots()
        axes.barh(range(len(shift)), shift, 0.62, 1.0, color=LIGHT.accent)
        for row, one in enumerate(shift):
            side = "left" if one >= 0 else "right"
            note = f" {1 + one:.3g} "
            axes.text(1 + one, row, note, ha=side, va="center", fontsize="small")
        low, high = min(float(shift.min()), 0.0), max(float(shift.max()), 0.0)
        axes.set_xlim(1 + low - 0.25 * reach, 1 + high + 0.25 * reach)
        _rows(axes, list(ratios), "variance in training / variance in test")
    return figure
