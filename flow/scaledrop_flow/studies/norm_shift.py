# SPDX-License-Identifier: Apache-2.0
"""Variance shift at every BatchNorm: plain dropout and scale dropout, and what remedies do to it.

``k = sqrt(variance in training / variance in evaluation)`` behind each norm, on the training images
in both modes so that nothing but the mode differs; beside it what the closed form says from the
mean and variance that the layer's sums have in evaluation, and the accuracy on the test images. The
closed form takes these from the layer alone: what an earlier layer's shift does to the next is in
the measurement only.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from scaledrop.data import ImageSet
from scaledrop.graph import Layer
from scaledrop.methods.model import fit_net
from scaledrop.methods.net import MethodNet, Site
from scaledrop.nn import ScaleDropNet, Trainable, calibrate_norms, variance_shift
from scaledrop.nn.dropout_facts import dropout_k, scale_k, uniform_k
from scaledrop.nn.scale import draw_bits
from scaledrop_flow.studies.noisy_site import BETA, NoisySite, P
from scaledrop_flow.studies.task_cells import Point, Row
from scaledrop_flow.studies.tasks import Task, trained_network

__all__ = ["point_rows"]

BATCH, SEED = 128, 9

Draw = Callable[[Trainable, Tensor, torch.Generator], Tensor]
ChannelK = Callable[[float, float, float], float]
"""From alpha and the mean and variance of a channel's sums (plain noise: times alpha) to k."""


@dataclass(frozen=True)
class Case:
    """One line of the study: a trained network under a remedy.

    Attributes:
        drop, remedy: names.
        net: as it is evaluated.
        test: a pass in evaluation.
        k_of: closed form of a channel; None where it says 1.
    """

    drop: str
    remedy: str
    net: Trainable
    test: Draw
    k_of: ChannelK | None


def _masked(net: Trainable, pixels: Tensor, generator: torch.Generator) -> Tensor:
    """A bit a sample, however the network was trained."""
    if not isinstance(net, ScaleDropNet):
        return net.drawn(pixels, generator)
    codes = [block.scale.drop_code for block in net.blocks]
    logits: Tensor = net(pixels, draw_bits(codes, len(pixels), "sample", generator))
    return logits


