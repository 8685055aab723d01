# SPDX-License-Identifier: Apache-2.0
"""The page's pictures as text: SVG that takes the page's colours and fonts, and tiny PNGs.

Same input, same bytes: no date, no random identifiers. Colours are CSS variables of the page, so
that one picture serves light and dark. Sizes are those of a phone; the page lets them grow.
"""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

__all__ = ["energy_picture", "entropy_picture", "thumbnail"]

# Stand-ins that matplotlib writes and the page's variables that replace them.
_INK, _SOFT, _GOOD, _BAD, _GRID, _PAPER = (f"#0102{i:02x}" for i in range(3, 9))
_VARIABLES = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _GOOD: "var(--accent)",
    _BAD: "var(--bad)",
    _GRID: "var(--line)",
    _PAPER: "var(--card)",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": _INK,
    "axes.labelcolor": _SOFT,
    "axes.edgecolor": _GRID,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": _SOFT,
    "ytick.labelcolor": _INK,
    "xtick.major.pad": 5.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def _svg(figure: Figure, name: str, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>',
        rf'<svg viewBox="\1" role="img">'
        f"<title>{title}</title>",
        text,
        count=1,
    )
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, variable)
    return text.strip()


def _figure(name: str, height: float) -> tuple[Figure, Any]:
    style: Any = {**_STYLE, "svg.hashsalt": f"scaledrop-{name}"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(4.2, height), layout="constrained")
    figure.patch.set_alpha(0)
    return figure, style


def _bare(axes: Axes) -> None:
    axes.patch.set_alpha(0)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


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
            _bare(axes)
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
        _bare(axes)
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
