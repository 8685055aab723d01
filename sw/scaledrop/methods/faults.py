# SPDX-License-Identifier: Apache-2.0
"""Faults of the hardware put into a trained model, of any method alike.

==========  ====================================================================================
kind        what happens, at a rate r
==========  ====================================================================================
flipped     a weight has the other sign with probability r
stuck       a weight is, with probability r, a cell that holds +1 or -1 by chance: half of them
            are right all the same
scale       each bit of each word of a scale is flipped with probability r; a word is the magnitude
            in the format of the product, 8 bits with 6 of fraction, and the sign is kept
spread      a weight of +-1 is worth +-(1 + r z), z of N(0, 1), drawn once for each cell; the sums
            are rounded to whole numbers, as a converter without loss does
==========  ====================================================================================

A rate of 0 of "scale" still rounds scales to their words: it is what the words cost.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.fast_engine import FastEngine
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.methods.contract import Model
from scaledrop.nn import BinaryConv2d, BinaryLinear, Trainable
from scaledrop.nn.ste import round_to

__all__ = ["FAULTS", "Fault", "faulty", "faulty_network", "flipped_words"]

FAULTS = ("flipped", "stuck", "scale", "spread")
SCALE_BITS, SCALE_FRAC_BITS = 8, 6

Rng = np.random.Generator


@dataclass(frozen=True)
class Fault:
    """One kind of fault at one rate.

    Attributes:
        kind: of :data:`FAULTS`.
        rate: 0 to 1: a probability, or for "spread" a standard deviation.

    Raises:
        UserError: another kind, or a rate out of range.
    """

    kind: str
    rate: float

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise UserError(f"kind: must be one of {', '.join(FAULTS)}, not {self.kind!r}")
        if not 0 <= self.rate <= 1:
            raise UserError(f"rate: must be 0 to 1, not {self.rate}; 0.01 is one in a hundred")


def flipped_words(
    words: npt.NDArray[np.int64], bits: int, rate: float, rng: Rng
) -> npt.NDArray[np.int64]:
    """Words of so many bits, each bit flipped with probability ``rate``."""
    flips = rng.random((*words.shape, bits)) < rate
    return np.asarray(words ^ (flips @ (1 << np.arange(bits))))


def _weights(signs: npt.NDArray[Any], fault: Fault, rng: Rng) -> npt.NDArray[np.float64]:
    """What is left of weights of +-1."""
    if fault.kind == "flipped":
        return np.where(rng.random(signs.shape) < fault.rate, -signs, signs)
    if fault.kind == "stuck":
        held = np.where(rng.random(signs.shape) < 0.5, -1.0, 1.0)
        return np.where(rng.random(signs.shape) < fault.rate, held, signs)
    return np.asarray(signs * (1 + fault.rate * rng.standard_normal(signs.shape)))


def _break_crossbar(crossbar: BinaryLinear | BinaryConv2d, fault: Fault, rng: Rng) -> None:
    signs = crossbar.binary_weight().detach().double().cpu().numpy()
    broken = torch.from_numpy(_weights(signs, fault, rng)).to(crossbar.weight)

    def held() -> Tensor:
        return broken

    # The signs are what the latent weights make of themselves: there is no latent weight of 1.1.
    crossbar.binary_weight = held  # type: ignore[method-assign]
    if fault.kind == "spread":
        crossbar.register_forward_hook(lambda module, inputs, s: round_to(s, 0))


def _break_scales(scales: list[Tensor], fault: Fault, rng: Rng) -> None:
    unit, top = 2.0**-SCALE_FRAC_BITS, 2**SCALE_BITS - 1
    for scale in scales:
        values = scale.detach().double().cpu().numpy()
        words = np.clip(np.rint(np.abs(values) / unit), 0, top).astype(np.int64)
        found = flipped_words(words, SCALE_BITS, fault.rate, rng) * unit
        scale.data = torch.from_numpy(np.where(values < 0, -found, found)).to(scale)


def _break_module(net: nn.Module, fault: Fault, rng: Rng) -> None:
    if fault.kind == "scale":
        if isinstance(net, Trainable):
            _break_scales(list(net.scales), fault, rng)
        return
    for module in net.modules():
        if isinstance(module, BinaryLinear | BinaryConv2d):
            _break_crossbar(module, fault, rng)


def faulty_network(network: FrozenNetwork, fault: Fault, rng: Rng) -> FrozenNetwork:
    """The integers with faults; thresholds and gains are not touched.

    Raises:
        UserError: a spread, which integers cannot have; :class:`scaledrop.analog.AnalogEngine`
            runs a frozen network on cells that differ.
    """
    if fault.kind == "spread":
        raise UserError("kind: a frozen network has no cells that differ; use AnalogEngine")

    def broken(layer: FrozenLayer) -> FrozenLayer:
        if fault.kind == "scale":
            words = flipped_words(layer.scale, network.scale_bits, fault.rate, rng)
            return dataclasses.replace(layer, scale=words)
        signs = _weights(layer.weights * 2.0 - 1, fault, rng)
        return dataclasses.replace(layer, weights=(signs > 0).astype(np.uint8))

    nodes = tuple(broken(node) if isinstance(node, FrozenLayer) else node for node in network.nodes)
    return dataclasses.replace(network, nodes=nodes)


def _replaced(value: Any, fault: Fault, rng: Rng) -> Any:
    """What a model holds, with faults; anything that has no weights is given back."""
    if isinstance(value, nn.Module):
        _break_module(value, fault, rng)
    elif isinstance(value, FrozenNetwork):
        return faulty_network(value, fault, rng)
    elif isinstance(value, FastEngine):
        return FastEngine(faulty_network(value.network, fault, rng))
    elif isinstance(value, Model):
        _break_model(value, fault, rng)
    elif isinstance(value, list | tuple):
        return type(value)(_replaced(one, fault, rng) for one in value)
    elif isinstance(value, dict):
        return {name: _replaced(one, fault, rng) for name, one in value.items()}
    return value


def _break_model(model: Model, fault: Fault, rng: Rng) -> None:
    for name, value in vars(model).items():
        object.__setattr__(model, name, _replaced(value, fault, rng))


def faulty(model: Model, fault: Fault, seed: int) -> Model:
    """A copy of a model, of one network or of several, whose every network has faults of its own.

    Args:
        model: any method's; it is left as it is.
        fault: what goes wrong.
        seed: of the chip: which cells and bits.

    Raises:
        UserError: the model holds frozen integers and the fault is a spread.
    """
    work = copy.deepcopy(model)
    _break_model(work, fault, np.random.default_rng(seed))
    return work
