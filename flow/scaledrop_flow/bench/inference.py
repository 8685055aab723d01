# SPDX-License-Identifier: Apache-2.0
"""Predictions per second: LeNet-5, T passes, every way in turn, on what a plain loop does.

The networks are not trained and the images are noise: no step's cost depends on their values, and
the masks, which decide how much is shared, are drawn as always.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scaledrop.errors import UserError
from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.nn import NetworkConfig, ScaleDropNet, TorchEvaluator
from scaledrop.numbers import decode
from scaledrop.predict import predict
from scaledrop.prediction import summarise
from scaledrop.sampling import Passes
from scaledrop.spin import masks_from_words, uniform_words
from scaledrop_flow.bench.entry import Entry, entry

__all__ = ["inference_benchmarks", "lenet5"]

IMAGES, BATCH, PASSES, SEED = 1024, 256, 20, 1
Images = npt.NDArray[np.uint8]


def lenet5() -> tuple[ScaleDropNet, Images]:
    """An untrained LeNet-5 whose BatchNorm has seen noise, and the noise."""
    net = ScaleDropNet(NetworkConfig("lenet5", (28, 28), 10, "lenet5", p=0.1), seed=SEED)
    images = np.random.default_rng(SEED).integers(0, 256, (IMAGES, 28, 28), dtype=np.uint8)
    with torch.no_grad():
        net.train()(torch.from_numpy(images[:BATCH]))
    return net.eval(), images


@torch.inference_mode()
def _float_loop(net: ScaleDropNet, images: Images, masks: npt.NDArray[np.uint8]) -> Tensor:
    """What one writes first: T times through the network, softmax averaged."""
    means = []
    for at in range(0, len(images), BATCH):
        pixels, bits = torch.from_numpy(images[at : at + BATCH]), masks[at : at + BATCH]
        total = torch.zeros(len(pixels), net.config.classes)
        for t in range(bits.shape[1]):
            total += torch.softmax(net(pixels, torch.from_numpy(bits[:, t])), dim=1)
        means.append(total / bits.shape[1])
    return torch.cat(means)


@torch.inference_mode()
def _plain_pass(network: FrozenNetwork, images: Images, masks: npt.NDArray[np.uint8]) -> Tensor:
    """One pass of exact integers as +-1 floats in ten lines of PyTorch, for LeNet-5."""
    logits = []
    for at in range(0, len(images), BATCH):
        a = torch.from_numpy(images[at : at + BATCH, None]).float()
        for index, layer in enumerate(network.layers):
            w = torch.from_numpy(decode(layer.weights.astype(np.float32), 1))
            keep = torch.from_numpy(masks[at : at + BATCH, 0, index]).bool()[:, None]
            if layer.window is not None:
                kernel = w.reshape(len(w), -1, layer.window.size, layer.window.size)
                s = torch.conv2d(a, kernel, padding=layer.window.padding)
                s, keep = torch.max_pool2d(s, 2), keep[:, :, None, None]
            else:
                s = a.flatten(1) @ w.T
            shape = (1, -1, *[1] * (s.ndim - 2))
            scale = torch.from_numpy(layer.scale).float().reshape(shape)
            shat = s * torch.where(keep, scale, float(1 << network.scale_frac_bits))
            if layer is network.layers[-1]:
                gain, offset = (
                    torch.from_numpy(value).double()
                    for value in (network.head.gain, network.head.offset)
                )
                logits.append(gain * shat.double() + offset)
            else:
                theta = torch.from_numpy(layer.output.threshold).reshape(shape)  # type: ignore[union-attr]
                a = (shat >= theta).float() * 2 - 1
    return torch.cat(logits)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _product_rate() -> float:
    """Multiply-adds per second of a large float32 product on all cores."""
    size = 2048
    a = np.ones((size, size), dtype=np.float32)
    _ = a @ a
    return size**3 / min(_seconds(lambda: a @ a) for _ in range(3))


def _useful_work(network: FrozenNetwork, masks: npt.NDArray[np.uint8]) -> float:
    """Multiply-adds of the distinct prefixes of all images."""
    total = 0.0
    graph = network.graph
    for index, layer in enumerate(network.layers):
        rows, columns = graph.weight_shape(layer.node)
        positions = int(np.prod(graph.values[layer.name].shape[1:]))
        prefixes = [len(np.unique(one[:, :index], axis=0)) for one in masks]
        total += float(rows * columns * positions) * sum(prefixes)
    return total


def _check(network: FrozenNetwork, images: Images, masks: npt.NDArray[np.uint8]) -> None:
    """No speed of a wrong answer: the plain pass, the loop and the engine agree."""
    logits = FastEngine(network).logits(images, masks[:, :1])[:, 0]
    if not np.array_equal(_plain_pass(network, images, masks).numpy().astype(np.int64), logits):
        raise UserError("benchmark refused: one plain pass differs from the integer engine")


def inference_benchmarks(repeats: int) -> list[Entry]:
    """``shared_vs_loop`` and ``integer_engine_vs_torch_loop``, and the figures behind them.

    Raises:
        UserError: fewer than one repeat, or ways that do not agree.
    """
    if repeats < 1:
        raise UserError(f"repeats: must be 1 or more, not {repeats}")
    net, images = lenet5()
    network = freeze(net, {})
    words = uniform_words(SEED, IMAGES * PASSES * len(network.layers))
    masks = masks_from_words(network, words, IMAGES, PASSES)
    _check(network, images, masks)
    torch_shared, engine = TorchEvaluator(net), FastEngine(network)
    sampling = Passes(PASSES, SEED)
    ways: dict[str, Callable[[], object]] = {
        "loop": lambda: _float_loop(net, images, masks),
        "shared": lambda: predict(torch_shared, images, sampling),
        "engine": lambda: predict(engine, images, sampling),
        "engine_loop": lambda: predict(engine, images, Passes(PASSES, SEED, shared=False)),
        "plain_pass": lambda: _plain_pass(network, images, masks),
        "engine_pass": lambda: summarise(
            engine.logits(images, masks[:, :1]), network.logit_frac_bits
        ),
    }
    for work in ways.values():
        work()
    runs = [{name: _seconds(work) for name, work in ways.items()} for _ in range(repeats)]
    return _entries(runs, _useful_work(network, masks) / _product_rate())


def _entries(runs: list[dict[str, float]], ideal: float) -> list[Entry]:
    def ratio(slow: str, fast: str) -> float:
        return statistics.median(run[slow] / run[fast] for run in runs)

    def rate(name: str) -> float:
        return IMAGES / statistics.median(run[name] for run in runs)

    limit = statistics.median(ideal / run["engine"] for run in runs)
    note = f"LeNet-5, {IMAGES} images, T = {PASSES}, median of {len(runs)} runs in turn"
    return [
        entry("shared_vs_loop", ratio("loop", "shared"), "ratio", f"{note}, PyTorch float32"),
        entry("integer_engine_vs_torch_loop", ratio("loop", "engine"), "ratio", note),
        entry("integer_shared_vs_separate", ratio("engine_loop", "engine"), "ratio", note),
        entry(
            "integer_pass_vs_plain_torch",
            ratio("plain_pass", "engine_pass"),
            "ratio",
            "one pass, against +-1 floats in PyTorch, ten lines",
        ),
        entry(
            "integer_engine_of_machine",
            limit,
            "ratio",
            "time of a large float32 product of the same distinct multiply-adds; limit 1",
        ),
        entry("torch_loop_images_per_s", rate("loop"), "1/s", "plain float32 loop"),
        entry("torch_shared_images_per_s", rate("shared"), "1/s", "prefixes shared, PyTorch"),
        entry("integer_engine_images_per_s", rate("engine"), "1/s", "prefixes shared, integers"),
        entry("plain_torch_pass_images_per_s", rate("plain_pass"), "1/s", "one pass"),
        entry("integer_pass_images_per_s", rate("engine_pass"), "1/s", "one pass"),
    ]
