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
from scaledrop.fast_layer import FastLayer
from scaledrop.frozen import FrozenLayer, FrozenNetwork
from scaledrop.methods.contract import Model
from scaledrop.methods.net import MethodNet
from scaledrop.methods.scale_dropout import FrozenModel
from scaledrop.nn import BinaryConv2d, BinaryLinear
from scaledrop.nn.ste import round_to

__all__ = ["FAULTS", "Fault", "faulty", "faulty_network", "flipped_words"]

FAULTS = ("flipped", "stuck", "scale", "spread")
SCALE_BITS, SCALE_FRAC_BITS = 8, 6

Rng = np.random.Generator
Crossbar = BinaryLinear | BinaryConv2d


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


def _broken(signs: Tensor, fault: Fault, rng: Rng) -> Tensor:
    found = _weights(signs.detach().double().cpu().numpy(), fault, rng)
    return torch.from_numpy(found).to(signs)


def _break_crossbar(crossbar: Crossbar, site: nn.Module | None, fault: Fault, rng: Rng) -> None:
    sets = getattr(site, "sets", None)
    if isinstance(sets, Tensor) and len(sets):
        # Stored sets of signs take the place of the weight, one after another.
        sets.copy_(_broken(sets, fault, rng))
        crossbar.binary_weight = lambda: crossbar.weight  # type: ignore[method-assign]
    else:
        held = _broken(crossbar.binary_weight(), fault, rng)
        # Not written to the latent weights: what they give is signs, and there is none of 1.1.
        crossbar.binary_weight = lambda: held  # type: ignore[method-assign]
    if fault.kind == "spread":
        crossbar.register_forward_hook(lambda module, inputs, s: round_to(s, 0))


def _break_words(scale: Tensor, fault: Fault, rng: Rng) -> None:
    unit, top = 2.0**-SCALE_FRAC_BITS, 2**SCALE_BITS - 1
    values = scale.detach().double().cpu().numpy()
    words = np.clip(np.rint(np.abs(values) / unit), 0, top).astype(np.int64)
    found = flipped_words(words, SCALE_BITS, fault.rate, rng) * unit
    scale.data.copy_(torch.from_numpy(np.where(values < 0, -found, found)))


def _scales(net: nn.Module) -> list[Tensor]:
    """What a network stores as words of scales, beside its stored sets if it has such."""
    found = []
    for module in net.modules():
        levels = getattr(module, "levels", None)
        if isinstance(levels, Tensor) and len(levels):
            found.append(levels)
        else:
            words = (getattr(module, name, None) for name in ("alpha", "beta"))
            found += [one for one in words if isinstance(one, Tensor)]
    return found


@torch.no_grad()
def _break_module(net: nn.Module, fault: Fault, rng: Rng) -> None:
    if fault.kind == "scale":
        for scale in _scales(net):
            _break_words(scale, fault, rng)
        return
    layers = net.layers if isinstance(net, MethodNet) else []
    sites = {id(crossbar): site for crossbar, site in layers}
    for module in net.modules():
        if isinstance(module, BinaryLinear | BinaryConv2d):
            _break_crossbar(module, sites.get(id(module)), fault, rng)


class _SpreadLayer(FastLayer):
    """A layer of integers whose cells are worth +-(1 + rate z); its sums are whole again."""

    def __init__(self, fault: Fault, rng: Rng, *given: Any) -> None:
        self.fault, self.rng = fault, rng
        super().__init__(*given)

    def _is_banded(self) -> bool:
        return False

    def _matrix(self, cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        worth = _weights(cells.astype(np.float64), self.fault, self.rng)
        return np.asarray(super()._matrix(worth))

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(np.rint(super().sums(values)))


def _spread_engine(network: FrozenNetwork, fault: Fault, rng: Rng) -> FastEngine:
    def layer_type(network: FrozenNetwork, *given: Any) -> FastLayer:
        return _SpreadLayer(fault, rng, network, *given)

    return FastEngine(network, layer_type)


def faulty_network(network: FrozenNetwork, fault: Fault, rng: Rng) -> FrozenNetwork:
    """The integers with faults; thresholds and gains are not touched.

    Raises:
        UserError: a spread, which integers cannot have.
    """
    if fault.kind == "spread":
        raise UserError("kind: integers have no cells that differ; give the model, not its network")

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
    elif isinstance(value, Model):
        _break_model(value, fault, rng)
    elif isinstance(value, list | tuple):
        return type(value)(_replaced(one, fault, rng) for one in value)
    elif isinstance(value, dict):
        return {name: _replaced(one, fault, rng) for name, one in value.items()}
    return value


def _break_model(model: Model, fault: Fault, rng: Rng) -> None:
    if isinstance(model, FrozenModel) and fault.kind == "spread":
        engine = _spread_engine(model.network, fault, rng)
        model.engine = lambda: engine  # type: ignore[method-assign]
        return
    for name, value in vars(model).items():
        object.__setattr__(model, name, _replaced(value, fault, rng))


def faulty(model: Model, fault: Fault, seed: int) -> Model:
    """A copy of a model, of one network or of several, whose every network has faults of its own.

    Args:
        model: any method's; it is left as it is.
        fault: what goes wrong.
        seed: of the chip: which cells and bits.
    """
    work = copy.deepcopy(model)
    _break_model(work, fault, np.random.default_rng(seed))
    return work
