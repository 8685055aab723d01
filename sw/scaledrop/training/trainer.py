# SPDX-License-Identifier: Apache-2.0
"""One training run: seeded, on one thread, the same bits every time on one machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropNet
from scaledrop.training.config import TrainConfig
from scaledrop.training.loss import scale_dropout_loss

__all__ = ["EpochRecord", "TrainResult", "train"]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch as training saw it.

    Attributes:
        epoch: 1 to ``epochs``.
        epochs: how many there will be.
        loss: objective, mean over the batches.
        task_loss: its cross-entropy part, nats.
        accuracy: share of the training images that one stochastic pass got right.
    """

    epoch: int
    epochs: int
    loss: float
    task_loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class TrainResult:
    """A trained network, in evaluation mode, float32, and its history, one record per epoch."""

    net: ScaleDropNet
    history: tuple[EpochRecord, ...]


@contextmanager
def _one_thread() -> Iterator[None]:
    """The number of threads changes the order of float sums, hence the bits of the result."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_data(config: TrainConfig, data: ImageSet) -> None:
    network = config.network
    if data.shape != network.input_shape:
        raise UserError(
            f"input_shape: {network.input_shape} does not match the {data.name} images of "
            f"{data.shape}; change the configuration"
        )
    if data.classes != network.classes:
        raise UserError(
            f"classes: {network.classes} does not match the {data.classes} of {data.name}; "
            "change the configuration"
        )
    if config.batch_size > len(data.train_images):
        raise UserError(
            f"batch_size: {config.batch_size} is more than the {len(data.train_images)} training "
            "images; lower it"
        )


class _Run:
    """The state of a run between its steps."""

    def __init__(self, config: TrainConfig, data: ImageSet) -> None:
        self.config = config
        self.pixels = torch.from_numpy(data.train_images).reshape(len(data.train_images), -1)
        self.labels = torch.from_numpy(data.train_labels)
        self.net = ScaleDropNet(config.network, config.seed).train()
        self.order = torch.Generator().manual_seed(config.seed)
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate)
        steps = config.epochs * (len(self.pixels) // config.batch_size)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
        )

    def step(self, rows: Tensor) -> Tensor:
        """Objective, cross entropy and share of right answers of one batch."""
        labels = self.labels[rows]
        logits = self.net(self.pixels[rows])
        loss, task = scale_dropout_loss(
            self.net, logits, labels, self.config.weight_decay, self.config.scale_pull
        )
        if not torch.isfinite(loss):
            raise UserError(
                f"learning_rate: the loss became {loss.item()} at {self.config.learning_rate}; "
                "lower learning_rate"
            )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.schedule.step()
        self.net.clamp_()
        right = (logits.argmax(dim=1) == labels).float().mean()
        return torch.stack([loss, task, right]).detach()

    def epoch(self, number: int) -> EpochRecord:
        rows = torch.randperm(len(self.pixels), generator=self.order)
        batches = rows[: len(rows) // self.config.batch_size * self.config.batch_size]
        sums = [self.step(batch) for batch in batches.reshape(-1, self.config.batch_size)]
        loss, task, accuracy = torch.stack(sums).double().mean(dim=0).tolist()
        return EpochRecord(number, self.config.epochs, loss, task, accuracy)


def train(
    config: TrainConfig,
    data: ImageSet,
    progress: Callable[[EpochRecord], None] | None = None,
) -> TrainResult:
    """Train on ``data.train_images``; the test part is not looked at.

    On one machine the same configuration and data give the same bits: every random number comes
    from a generator seeded by ``config.seed``, and PyTorch is held to one thread until the end.

    Args:
        config: the run.
        data: images of the network's shape and classes.
        progress: called after each epoch.

    Raises:
        UserError: data and network do not match, or the loss is no longer a number.
    """
    _check_data(config, data)
    history: list[EpochRecord] = []
    with _one_thread():
        run = _Run(config, data)
        for number in range(1, config.epochs + 1):
            history.append(run.epoch(number))
            if progress is not None:
                progress(history[-1])
    return TrainResult(run.net.eval(), tuple(history))
