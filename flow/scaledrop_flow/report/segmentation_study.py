# SPDX-License-Identifier: Apache-2.0
"""Picture of the study of segmentation: the uncertainty map beside the error map, of one tile.

``python -m scaledrop_flow.report.segmentation_study build/cache docs/pictures`` draws it from the
network in the cache, which it trains first if it is not there. The maps are pictures within the
SVG, 128 x 128 each.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.figure import Figure

from scaledrop_flow.report.evaluation import segmentation_picture
from scaledrop_flow.report.style import save
from scaledrop_flow.studies.segmentation import NETWORKS, predicted_tiles
from scaledrop_flow.studies.task_cells import Point
from scaledrop_flow.studies.tasks import TASKS

__all__ = ["map_picture"]

TILE = 5


def map_picture(point: Point, data: Path | None, cache: Path, tile: int = TILE) -> Figure:
    """Image, label, prediction, entropy and error of one test tile.

    Args:
        point: of the study of segmentation.
        data, cache: as every study has them.
        tile: which, counted from 0.
    """
    tiles, labels, found, _ = predicted_tiles(point, data, cache)
    one = slice(tile, tile + 1)
    names = ("cell", "membrane")
    return segmentation_picture(
        tiles[one], labels[one], found.predicted[one], found.entropy[one], names
    )


if __name__ == "__main__":
    shown = map_picture(Point(TASKS["isbi2012"], (NETWORKS[0],), 0), None, Path(sys.argv[1]))
    save(shown, Path(sys.argv[2]) / "study-segmentation.svg")
