# SPDX-License-Identifier: Apache-2.0
"""Alternatives for the stochastic source: joules against the hand, and against published sums."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scaledrop.energy import Band, TechnologyTable, load_table
from scaledrop.energy.band import Label
from scaledrop.energy.baselines import SourceCost, source_cost, source_costs
from scaledrop.energy.consistency import ASSUMPTIONS, Assumptions, consistency
from scaledrop.energy.generators import (
    GENERATORS,
    Generator,
    lfsr,
    load_generators,
    spin_unit,
)
from scaledrop.energy.network_figures import NetworkFigures, figures_of
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.graph import Graph, Layer, MaxPool, Window
from scaledrop.topologies import lenet5

PADDED = figures_of(Graph((28, 28), 8, lenet5(10)))
PLAIN = figures_of(
    Graph(
        (28, 28),
        8,
        (
            Layer("conv1", 6, Window(5)),
            MaxPool("pool1"),
            *lenet5(10)[2:],
        ),
    )
)
"""LeNet-5 without padding: 24 x 24 and 8 x 8 maps."""


@pytest.fixture(scope="module")
def mtj45() -> TechnologyTable:
    return load_table("mtj45")


@pytest.fixture(scope="module")
def lenet(mtj45: TechnologyTable) -> dict[str, SourceCost]:
    return {one.name: one for one in source_costs(PADDED, mtj45, 20)}


def astuple(band: Band) -> tuple[float, float, float]:
    return band.value, band.low, band.high


def test_the_spin_unit_is_reset_write_and_read(mtj45: TechnologyTable) -> None:
    joules = [(2.508 + 1.605 + 0.048) * 1e-12, (0.144 + 0.1 + 0.011) * 1e-12]
    joules.append((6.65 + 3.94 + 0.082) * 1e-12)
    assert astuple(spin_unit(mtj45).joules) == pytest.approx(joules, rel=1e-9, abs=0)


def test_the_shift_register_follows_from_registers_and_comparator(mtj45: TechnologyTable) -> None:
    one = lfsr(mtj45)
    assert one.joules.value == pytest.approx(64 * 9e-15 + 16 * 0.92e-15, rel=1e-9, abs=0)
    assert one.joules.low == pytest.approx(64 * 4.5e-15 + 16 * 0.46e-15, rel=1e-9, abs=0)
    assert one.joules.high == pytest.approx(16 * (64 * 18e-15 + 6.5625e-15), rel=1e-9, abs=0)
    assert "pseudorandom" in one.note and one.label is Label.CALC


def test_published_generators_are_what_their_sources_say() -> None:
    ring, latch, gauss = load_generators()
    assert astuple(ring.joules) == pytest.approx(
        [16 * (1.48 * 23) ** 0.5 * 1e-12, 2 * 1.48e-12, 16 * 23e-12], rel=2e-3, abs=0
    )
    assert latch.joules.value == pytest.approx(16 * 7e-3 / 2.4e9, rel=0.01, abs=0)
    assert latch.joules.low == pytest.approx(2 * 5.6e-6 / 14e6, rel=0.01, abs=0)
    assert gauss.gaussian and gauss.joules.value == pytest.approx(360e-15, rel=1e-9, abs=0)
    assert all(one.source and one.note for one in (ring, latch, gauss))


@pytest.mark.parametrize(
    ("name", "numbers", "units", "sums"),
    [
        ("one bit per neuron, spin unit", 130_360, 120, 40_984),
        ("one bit per feature map, spin unit", 4_720, 120, 40_984),
        ("one bit per layer, spin unit", 100, 1, 9_216),
        ("one bit per layer, shift register", 100, 1, 9_216),
        ("one bit per layer, ring oscillator", 100, 1, 9_216),
        ("one bit per layer, metastable latch", 100, 1, 9_216),
        ("one Gaussian per output, in word", 130_360, 120, 81_968),
        ("one Gaussian per weight, in word", 1_229_400, 48_000, 130_360),
    ],
)
def test_lenet5_at_twenty_passes(
    lenet: dict[str, SourceCost], name: str, numbers: int, units: int, sums: int
) -> None:
    one = lenet[name]
    assert (one.numbers, one.units, one.sums) == (numbers, units, sums)
    assert one.sums_unshared == 20 * 6518 * (2 if one.grain is Grain.OUTPUT else 1)
    assert astuple(one.joules) == pytest.approx(
        astuple(one.generator.joules * numbers), rel=1e-9, abs=0
    )
    assert one.changes


def test_there_is_no_other_source(lenet: dict[str, SourceCost]) -> None:
    assert len(lenet) == 8
    assert lenet["one Gaussian per weight, in word"].joules.value == pytest.approx(
        61_470 * 20 * 360e-15, rel=1e-9, abs=0
    )


@pytest.mark.parametrize(
    ("grain", "microjoules"),
    [(Grain.LAYER, 0.00016), (Grain.NEURON, 0.209), (Grain.CHANNEL, 0.0076)],
)
def test_at_1600_femtojoules_a_bit_the_published_orders_come_out(
    grain: Grain, microjoules: float
) -> None:
    joules = 1.6e-12
    bit = Generator("junction", Band(joules, joules, joules), False, "here", Label.CALC)
    cost = source_cost(PADDED, bit, grain, 20)
    assert cost.joules.value * 1e6 == pytest.approx(microjoules, rel=7e-3, abs=0)
    assert consistency(PADDED).bits[grain] == pytest.approx(cost.joules.value, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("figures", "outputs", "macs", "weights", "adc", "neuron", "cells"),
    [
        (PLAIN, 4694, 281_640, 44_190, (0.125, 0.010), 0.150, (0.451, 0.0045)),
        (PADDED, 6518, 416_520, 61_470, (0.173, 0.014), 0.209, (0.666, 0.0067)),
    ],
)
def test_the_consistency_table_is_reproduced(
    figures: NetworkFigures,
    outputs: int,
    macs: int,
    weights: int,
    adc: tuple[float, float],
    neuron: float,
    cells: tuple[float, float],
) -> None:
    assert (figures.outputs, figures.macs, figures.weights) == (outputs, macs, weights)
    assert figures.channels == 236
    found = consistency(figures)
    assert [j * 1e6 for j in found.converters.values()] == pytest.approx(list(adc), rel=0.04, abs=0)
    assert [j * 1e6 for j in found.cells.values()] == pytest.approx(list(cells), rel=7e-3, abs=0)
    assert found.bits[Grain.NEURON] * 1e6 == pytest.approx(neuron, rel=3e-3, abs=0)
    assert found.assumptions == ASSUMPTIONS and len(list(found.readings())) == 12


def test_a_converter_of_8_bits_and_cells_of_a_megaohm_come_near_the_remembered_figure() -> None:
    near = consistency(PADDED).near()
    assert {(one.converter, one.cell) for one in near} == {("8 bits, 28 nm", "1 MOhm")}
    assert near[0].grain is Grain.LAYER
    assert near[0].joules * 1e6 == pytest.approx(0.1802, rel=1e-3, abs=0)


def test_other_assumptions_come_near_it_too_so_it_proves_nothing() -> None:
    def near(passes: int) -> set[tuple[str, str]]:
        found = consistency(PADDED, dataclasses.replace(Assumptions(), passes=passes)).near()
        return {(one.converter, one.cell) for one in found}

    assert near(5) == {("4 bits, 45 nm, NeuroSim", "10 kOhm")}
    assert near(1) == set()


def test_a_broken_generator_is_refused_by_name(tmp_path: Path) -> None:
    def refused(old: str, new: str) -> str:
        path = tmp_path / "g.yaml"
        path.write_text(GENERATORS.read_text().replace(old, new, 1))
        with pytest.raises(UserError) as caught:
            load_generators(path)
        return str(caught.value)

    assert refused("energy_j: 5.83e-12", "energy: 5.83e-12") == (
        "generators g.yaml: rows[0] (ring_oscillator) energy: unknown key 'energy' with value "
        "5.83e-12; write energy_j, in joules"
    )
    assert refused("low_j: 1.48e-12", "low_j: 6.0e-12") == (
        "generators g.yaml: rows[0] (ring_oscillator): low_j 6e-12, energy_j 5.83e-12 and high_j "
        "2.3e-11 must be in this order; sort them"
    )
    assert refused("low_j: 1.48e-12", "low_j: -1.0") == (
        "generators g.yaml: rows[0] (ring_oscillator): low_j must be a finite number, 0 or more, "
        "not -1"
    )
    assert refused("gives: gaussian", "gives: dice") == (
        "generators g.yaml: rows[2] (in_word) gives: Input should be 'fair_bit' or "
        "'gaussian', not 'dice'"
    )
    assert refused("metastable_latch", "ring_oscillator") == (
        "generators g.yaml: generator 'ring_oscillator' appears 2 times; keep one row"
    )
