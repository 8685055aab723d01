# SPDX-License-Identifier: Apache-2.0
"""What the uncertainty says about known and unknown inputs, and which kind of it says so."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scaledrop.errors import UserError
from scaledrop.metrics import ood_scores, roc_curve
from scaledrop.metrics.checks import finite
from scaledrop_flow.report.style import LIGHT, bare, drawing, legend, thinned

__all__ = ["entropy_split_picture", "ood_picture"]

Floats = npt.NDArray[np.float64]

_BINS = 30


def _histogram(axes: Axes, values: Floats, bins: Floats, word: str, colour: str) -> None:
    axes.hist(np.clip(values, bins[0], bins[-1]), bins=bins.tolist(), color=colour, rwidth=0.86)
    axes.axvline(float(np.median(values)), color=LIGHT.ink, linewidth=1, linestyle=(0, (2, 2)))
    note = f"{word}: {values.size}, median {np.median(values):.2g}"
    axes.set_title(note, loc="right", fontsize="medium")
    axes.set(ylabel="inputs", xlim=(bins[0], bins[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)


def _roc(axes: Axes, known: Floats, unknown: Floats) -> None:
    rates = roc_curve(known, unknown)
    false, true = (rate[thinned(len(rate))] for rate in rates)
    axes.plot([0, 1], [0, 1], color=LIGHT.ink, linewidth=1, linestyle=(0, (2, 2)))
    axes.plot(false, true, color=LIGHT.accent, linewidth=1.6)
    axes.fill_between(false, true, color=LIGHT.accent, alpha=0.15, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    axes.set(xlabel="known flagged (false positive rate)", ylabel="unknown flagged")
    axes.grid(color=LIGHT.grid, linewidth=0.5)


def ood_picture(known: Floats, unknown: Floats, limit: float) -> Figure:
    """Entropy histograms of known and unknown inputs over one axis, and the ROC below.

    Args:
        known: (N,) or any shape, nats, finite.
        unknown: (M,) or any shape, nats, finite: out of distribution, the positive class.
        limit: largest entropy possible, ln K, nats, > 0; right end of the axis.

    Raises:
        UserError: no scores, not finite, or a limit that is not above 0.
    """
    if not 0 < limit < np.inf:
        raise UserError(f"limit: must be above 0, not {limit}; give ln of the number of classes")
    inside, outside = finite("known", known), finite("unknown", unknown)
    scores, bins = ood_scores(inside, outside), np.linspace(0, limit, _BINS + 1)
    with drawing("ood", 5.4) as figure:
        top, middle, low = figure.subplots(3, 1, height_ratios=[1, 1, 2.2])
        _histogram(top, inside, bins, "known", LIGHT.accent)
        _histogram(middle, outside, bins, "unknown", LIGHT.bad)
        top.tick_params(labelbottom=False)
        middle.set_xlabel(f"predictive entropy, nats (ln K = {limit:.2f})")
        _roc(low, inside, outside)
        low.set_title(
            f"AUROC {scores.auroc:.3f}, FPR at 95 % TPR {scores.fpr95:.3f}",
            loc="right",
            fontsize="medium",
        )
        for axes in (top, middle, low):
            axes.set_axisbelow(True)
            bare(axes)
        figure.align_ylabels()
    return figure


def entropy_split_picture(groups: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    """Mean entropy of each group, split into the data's share and the model's, as stacked bars.

    Args:
        groups: from a name such as "right", "wrong", "unknown" to the expected entropy and the
            mutual information of its inputs, each (N,) or any shape, nats, finite; drawn from the
            top in this order. A group without inputs keeps its row and says so.

    Raises:
        UserError: no groups, values not finite, or unequal counts within one.
    """
    if not groups:
        raise UserError("groups: none given; give at least one, such as right")
    means = []
    for name, (expected, mutual) in groups.items():
        if np.shape(expected) != np.shape(mutual):
            raise UserError(
                f"groups: {name} has {np.shape(expected)} expected entropies and "
                f"{np.shape(mutual)} mutual informations; give both for every input"
            )
        some = np.size(expected) > 0
        means.append([float(finite(name, v).mean()) if some else 0.0 for v in (expected, mutual)])
    with drawing("entropy-split", 0.95 + 0.36 * len(groups)) as figure:
        axes = figure.subplots()
        data, model = np.array(means).T
        rows = range(len(groups))
        axes.barh(rows, data, 0.62, color=LIGHT.accent, label="expected entropy")
        axes.barh(rows, model, 0.62, data, color=LIGHT.bad, label="mutual information")
        for row, (first, second) in enumerate(means):
            note = f" {first:.3g} + {second:.3g}" if np.size(list(groups.values())[row][0]) else ""
            axes.text(first + second, row, note, va="center", fontsize="small")
        names = [f"{name}: {np.size(v[0]) or 'none'}" for name, v in groups.items()]
        axes.set_yticks(rows, names)
        axes.set(ylim=(len(groups) - 0.5, -0.5), xlabel="mean, nats (data + model)")
        axes.set_xlim(0, 1.45 * max(float((data + model).max()), 1e-3))
        legend(axes)
        axes.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes)
    return figure
