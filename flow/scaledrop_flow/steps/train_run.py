# SPDX-License-Identifier: Apache-2.0
"""One training in a folder of its own, which can be interrupted and gone on with.

The folder holds ``last.checkpoint`` until everything else is written: ``checkpoint``,
``train.json`` and the pictures; ``log.csv`` grows with the epochs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.training import (
    Checkpoint,
    EpochRecord,
    ResumePoint,
    TrainConfig,
    TrainResult,
    config_for,
    deterministic,
    load_checkpoint,
    load_resume,
)
from scaledrop.training.records import first_difference
from scaledrop_flow.image_source import holds_sets, image_set
from scaledrop_flow.steps.choices import DEFAULT, find_config, with_choices
from scaledrop_flow.steps.train import BatchProgress, Progress, train_and_save, unfinished
from scaledrop_flow.steps.train_log import CsvLog, save_pictures, summary

__all__ = ["TrainChoices", "TrainRun", "interruption"]


@dataclass(frozen=True)
class TrainChoices:
    """What the user asked for; None leaves it to the configuration.

    Attributes:
        out: folder of the run.
        config: name or file; with ``resume``, None takes that of the interrupted run.
        data: as for :func:`scaledrop_flow.image_source.image_set`.
        widths, p, name, epochs, seed: as for :func:`with_choices`.
        twin: without dropout.
        device: "cpu", "cuda" or "auto".
        resume: go on with what is in ``out``.
        restart: replace what is in ``out``.
    """

    out: Path
    config: str | None = None
    data: Path | None = None
    widths: str | None = None
    p: str | None = None
    name: str | None = None
    epochs: int | None = None
    seed: int | None = None
    twin: bool = False
    device: str = "cpu"
    resume: bool = False
    restart: bool = False


class TrainRun:
    """A training that is ready to start: choices, images and folder were found to agree.

    Parameters:
        choices: what the user asked for.

    Attributes:
        config: what will be trained.
        data: its images.
        path: of the checkpoint to come.
        point: where it goes on; None from the beginning.
        finished: the folder holds this very training already.

    Raises:
        UserError: a choice is wrong, the images are missing or do not fit, or the folder holds a
            training that is neither to be resumed nor replaced.
    """

    def __init__(self, choices: TrainChoices) -> None:
        self.choices, self.path = choices, choices.out / "checkpoint"
        if choices.resume and choices.restart:
            raise UserError("resume: goes without --restart; use one of them")
        if not (choices.resume or choices.restart):
            _refuse_used(self.path)
        self.point = _point(unfinished(self.path)) if choices.resume else None
        done = self._finished_config() if choices.resume and self.point is None else None
        self.config, self.data = self._prepared(self.point.config if self.point else done)
        self.finished = done is not None
        if done is not None:
            _same(self.config, done, self.path)

    def _prepared(self, before: TrainConfig | None) -> tuple[TrainConfig, ImageSet]:
        """The configuration and the images, given that of the run that is in the folder."""
        choices = self.choices
        base = find_config(choices.config or DEFAULT)
        if before is not None and choices.config is None:
            base = before
        if choices.data is None or holds_sets(choices.data):
            # The choices are checked before the images, which may take long or be missing.
            config = _chosen(base, choices)
            return config, image_set(config.data, choices.data)
        images = image_set(base.data, choices.data)
        return _chosen(config_for(base, images), choices), images

    def _finished_config(self) -> TrainConfig | None:
        return load_checkpoint(self.path).config if self.path.exists() else None

    def __call__(
        self, progress: Progress | None = None, on_batch: BatchProgress | None = None
    ) -> dict[str, Any]:
        """Train, and write everything; returns the contents of ``train.json``.

        Raises:
            UserError: as :func:`scaledrop.training.train`.
        """
        if self.choices.restart:
            unfinished(self.path).unlink(missing_ok=True)
        before = self.point.history if self.point is not None else ()
        log = CsvLog(self.choices.out / "log.csv", before)

        def both(record: EpochRecord) -> None:
            log(record)
            if progress is not None:
                progress(record)

        values: dict[str, Any] = {}

        def write(checkpoint: Checkpoint, result: TrainResult) -> None:
            values.update(summary(checkpoint, result, self.data))
            text = json.dumps(values, indent=2, allow_nan=False) + "\n"
            write_atomically(self.choices.out / "train.json", text.encode())
            save_pictures(values, checkpoint.net, self.choices.out)

        train_and_save(
            self.config,
            self.data,
            self.path,
            both,
            on_batch,
            self.point,
            self.choices.device,
            write,
        )
        return values


def _chosen(base: TrainConfig, choices: TrainChoices) -> TrainConfig:
    config = with_choices(
        base, choices.widths, choices.p, choices.name, choices.epochs, choices.seed
    )
    return deterministic(config) if choices.twin else config


def _point(path: Path) -> ResumePoint | None:
    if not path.exists():
        return None
    try:
        return load_resume(path)
    except UserError as error:
        raise UserError(f"{error}, from the beginning with --restart") from None


def _same(config: TrainConfig, done: TrainConfig, path: Path) -> None:
    different = first_difference(config, done)
    if different is not None:
        name, new, old = different
        raise UserError(
            f"{name}: is {new!r} but the training in {path.parent} is finished with {old!r}; "
            "replace it with --restart or choose another --out"
        )


def _refuse_used(path: Path) -> None:
    last = unfinished(path)
    if last.exists():
        raise UserError(
            f"{last}: a training was interrupted here{_progress(last)}; go on with --resume, start "
            "again with --restart, or choose another --out"
        )
    if path.exists():
        raise UserError(
            f"{path}: a training is finished here; replace it with --restart or choose another "
            "--out"
        )


def _progress(last: Path) -> str:
    try:
        point = load_resume(last)
    except UserError:
        return ""
    return f" after epoch {len(point.history)} of {point.config.epochs}"


def interruption(out: Path, arguments: Sequence[str]) -> str:
    """What to tell a user who interrupted the training in ``out``.

    Args:
        out: folder of the run.
        arguments: of the command that was interrupted.
    """
    last = unfinished(out / "checkpoint")
    if not last.exists():
        return "interrupted; run the same command again"
    same = [word for word in arguments if word not in ("--restart", "--resume")]
    command = shlex.join(["scaledrop", *same, "--resume"])
    return f"interrupted{_progress(last)}, kept in {last}; go on with: {command}"