def _plain(net: Trainable, pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Nothing is dropped."""
    if isinstance(net, ScaleDropNet):
        keep = torch.ones(len(pixels), len(net.blocks), dtype=torch.bool)
        logits: Tensor = net(pixels, keep)
    else:
        logits = net(pixels)
    return logits


@torch.no_grad()
def _without_masks(net: MethodNet, images: Tensor) -> MethodNet:
    """A copy whose norms have seen the images with nothing dropped."""
    work = copy.deepcopy(net)
    for _, site in work.layers:
        assert isinstance(site, NoisySite)
        site.front = site.back = False
    calibrate_norms(work, images, 1, BATCH, SEED)
    for (_, site), (_, other) in zip(work.layers, net.layers, strict=True):
        assert isinstance(site, NoisySite) and isinstance(other, NoisySite)
        site.front, site.back = other.front, other.back
    return work.eval()


def _plain_cases(task: Task, seed: int, images: ImageSet) -> Iterator[Case]:
    pixels, config = torch.from_numpy(images.train_images), task.run(images, seed)
    last = len(config.network.graph.layers) - 1

    def fit(kind: str, behind: bool) -> MethodNet:
        def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
            return NoisySite(layer, shape, kind, behind=behind, last=index == last)

        return fit_net(config, images, site)

    def k_of(alpha: float, mean: float, variance: float) -> float:
        return dropout_k(P, mean, variance)

    def uniform(alpha: float, mean: float, variance: float) -> float:
        return uniform_k(BETA, mean, variance)

    net, drop = fit("dropout", False), f"dropout before the norm, p = {P:g}"
    yield Case(drop, "none", net, _plain, k_of)
    yield Case(drop, "masks drawn in evaluation", net, _masked, None)
    again = _without_masks(net, pixels)
    yield Case(drop, "norms estimated without masks", again, _plain, None)
    behind = fit("dropout", True)
    yield Case(f"dropout behind the last norm, p = {P:g}", "its place", behind, _plain, None)
    soft = fit("uniform", False)
    yield Case(f"uniform noise, beta = {BETA:g}", "its kind", soft, _plain, uniform)


def _scale_cases(task: Task, seed: int, images: ImageSet, cache: Path) -> Iterator[Case]:
    pixels = torch.from_numpy(images.train_images)
    for mask in ("sample", "batch"):
        config = dataclasses.replace(task.run(images, seed, mask=mask), calibrate_passes=20)
        net, p = trained_network(config, images, cache).net, config.network.layer_p[0]
        batch, drop = mask == "batch", f"scale dropout, a bit a {mask}, p = {p:g}"

        def drawn(a: float, c: float, v: float, p: float = p, batch: bool = batch) -> float:
            return scale_k(a, p, c, v, batch=batch)

        def kept(a: float, c: float, v: float, p: float = p, batch: bool = batch) -> float:
            return scale_k(a, p, c, v, batch=batch, drawn=False)

        yield Case(drop, "masks drawn in evaluation", net, _masked, drawn if batch else None)
        yield Case(drop, "evaluated with no scale dropped", net, _plain, kept)
        if batch:
            work = copy.deepcopy(net)
            work.config = dataclasses.replace(work.config, mask="sample")
            calibrate_norms(work, pixels, 1, BATCH, SEED)
            remedy = "norms estimated with a bit a sample"
            yield Case(drop, remedy, work.eval(), _masked, None)


class _Sums:
    """Mean and variance of a crossbar's sums by channel, of all calls."""

    def __init__(self) -> None:
        self.parts: list[Tensor] = []

    def __call__(self, module: object, inputs: object, s: Tensor) -> None:
        self.parts.append(s.double().transpose(0, 1).flatten(1))

    def moments(self) -> tuple[Tensor, Tensor]:
        rows = torch.cat(self.parts, dim=1)
        return rows.mean(dim=1), rows.var(dim=1, correction=0)


def _of_layers(net: Trainable) -> Iterator[tuple[str, Any, Tensor, _BatchNorm]]:
    """Name, crossbar, alpha and norm of each layer."""
    if isinstance(net, ScaleDropNet):
        for block in net.blocks:
            yield block.node.name, block.crossbar, block.scale.quantised(), block.norm
    elif isinstance(net, MethodNet):
        for crossbar, site in net.layers:
            assert isinstance(site.norm, _BatchNorm)
            yield site.layer.name, crossbar, site.alpha, site.norm


@torch.no_grad()
def _closed(case: Case, pixels: Tensor) -> dict[str, float]:
    """k by layer from the moments of its sums in evaluation; channels weighted by their gamma."""
    if case.k_of is None:
        return {name: 1.0 for name, *_ in _of_layers(case.net)}
    found, sums = {}, {name: _Sums() for name, *_ in _of_layers(case.net)}
    hooks = [one.register_forward_hook(sums[name]) for name, one, *_ in _of_layers(case.net)]
    generator = torch.Generator().manual_seed(SEED)
    for batch in torch.split(pixels, BATCH):
        case.test(case.net, batch, generator)
    for hook in hooks:
        hook.remove()
    for name, _, alpha, norm in _of_layers(case.net):
        mean, variance = sums[name].moments()
        if not isinstance(case.net, ScaleDropNet):
            mean, variance = mean * alpha, variance * alpha.double() ** 2
        rows = torch.stack([alpha.double(), mean, variance], dim=1).tolist()
        live = [index for index, row in enumerate(rows) if row[2] > 0]
        test = np.array([1 / case.k_of(*rows[index]) ** 2 for index in live])
        weights = norm.weight.double().square().numpy()[live]
        found[name] = float(np.sqrt(weights.sum() / (weights * test).sum()))
    return found


def point_rows(point: Point, data: Path | None, cache: Path) -> Iterator[Row]:
    """One row for each drop, remedy and layer of one task and seed."""
    task, images = point.task, point.task.images(data)
    pixels = torch.from_numpy(images.train_images)
    for case in (
        *_plain_cases(task, point.seed, images),
        *_scale_cases(task, point.seed, images, cache),
    ):
        closed, right = _closed(case, pixels), _accuracy(case, images)
        for one in variance_shift(case.net, pixels, pixels, SEED, BATCH, case.test):
            yield {
                "fact": "variance shift",
                "setting": case.drop,
                "of": f"k of {one.layer}",
                "remedy": case.remedy,
                "closed_form": closed[one.layer],
                "measured": one.k,
                "accuracy": right,
            }


@torch.no_grad()
def _accuracy(case: Case, images: ImageSet, passes: int = 20) -> float:
    """Of the mean of 20 passes, on the test images."""
    generator = torch.Generator().manual_seed(SEED)
    pixels = torch.from_numpy(images.test_images)
    drawn = [case.test(case.net.eval(), pixels, generator) for _ in range(passes)]
    found = torch.stack(drawn).softmax(dim=-1).mean(dim=0).argmax(dim=-1).numpy()
    return float((found == images.test_labels).mean())
