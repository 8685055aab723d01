# SPDX-License-Identifier: Apache-2.0
"""Prices of methods: the product's own to the digit, the others by their closed forms."""

import dataclasses

import pytest
import torch

from scaledrop.array_shape import ArrayShape
from scaledrop.data import load_digits
from scaledrop.density import Density
from scaledrop.energy import load_table
from scaledrop.energy.generators import load_generators, spin_unit
from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.sources import Grain, numbers_per_pass, sums_of_layer
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.methods.contract import Needs
from scaledrop.methods.price import price, sums_by_layer
from scaledrop.nn import NetworkConfig, ScaleDropNet, calibrate_norms
from scaledrop.shapes import full_size, shape_network
from scaledrop.walk import Mode
from scaledrop_flow.energy.configurations import Setting, Way, price_way

NOTHING = Needs(0, None, False, 0, passes=1)
LENET = shape_network(full_size("lenet5"), 0.2, "lenet5")
FIGURES = figures_of(LENET)
DENSITY = Density((0.13,))
TABLE = load_table("mtj45")


def of_grain(grain, gaussian=False, **more):
    return Needs(numbers_per_pass(FIGURES, grain), grain, gaussian, 0, **more)


@pytest.fixture(scope="module")
def frozen():
    digits = load_digits()
    net = ScaleDropNet(NetworkConfig("d", (8, 8), 10, widths=(32, 16), p=0.2), seed=1)
    calibrate_norms(net, torch.from_numpy(digits.train_images), 1, 64, seed=3)
    return freeze(net.eval(), {})


@pytest.mark.parametrize("passes", [1, 7, 20])
def test_scale_dropout_costs_what_the_energy_command_says(frozen, passes):
    images = load_digits().test_images[:20].reshape(20, -1)
    setting = Setting(ArrayShape(), images, passes=passes)
    asked = price_way(frozen, setting, Way("shared, folded", Mode.SHARED, folded=True), TABLE)
    found = price(frozen, Needs(3, Grain.LAYER, False, 0), images, passes=passes)
    assert found.joules == asked.estimate.joules
    assert found.seconds == asked.estimate.seconds
    assert found.sums == sum(asked.workload.visits.values()) // 20
    assert (found.generators, found.not_priced) == (1, ())


def test_nothing_drawn_is_one_plain_pass_without_its_bits():
    setting = Setting(ArrayShape(), DENSITY, passes=1)
    one = price_way(LENET, setting, Way("one pass", Mode.PASSES, folded=True), TABLE).estimate
    found = price(LENET, NOTHING, DENSITY)
    spin = sum(part.joules.value for part in one.components if part.event.startswith("spin_"))
    assert found.joules.value == pytest.approx(one.joules.value - spin, rel=1e-12, abs=0)
    assert found.seconds == one.seconds
    assert (found.sums, found.numbers.value, found.generators) == (5, 0.0, 0)
    assert price(LENET, NOTHING, DENSITY, passes=20) == found


@pytest.mark.parametrize("grain", [Grain.CHANNEL, Grain.NEURON])
def test_bits_cost_a_reset_a_write_and_a_read_each(grain):
    needs = of_grain(grain)
    found = price(LENET, needs, DENSITY)
    each = spin_unit(TABLE).joules
    assert found.numbers.value == pytest.approx(
        each.value * needs.numbers_per_pass * 20, rel=1e-12, abs=0
    )
    assert found.numbers.high == pytest.approx(
        each.high * needs.numbers_per_pass * 20, rel=1e-12, abs=0
    )
    twice = dataclasses.replace(needs, numbers_per_pass=2 * needs.numbers_per_pass)
    more = price(LENET, twice, DENSITY).joules.value - found.joules.value
    assert more == pytest.approx(found.numbers.value, rel=1e-9, abs=0)
    assert "a word line that is dropped counts as driven" in found.not_priced[0]
    assert found.generators == 120


