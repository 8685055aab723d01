# SPDX-License-Identifier: Apache-2.0
"""Dense predictions next to what they should be, and where the network doubts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scaledrop.errors import UserError
from scaledrop_flow.report.style import LIGHT, drawing

__all__ = ["segmentation_picture"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]

_COLUMNS = ("image", "label", "prediction", "entropy", "error")
_WIDTH = 7.0


def _class_colours(count: int) -> npt.NDArray[np.float64]:
    """(K + 1, 3): one a class, the last for void."""
    if count <= 20:
        table = mpl.colormaps["tab10" if count <= 10 else "tab20"]
        colours = [table(k)[:3] for k in range(count)]
    else:
        colours = [mpl.colormaps["turbo"](k / (count - 1))[:3] for k in range(count)]
    return np.array([*colours, to_rgb(LIGHT.grid)])


def _check(images: npt.NDArray[Any], maps: dict[str, npt.NDArray[Any]], classes: int) -> None:
    shape = images.shape[:3]
    if images.ndim not in {3, 4} or 0 in shape or images.shape[3:] not in {(), (3,)}:
        raise UserError(
            f"images: shape must be (N, H, W) or (N, H, W, 3), not {images.shape}; "
            "give a few, channels last"
        )
    for field, values in maps.items():
        if values.shape != shape:
            raise UserError(
                f"{field}: shape must be {shape} as of images, not {values.shape}; crop"
            )
    for field in ("labels", "predicted"):
        if maps[field].dtype.kind not in "iu":
            raise UserError(f"{field}: must be integers, not {maps[field].dtype}; give classes")
    if not np.isfinite(maps["entropy"]).all():
        raise UserError("entropy: must be finite numbers; check the predictions")
    if maps["predicted"].min() < 0 or maps["predicted"].max() >= classes:
        raise UserError(
            f"predicted: must be 0 to {classes - 1}, not {maps['predicted'].min()} to "
            f"{maps['predicted'].max()}; give a name for every class"
        )


def _show(axes: Axes, pixels: npt.NDArray[Any], **how: Any) -> None:
    axes.imshow(pixels, interpolation="none", **how)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def segmentation_picture(
    images: npt.NDArray[Any],
    labels: Labels,
    predicted: Labels,
    entropy: Floats,
    names: Sequence[str],
) -> Figure:
    """One row an image: image, label, prediction, entropy, error.

    Args:
        images: (N, H, W) grey or (N, H, W, 3), uint8, or float from 0 to 1.
        labels: (N, H, W) integers; anything outside 0 to K - 1 is void and shown grey.
        predicted: (N, H, W) integers, 0 to K - 1.
        entropy: (N, H, W) nats; all rows share the scale 0 to ln K.
        names: K names of the classes.

    Raises:
        UserError: shapes or dtypes that differ, or predictions outside the classes.
    """
    maps = {"labels": labels, "predicted": predicted, "entropy": entropy}
    _check(images, maps, len(names))
    colours, limit = _class_colours(len(names)), float(np.log(len(names)))
    void = (labels < 0) | (labels >= len(names))
    shown = np.where(void, len(names), labels)
    # Paper where right, the colour of mistakes where wrong, grey where nothing is known.
    verdict = np.where(void, 2, predicted != labels)
    verdicts = ListedColormap([LIGHT.paper, LIGHT.bad, LIGHT.grid])
    count, height, width = images.shape[:3]
    cell = _WIDTH / len(_COLUMNS)
    # About 90 small letters fit the width; a box and two gaps take the room of six.
    columns = max(1, min(6, 90 // (max(map(len, names)) + 6)))
    tall = count * cell * height / width + 0.35 + 0.2 * -(-(len(names) + 1) // columns)
    with drawing("segmentation", tall, _WIDTH) as figure:
        grid = figure.subplots(count, len(_COLUMNS), squeeze=False)
        for row in range(count):
            top = 255 if images.dtype == np.uint8 else 1
            _show(grid[row, 0], images[row], cmap="gray", vmin=0, vmax=top)
            _show(grid[row, 1], colours[shown[row]])
            _show(grid[row, 2], colours[predicted[row]])
            _show(grid[row, 3], entropy[row], cmap="magma", vmin=0, vmax=max(limit, 1e-9))
            _show(grid[row, 4], verdict[row], cmap=verdicts, vmin=0, vmax=2)
        for axes, word in zip(grid[0], _COLUMNS, strict=True):
            note = f"entropy 0 to {limit:.2f}" if word == "entropy" else word
            axes.set_title(note, fontsize="medium")
        entries = [Patch(color=c, label=n) for c, n in zip(colours, [*names, "void"], strict=True)]
        figure.legend(
            handles=entries if void.any() else entries[:-1],
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            fontsize="small",
            handlelength=1.0,
        )
    return figure
