# SPDX-License-Identifier: Apache-2.0
"""How many random numbers a method draws, and how many sums it leaves to be computed.

The array sums before a layer's own numbers act, unless they are its weights. Passes whose numbers
agree so far share a sum. One bit a layer gives two outcomes, so layer l (from 1) needs at most
``min(T, 2**(l-1))`` sums for T passes; more numbers a layer leave every pass on its own from the
second layer on; random weights from the first.
"""

from __future__ import annotations

from enum import StrEnum

from scaledrop.checks import check_integer
from scaledrop.energy.network_figures import LayerFigures, NetworkFigures

__all__ = ["Grain", "numbers_at_once", "numbers_per_pass", "sums", "sums_of_layer"]


class Grain(StrEnum):
    """What gets a random number of its own, in every pass."""

    LAYER = "layer"
    """Scale-Dropout, arXiv 2311.15816: one bit for the scale vector."""
    CHANNEL = "feature map"
    """Spatial-SpinDrop: one bit an output channel, all its positions together."""
    NEURON = "neuron"
    """SpinDrop: one bit an output."""
    OUTPUT = "output"
    """Gaussian weights by local reparametrisation: one sample a sum, arXiv 1506.02557."""
    WEIGHT = "weight"
    """Gaussian weights drawn themselves."""


def numbers_of_layer(layer: LayerFigures, grain: Grain) -> int:
    """Numbers of one pass through a layer; heads draw as hidden layers do."""
    match grain:
        case Grain.LAYER:
            return 1
        case Grain.CHANNEL:
            return layer.channels
        case Grain.NEURON | Grain.OUTPUT:
            return layer.outputs
        case Grain.WEIGHT:
            return layer.weights


def numbers_per_pass(figures: NetworkFigures, grain: Grain) -> int:
    """Numbers of one pass through the network."""
    return sum(numbers_of_layer(layer, grain) for layer in figures.layers)


def numbers_at_once(figures: NetworkFigures, grain: Grain) -> int:
    """Numbers that one output position of the widest layer waits for: generators that must work
    side by side for all its channels to leave the array together. Fewer take longer."""
    return max(
        numbers_of_layer(layer, grain) // _positions(layer, grain) for layer in figures.layers
    )


def _positions(layer: LayerFigures, grain: Grain) -> int:
    return layer.positions if grain in (Grain.NEURON, Grain.OUTPUT) else 1


def sums_of_layer(figures: NetworkFigures, grain: Grain, passes: int) -> tuple[int, ...]:
    """Times that each layer is summed for ``passes`` passes, at most, with all sharing there is.

    Raises:
        UserError: ``passes`` is not an integer of 1 or more.
    """
    check_integer(passes, 1, 2**31, "passes")
    if grain is Grain.WEIGHT:
        return (passes,) * len(figures.layers)
    counts, outcomes = [], 1
    for layer in figures.layers:
        counts.append(outcomes)
        # 2**bits outcomes; more than all passes need is enough, and Gaussians never agree.
        bits = 31 if grain is Grain.OUTPUT else min(numbers_of_layer(layer, grain), 31)
        outcomes = min(passes, outcomes << bits)
    return tuple(counts)


def sums(figures: NetworkFigures, grain: Grain, passes: int) -> int:
    """Outputs that the array sums for one image, at most. Local reparametrisation sums twice, for
    mean and variance.

    Raises:
        UserError: ``passes`` is not an integer of 1 or more.
    """
    times = sums_of_layer(figures, grain, passes)
    each = zip(figures.layers, times, strict=True)
    return sum(layer.outputs * n for layer, n in each) * (2 if grain is Grain.OUTPUT else 1)