@pytest.mark.parametrize("grain", [Grain.LAYER, Grain.CHANNEL, Grain.NEURON, Grain.WEIGHT])
@pytest.mark.parametrize("passes", [1, 3, 20])
def test_sums_are_those_of_the_closed_form(grain, passes):
    found = sums_by_layer(LENET, of_grain(grain), passes)
    assert found[:-1] == sums_of_layer(FIGURES, grain, passes)


def test_every_layer_is_summed_as_often_as_its_outcomes_ask():
    assert sums_by_layer(LENET, of_grain(Grain.LAYER), 20) == (1, 2, 4, 8, 16, 20)
    assert sums_by_layer(LENET, of_grain(Grain.CHANNEL), 20) == (1, 20, 20, 20, 20, 20)
    assert sums_by_layer(LENET, of_grain(Grain.CHANNEL, True), 20) == (1, 20, 20, 20, 20, 20)
    two = Needs(8, Grain.LAYER, False, 0)
    assert sums_by_layer(LENET, two, 20) == (1, 4, 16, 20, 20, 20)
    picked = Needs(15, Grain.LAYER, False, 0, before=True)
    assert sums_by_layer(LENET, picked, 20) == (8, 20, 20, 20, 20, 20)
    assert sums_by_layer(LENET, NOTHING, 1) == (1, 1, 1, 1, 1, 1)


def test_gaussian_numbers_cost_what_the_published_sampler_takes():
    needs = of_grain(Grain.CHANNEL, gaussian=True)
    found = price(LENET, needs, DENSITY)
    sampler = next(one for one in load_generators() if one.gaussian)
    assert found.numbers.value == pytest.approx(sampler.joules.value * 236 * 20, rel=1e-12, abs=0)
    dear = dataclasses.replace(sampler, joules=sampler.joules * 10)
    more = price(LENET, needs, DENSITY, sampler=dear).joules.value - found.joules.value
    assert more == pytest.approx(9 * found.numbers.value, rel=1e-9, abs=0)


def test_a_number_a_sum_takes_two_sums_and_twice_the_time():
    one = price(LENET, of_grain(Grain.CHANNEL, gaussian=True), DENSITY)
    two = price(LENET, of_grain(Grain.OUTPUT, gaussian=True), DENSITY)
    assert two.sums == 2 * one.sums == 162
    assert two.seconds == pytest.approx(2 * one.seconds, rel=1e-12, abs=0)
    assert two.joules.value - two.numbers.value < 2 * (one.joules.value - one.numbers.value)


def test_an_ensemble_costs_its_members():
    one = price(LENET, NOTHING, DENSITY)
    five = price(LENET, dataclasses.replace(NOTHING, networks=5), DENSITY)
    for end in ("low", "value", "high"):
        assert getattr(five.joules, end) == pytest.approx(
            5 * getattr(one.joules, end), rel=1e-12, abs=0
        )
    assert five.seconds == pytest.approx(5 * one.seconds, rel=1e-12, abs=0)
    assert five.sums == 25 and "the other networks" in five.not_priced[0]


def test_numbers_that_act_before_the_sum_share_less():
    after = Needs(15, Grain.LAYER, False, 0)
    before = dataclasses.replace(after, before=True)
    assert price(LENET, after, DENSITY).joules.value < price(LENET, before, DENSITY).joules.value
    assert price(LENET, before, DENSITY).not_priced == (
        "picking a crossbar, and the crossbars that stand by",
    )


def test_the_band_surrounds_the_value_and_fewer_passes_cost_less():
    for needs in (of_grain(Grain.LAYER), of_grain(Grain.NEURON), of_grain(Grain.OUTPUT, True)):
        found = price(LENET, needs, DENSITY)
        assert 0 < found.joules.low < found.joules.value < found.joules.high
        assert price(LENET, needs, DENSITY, passes=5).joules.value < found.joules.value


def test_numbers_without_a_grain_are_refused():
    with pytest.raises(UserError, match=r"^needs\.grain: is None but numbers are drawn; say what"):
        price(LENET, Needs(3, None, False, 0), DENSITY)
