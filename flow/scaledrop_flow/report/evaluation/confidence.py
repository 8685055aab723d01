# SPDX-License-Identifier: Apache-2.0
"""Whether confidence means accuracy, and what refusing to answer buys."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from scaledrop.metrics import ReliabilityCurve, RiskCoverage
from scaledrop_flow.report.style import LIGHT, bare, drawing, legend, thinned

__all__ = ["reliability_picture", "risk_coverage_picture"]


def _gaps(axes: Axes, curve: ReliabilityCurve) -> None:
    """Bars of accuracy, and from each its distance to the confidence of the bin."""
    full = curve.count > 0
    left, width = curve.edges[:-1][full], np.diff(curve.edges)[full]
    accuracy, confidence = curve.accuracy[full], curve.confidence[full]
    # A bin of equal counts may be one single confidence wide.
    axes.bar(
        np.where(width > 0, left, confidence - 0.002),
        accuracy,
        np.maximum(width, 0.004),
        align="edge",
        color=LIGHT.accent,
        alpha=0.45,
        edgecolor=LIGHT.accent,
        linewidth=0.6,
    )
    axes.vlines(confidence, accuracy, confidence, color=LIGHT.bad, linewidth=2, label="gap")
    axes.plot(
        [0, 1], [0, 1], color=LIGHT.ink, linewidth=1, linestyle=(0, (2, 2)), label="calibrated"
    )


def reliability_picture(curve: ReliabilityCurve) -> Figure:
    """Accuracy by confidence, the gap to the diagonal, and below how many predictions each bin has.

    Args:
        curve: from :func:`scaledrop.metrics.reliability_curve`, equal width or equal mass.
    """
    with drawing("reliability", 4.2) as figure:
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        _gaps(top, curve)
        top.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
        legend(top, f"ECE {curve.error:.3f}")
        low.stairs(curve.count, curve.edges, fill=True, color=LIGHT.soft)
        low.set(ylim=(0, None), ylabel="predictions", xlabel="confidence: largest probability")
        low.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        for axes in (top, low):
            axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)
            axes.set_axisbelow(True)
            bare(axes)
        figure.align_ylabels()
    return figure


def risk_coverage_picture(curve: RiskCoverage) -> Figure:
    """Error rate among the answers against the share answered, with that of an oracle.

    Args:
        curve: from :func:`scaledrop.metrics.risk_coverage`.
    """
    with drawing("risk-coverage", 2.9) as figure:
        axes = figure.subplots()
        rows = thinned(len(curve.risk))
        coverage, risk, optimal = (v[rows] for v in (curve.coverage, curve.risk, curve.optimal))
        axes.fill_between(coverage, optimal, risk, color=LIGHT.accent, alpha=0.15, linewidth=0)
        axes.plot(coverage, risk, color=LIGHT.accent, linewidth=1.6, label="by uncertainty")
        axes.plot(
            coverage,
            optimal,
            color=LIGHT.ink,
            linewidth=1,
            linestyle=(0, (2, 2)),
            label="best possible",
        )
        axes.set(xlim=(0, 1), ylim=(0, max(float(risk.max()) * 1.05, 0.01)))
        axes.set(xlabel=f"answered (AURC {curve.aurc:.4f}, E-AURC {curve.e_aurc:.4f})")
        axes.set(ylabel="wrong among the answers")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        legend(axes)
        axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)
        axes.set_axisbelow(True)
        bare(axes)
    return figure
