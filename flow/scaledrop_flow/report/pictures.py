# SPDX-License-Identifier: Apache-2.0
"""The page's pictures as text: SVG that takes the page's colours and fonts, and tiny PNGs.

Same input, same bytes: no date, no random identifiers. Colours are CSS variables of the page, so
that one picture serves light and dark. Sizes are those of a phone; the page lets them grow.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from scaledrop_flow.report.style import STAND_INS, WIDTH, bare, rc, svg

__all__ = ["energy_picture", "entropy_picture", "thumbnail"]

_INK, _BAD, _GOOD = STAND_INS.ink, STAND_INS.bad, STAND_INS.accent
_GRID, _PAPER = STAND_INS.grid, STAND_INS.paper


def _svg(figure: Figure, name: str, title: str) -> str:
    return svg(figure, name, title, STAND_INS)


def _figure(name: str, height: float) -> tuple[Figure, Any]:
    style = rc(STAND_INS, name)
    with mpl.rc_context(style):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    return figure, style


def entropy_picture(
    entropy: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], limit: float
) -> str:
    """Histograms of the predictive entropy, right predictions above wrong ones, as SVG.

    Args:
        entropy: (N,) nats.
        right: (N,) whether the prediction is the label.
        limit: Largest entropy possible, ln K; the right end of the axis.
    """
    bins = np.linspace(0, max(limit, 1e-9), 31)
    figure, style = _figure("entropy", 2.8)
    with mpl.rc_context(style):
        both = figure.subplots(2, 1, sharex=True)
        groups = ((both[0], right, "right", _GOOD), (both[1], ~right, "wrong", _BAD))
        for axes, chosen, word, colour in groups:
            values = np.minimum(entropy[chosen], limit)
            axes.hist(values, bins=bins, color=colour, rwidth=0.86)
            axes.set_ylim(0, None if values.size else 1)
            axes.set_ylabel("images")
            axes.yaxis.get_major_locator().set_params(integer=True, nbins=3)
            axes.grid(axis="y", color=_GRID, linewidth=0.5)
            axes.set_axisbelow(True)
            bare(axes)
            if values.size:
                middle = float(np.median(values))
                axes.axvline(middle, color=_INK, linewidth=1, linestyle=(0, (2, 2)))
                note = f"{word}: {values.size}, median {middle:.2g}"
            else:
                note = f"{word}: none"
            axes.set_title(note, loc="right", fontsize="medium", color=_INK)
        both[1].set_xlabel(f"predictive entropy, nats (ln K = {limit:.2f})")
        both[1].set_xlim(0, bins[-1])
        return _svg(figure, "entropy", "Entropy of right and of wrong predictions")


def energy_picture(components: Sequence[Mapping[str, Any]]) -> str:
    """Joules per image by component, a dot with its band on a logarithmic axis, as SVG.

    Args:
        components: ``{name, value, low, high, label}``; those without a positive low are left out.
            Label MEM is drawn hollow and called unverified.
    """
    shown = sorted((c for c in components if (c["low"] or 0) > 0), key=lambda c: float(c["value"]))
    figure, style = _figure("energy", 0.75 + 0.22 * len(shown))
    with mpl.rc_context(style):
        axes = figure.subplots()
        for y, one in enumerate(shown):
            remembered = one["label"] == "MEM"
            colour = _BAD if remembered else _GOOD
            axes.plot(
                [one["low"], one["high"]],
                [y, y],
                color=colour,
                linewidth=3,
                alpha=0.35,
                solid_capstyle="butt",
            )
            for end in (one["low"], one["high"]):
                axes.plot([end, end], [y - 0.22, y + 0.22], color=colour, linewidth=1)
            axes.plot(
                one["value"],
                y,
                "o",
                markersize=5,
                color=colour,
                markerfacecolor=_PAPER if remembered else colour,
            )
        names = [one["name"] + (" (unverified)" if one["label"] == "MEM" else "") for one in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(-0.7, max(len(shown), 1) - 0.3)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=5))
        axes.xaxis.set_major_formatter(EngFormatter("J", sep=" "))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="x", color=_GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("per image, log scale, low to high")
        bare(axes)
        return _svg(figure, "energy", "Energy by component with its band")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """A greyscale (H, W) picture as a ``data:`` URI of a PNG."""
    height, width = image.shape
    lines = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in image)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")
    png = b"\x89PNG\r\n\x1a\n" + body
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
