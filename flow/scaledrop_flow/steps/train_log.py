# SPDX-License-Identifier: Apache-2.0
"""What a training leaves beside its checkpoint: a table, a report and pictures."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from scaledrop.atomic import write_atomically
from scaledrop.data import ImageSet
from scaledrop.nn import ScaleDropNet, VarianceShift, scale_spread, variance_shift
from scaledrop.training import Checkpoint, EpochRecord, TrainConfig, TrainResult, parts_of

__all__ = ["CsvLog", "save_pictures", "summary"]

COLUMNS = tuple(field.name for field in dataclasses.fields(EpochRecord) if field.name != "epochs")
SAMPLE = 1000
"""Images of each part on which the variance shift is measured."""


class CsvLog:
    """``log.csv``, one row an epoch, written as the epochs end.

    Columns: epoch, loss, task_loss, accuracy, validation_accuracy (empty if unknown),
    learning_rate, seconds. The first row that is written begins the file anew, with the rows of
    ``history`` before it, so that a resumed run neither repeats nor loses one.

    Parameters:
        path: of the file.
        history: epochs of an interrupted run.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: Path, history: Sequence[EpochRecord] = ()) -> None:
        self.path, self.before = path, tuple(history)
        self._begun = False

    def __call__(self, record: EpochRecord) -> None:
        if self._begun:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_rows([record]))
            return
        text = _rows([*self.before, record])
        write_atomically(self.path, (",".join(COLUMNS) + "\n" + text).encode())
        self._begun = True


def _rows(records: Sequence[EpochRecord]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for record in records:
        values = (getattr(record, name) for name in COLUMNS)
        writer.writerow(["" if value is None else value for value in values])
    return buffer.getvalue()


def _shifts(config: TrainConfig, net: ScaleDropNet, data: ImageSet) -> tuple[VarianceShift, ...]:
    """The variance shift of each layer; nothing without two test images."""
    train, test = (parts_of(config, data, part)[0][:SAMPLE] for part in ("train", "test"))
    size = min(config.batch_size, len(train), len(test))
    return variance_shift(net, train, test, config.seed, size) if size >= 2 else ()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def summary(checkpoint: Checkpoint, result: TrainResult, data: ImageSet) -> dict[str, Any]:
    """The contents of ``train.json``.

    Keys: ``config``; ``seed``; ``checkpoint_sha256``; ``data`` with name, sha256 of the training
    part and number of training images; ``history``, one object an epoch; ``scales``, mean, standard
    deviation and extremes of the quantised scales by layer; ``variance_shift``, variance in
    training and in test behind each BatchNorm and its ratio (None if infinite), on up to 1000
    images of each part; ``device``; ``threads``; ``wall_s``, the sum over the epochs; ``versions``.
    """
    config = checkpoint.config
    return {
        "config": config.to_values(),
        "seed": config.seed,
        "checkpoint_sha256": checkpoint.sha256,
        "data": {
            "name": data.name,
            "sha256": result.data_sha256,
            "train_images": len(data.train_images),
        },
        "history": [dataclasses.asdict(record) for record in result.history],
        "scales": [dataclasses.asdict(one) for one in scale_spread(checkpoint.net)],
        "variance_shift": [
            {**dataclasses.asdict(one), "ratio": _finite(one.ratio)}
            for one in _shifts(config, checkpoint.net, data)
        ],
        "device": result.device,
        "threads": config.threads,
        "wall_s": round(sum(record.seconds for record in result.history), 3),
        "versions": {
            "scaledrop": version("scaledrop"),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }


def save_pictures(values: dict[str, Any], net: ScaleDropNet, folder: Path) -> list[Path]:
    """``curves.svg``, ``scales.svg`` and ``variance.svg``; the last only where the ratios are
    positive numbers.

    Args:
        values: of :func:`summary`.
        net: the trained network.
        folder: exists.
    """
    from scaledrop_flow.report.evaluation import scale_picture, training_picture, variance_picture
    from scaledrop_flow.report.style import save

    with torch.no_grad():
        scales = {name: net.block(name).scale.quantised().numpy() for name in net.layers}
    pictures = {"curves": training_picture(values["history"]), "scales": scale_picture(scales)}
    ratios = {one["layer"]: one["ratio"] for one in values["variance_shift"]}
    if ratios and all(ratio is not None and ratio > 0 for ratio in ratios.values()):
        pictures["variance"] = variance_picture(ratios)
    paths = [folder / f"{name}.svg" for name in pictures]
    for figure, path in zip(pictures.values(), paths, strict=True):
        save(figure, path)
    return paths
