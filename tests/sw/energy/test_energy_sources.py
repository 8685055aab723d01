# SPDX-License-Identifier: Apache-2.0
"""Counts of random numbers and of sums, against counting by hand and against brute force."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network
from scaledrop.energy.network_figures import LayerFigures, NetworkFigures, figures_of
from scaledrop.energy.sources import (
    Grain,
    numbers_at_once,
    numbers_per_pass,
    sums,
    sums_of_layer,
)
from scaledrop.errors import UserError
from scaledrop.graph import Graph, Node
from scaledrop.topologies import lenet5, resnet18, unet

TINY = NetworkFigures((LayerFigures("a", 2, 9, 4), LayerFigures("b", 3, 1, 18)))


def graph(nodes: Sequence[Node], *shape: int) -> Graph:
    return Graph(shape, 8, tuple(nodes))


@pytest.fixture(scope="module")
def lenet() -> NetworkFigures:
    return figures_of(graph(lenet5(10), 28, 28))


def test_lenet5_has_the_figures_worked_out_by_hand(lenet: NetworkFigures) -> None:
    assert [layer.outputs for layer in lenet.layers] == [4704, 1600, 120, 84, 10]
    assert [layer.weights for layer in lenet.layers] == [150, 2400, 48000, 10080, 840]
    assert (lenet.outputs, lenet.channels, lenet.weights) == (6518, 236, 61470)
    assert lenet.macs == 117_600 + 240_000 + 48_000 + 10_080 + 840 == 416_520


def test_branches_take_the_shape_of_their_own_source() -> None:
    """Projections of a residual network read what the convolution beside them reads."""
    by_name = {one.name: one for one in figures_of(graph(resnet18(10), 3, 32, 32)).layers}
    assert len(by_name) == 1 + 16 + 3 + 1
    assert by_name["short2_1"] == LayerFigures("short2_1", 128, 256, 64)
    assert by_name["conv2_1"] == LayerFigures("conv2_1", 128, 256, 64 * 9)
    assert by_name["dense"].fan_in == 512
    assert figures_of(graph(unet(2), 1, 64, 64)).layers[-1].positions == 64 * 64


@pytest.mark.parametrize("name", GRAPHS)
def test_a_frozen_network_has_the_figures_of_its_weights(name: str) -> None:
    network = random_graph_network(1, *GRAPHS[name])
    figures = figures_of(network)
    assert figures.weights == sum(layer.weights.size for layer in network.layers)
    assert [one.name for one in figures.layers] == [layer.name for layer in network.layers]
    assert figures == figures_of(network.graph)


@pytest.mark.parametrize(
    ("grain", "each", "at_once"),
    [
        (Grain.LAYER, 2, 1),
        (Grain.CHANNEL, 5, 3),
        (Grain.NEURON, 21, 3),
        (Grain.OUTPUT, 21, 3),
        (Grain.WEIGHT, 8 + 54, 54),
    ],
)
def test_every_grain_draws_its_own_numbers(grain: Grain, each: int, at_once: int) -> None:
    assert numbers_per_pass(TINY, grain) == each
    assert numbers_at_once(TINY, grain) == at_once


def test_a_bit_a_layer_shares_as_often_as_two_to_the_layers_before(lenet: NetworkFigures) -> None:
    assert sums_of_layer(lenet, Grain.LAYER, 20) == (1, 2, 4, 8, 16)
    assert sums_of_layer(lenet, Grain.LAYER, 3) == (1, 2, 3, 3, 3)
    assert sums(lenet, Grain.LAYER, 20) == 4704 + 2 * 1600 + 4 * 120 + 8 * 84 + 16 * 10


@pytest.mark.parametrize("grain", [Grain.CHANNEL, Grain.NEURON])
def test_many_bits_a_layer_leave_the_first_sum_shared_alone(
    lenet: NetworkFigures, grain: Grain
) -> None:
    assert sums_of_layer(lenet, grain, 20) == (1, 20, 20, 20, 20)
    assert sums(lenet, grain, 20) == 4704 + 20 * (6518 - 4704)


def test_random_weights_share_nothing_and_variances_double_the_sums(lenet: NetworkFigures) -> None:
    assert sums(lenet, Grain.WEIGHT, 20) == 20 * 6518
    assert sums(lenet, Grain.OUTPUT, 20) == 2 * sums(lenet, Grain.NEURON, 20)


@pytest.mark.parametrize(("channels", "passes"), [(1, 7), (2, 3), (2, 9), (3, 40)])
def test_the_bound_is_met_by_passes_drawn_until_all_masks_are_seen(
    channels: int, passes: int
) -> None:
    """Passes that take the masks in turn reach as many different prefixes as there can be."""
    layers = tuple(LayerFigures(name, channels, 4, 5) for name in "abc")
    figures = NetworkFigures(layers)
    rng = np.random.default_rng(1)
    most = [0, 0, 0]
    for _ in range(300):
        bits = rng.integers(0, 2, (passes, 3, channels))
        for at in range(3):
            most[at] = max(most[at], len({one[:at].tobytes() for one in bits}))
    bound = sums_of_layer(figures, Grain.CHANNEL, passes)
    assert bound[0] == most[0] and bound[1] == most[1]
    assert most[2] <= bound[2] == min(passes, 4**channels)


def test_impossible_figures_are_refused_by_name() -> None:
    def refused(*figures: int) -> str:
        with pytest.raises(UserError) as caught:
            LayerFigures("conv", *figures)
        return str(caught.value)

    assert refused(0, 1, 1) == f"layers.conv.channels: must be 1 to {2**40}, not 0"
    assert refused(1, -1, 1) == f"layers.conv.positions: must be 1 to {2**40}, not -1"
    with pytest.raises(UserError, match=r"^layers: is empty; a network needs at least one layer$"):
        NetworkFigures(())
    with pytest.raises(UserError, match=r"^passes: must be 1 to 2147483648, not 0$"):
        sums(TINY, Grain.LAYER, 0)
