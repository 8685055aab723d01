# SPDX-License-Identifier: Apache-2.0
"""One training run: seeded, the same bits every time on one machine, interrupted or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar, overload

import torch
from torch import Tensor

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropNet, Trainable, calibrate_norms
from scaledrop.nn.seeds import stream
from scaledrop.training.batches import Batches, digest_of, parts_of
from scaledrop.training.config import TrainConfig
from scaledrop.training.fit import check_data
from scaledrop.training.loss import scale_dropout_loss
from scaledrop.training.process import chosen_device, keep_heap, memory_errors, pinned
from scaledrop.training.records import EpochRecord, ResumePoint, Trained, TrainResult
from scaledrop.training.validation import Validation

__all__ = ["train"]

CHECK = 20
"""Steps between two looks at the loss: a look makes a GPU wait."""

Progress = Callable[[EpochRecord], None]
BatchProgress = Callable[[int, int, int], None]
Save = Callable[[ResumePoint], None]

Net = TypeVar("Net", bound=Trainable)
Build = Callable[[TrainConfig], Net]


class _Run:
    """The state of a run between its steps."""

    def __init__(
        self, config: TrainConfig, data: ImageSet, device: torch.device, build: Build[Trainable]
    ) -> None:
        self.config, self.device = config, device
        self.batches = Batches(config, data, device)
        self.validation = Validation(config, data, device)
        self.net = build(config).to(device).train()
        self.order, self.augment = stream(config.seed, 2), stream(config.seed, 3)
        self.optimiser = _optimiser(self.net, config)
        self.peaks = [group["lr"] for group in self.optimiser.param_groups]
        self.history: list[EpochRecord] = []

    @property
    def generators(self) -> dict[str, torch.Generator]:
        return {"masks": self.net.generator, "order": self.order, "augment": self.augment}

    def point(self, data_sha256: str) -> ResumePoint:
        """A copy of the state, on the CPU."""
        moments = self.optimiser.state_dict()["state"]
        return ResumePoint(
            self.config,
            tuple(self.history),
            _copies(self.net.state_dict()),
            {index: _copies(values) for index, values in moments.items()},
            {name: generator.get_state() for name, generator in self.generators.items()},
            data_sha256,
            self.device.type,
        )

    def restore(self, point: ResumePoint) -> None:
        """The inverse of :meth:`point`."""
        self.history = list(point.history)
        self.net.load_state_dict(dict(point.state))
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": dict(point.optimiser), "param_groups": groups})
        for name, generator in self.generators.items():
            generator.set_state(point.generators[name])

    def set_rate(self, step: int) -> None:
        """Half a cosine over the whole run."""
        share = 0.5 * (1 + math.cos(math.pi * step / (self.config.epochs * self.batches.steps)))
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share

    def step(self, pixels: Tensor, labels: Tensor) -> Tensor:
        """Objective, cross entropy and share of right answers of one batch."""
        config = self.config
        narrow = config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=narrow):
            logits = self.net(pixels)
        loss, task = scale_dropout_loss(
            self.net,
            logits.float(),
            labels,
            config.weight_decay,
            config.scale_pull,
            config.label_smoothing,
        )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.net.clamp_()
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        return torch.stack([loss.detach(), task.detach(), right])

    def epoch(self, on_batch: BatchProgress | None) -> EpochRecord:
        """The next epoch."""
        start, number, steps = time.monotonic(), len(self.history) + 1, self.batches.steps
        first = (number - 1) * steps
        rows: list[Tensor] = []
        for index, (pixels, labels) in enumerate(self.batches.epoch(self.order, self.augment), 1):
            self.set_rate(first + index - 1)
            rows.append(self.step(pixels, labels))
            if index % CHECK == 0 or index == steps:
                self._check_losses(rows, number)
            if on_batch is not None:
                on_batch(number, index, steps)
        self._check_weights(number)
        loss, task, accuracy = torch.stack(rows).double().mean(dim=0).tolist()
        self.set_rate(first)
        rate, valid = self.optimiser.param_groups[0]["lr"], self.validation.accuracy(self.net)
        seconds = time.monotonic() - start
        return EpochRecord(
            number, self.config.epochs, loss, task, accuracy, valid, rate, round(seconds, 3)
        )

    def _check_losses(self, rows: list[Tensor], epoch: int) -> None:
        start = (len(rows) - 1) // CHECK * CHECK
        for step, loss in enumerate(torch.stack(rows[start:])[:, 0].tolist(), start + 1):
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss}", f"step {step} of epoch {epoch}")

    def _check_weights(self, epoch: int) -> None:
        # The last step of an epoch may spoil the weights after its loss was found good.
        if not all(bool(value.isfinite().all()) for value in self.net.state_dict().values()):
            raise self._diverged("the weights became infinite or NaN", f"epoch {epoch}")

    def _diverged(self, what: str, where: str) -> UserError:
        rate = self.config.learning_rate
        return UserError(f"learning_rate: {what} in {where} at {rate}; lower learning_rate")

    def finish(self, data: ImageSet) -> Trainable:
        """Estimate the statistics of BatchNorm, and leave training."""
        config = self.config
        if config.calibrate_passes:
            images = parts_of(config, data, "train")[0].to(self.device)
            calibrate_norms(
                self.net, images, config.calibrate_passes, config.batch_size, config.seed
            )
        return self.net.cpu().eval()


def _copies(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in values.items()}


def _optimiser(net: Trainable, config: TrainConfig) -> torch.optim.Optimizer:
    scales = list(net.scales)
    apart = {id(scale) for scale in scales}
    rest = [parameter for parameter in net.parameters() if id(parameter) not in apart]
    rate = config.learning_rate
    groups = [
        {"params": rest, "lr": rate},
        {"params": scales, "lr": config.scale_learning_rate or rate},
    ]
    return torch.optim.Adam(groups, fused=True)


def _scale_drop_net(config: TrainConfig) -> ScaleDropNet:
    return ScaleDropNet(config.network, config.seed)


@overload
def train(
    config: TrainConfig,
    data: ImageSet,
    progress: Progress | None = None,
    *,
    on_batch: BatchProgress | None = None,
    resume: ResumePoint | None = None,
    save: Save | None = None,
    device: str = "cpu",
) -> TrainResult: ...
@overload
def train(
    config: TrainConfig,
    data: ImageSet,
    progress: Progress | None = None,
    *,
    on_batch: BatchProgress | None = None,
    resume: ResumePoint | None = None,
    save: Save | None = None,
    device: str = "cpu",
    build: Build[Net],
) -> Trained[Net]: ...
def train(
    config: TrainConfig,
    data: ImageSet,
    progress: Progress | None = None,
    *,
    on_batch: BatchProgress | None = None,
    resume: ResumePoint | None = None,
    save: Save | None = None,
    device: str = "cpu",
    build: Build[Any] | None = None,
) -> Trained[Any]:
    """Train on ``data.train_images``; the test part is not looked at.

    On one machine's CPU the same configuration and data give the same bits, in one go or resumed:
    every random number comes from a generator seeded by ``config.seed``, and PyTorch is held to
    ``config.threads`` threads until the end.

    Args:
        config: the run.
        data: images of the network's shape and classes.
        progress: called after each epoch.
        on_batch: called after each batch with epoch, batch (both from 1) and batches of an epoch.
        resume: where an earlier call was interrupted.
        save: given the state at the end of each epoch, before ``progress`` is called.
        device: "cpu", "cuda" or "auto".
        build: makes the network that is trained, of the configuration's seed; a
            :class:`scaledrop.nn.ScaleDropNet` when None.

    Raises:
        UserError: data and network do not match, the loss is no longer a number, a batch does not
            fit in memory, or ``resume`` is of another run.
    """
    check_data(config, data)
    place, digest = chosen_device(device), digest_of(data)
    if resume is not None:
        resume.check(config, digest, place.type)
    keep_heap()
    with pinned(config.threads), memory_errors(config.batch_size):
        run = _Run(config, data, place, build or _scale_drop_net)
        if resume is not None:
            run.restore(resume)
        while len(run.history) < config.epochs:
            run.history.append(run.epoch(on_batch))
            if save is not None:
                save(run.point(digest))
            if progress is not None:
                progress(run.history[-1])
        net = run.finish(data)
    kind: type[Trained[Any]] = TrainResult if build is None else Trained
    return kind(net, tuple(run.history), place.type, digest)
