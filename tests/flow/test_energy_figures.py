# SPDX-License-Identifier: Apache-2.0
"""Figures behind the energy pictures: groups, folding, kinds, and the roofline of a run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datapath import SIZES
from networks import GRAPHS, random_graph_network, random_images
from scaledrop.energy import EVENTS, Band, EnergyEstimate, Machine, estimate, load_table
from scaledrop.energy.published import load_published
from scaledrop.energy.references import load_references
from scaledrop.errors import UserError
from scaledrop.events import EventCounts, predict_events
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop.walk import Inference, Mode, walk_draws
from scaledrop_flow.energy_report import (
    Bar,
    Ceiling,
    Kind,
    bar_of,
    ceilings_of,
    level_of,
    points_of,
    reference_level,
)
from scaledrop_flow.energy_report.data import GROUPS, OTHER, folded

SPIN = 6


def band(value: float) -> Band:
    return Band(value, value / 2, value * 3)


@pytest.fixture(scope="module")
def digits() -> EnergyEstimate:
    rng = np.random.default_rng(2)
    run = {"one": {name: int(rng.integers(1, 1000)) for name in EVENTS}}
    return estimate(run, Machine({"one": SIZES}, 4), load_table("mtj45"), 3)


def test_a_bar_has_the_groups_of_the_datapath_and_loses_nothing(digits: EnergyEstimate) -> None:
    bar = bar_of("digits", digits)
    assert list(bar.parts) == [
        "array",
        "converters",
        "accumulators",
        "output stage",
        "buffers",
        "spin unit",
        "control and interface",
        "leakage",
    ]
    for end in ("value", "low", "high"):
        assert getattr(bar.joules, end) == pytest.approx(
            getattr(digits.joules, end), rel=1e-12, abs=0
        )
    spin = [one.joules.value for one in digits.components if one.name.startswith("spin")]
    assert len(spin) == 3
    assert bar.parts["spin unit"].value == pytest.approx(sum(spin), rel=1e-12, abs=0)


def test_every_component_has_its_group(digits: EnergyEstimate) -> None:
    each = tuple(dataclasses.replace(one, joules=band(1)) for one in digits.components)
    parts = bar_of("all", dataclasses.replace(digits, components=each)).parts
    assert list(parts) == [group for group, _ in GROUPS]
    assert sum(one.value for one in parts.values()) == len(each)
    assert parts["buffers"].value == 2 + 1 + 1 + 2 and parts["residual streams"].value == 5


def test_a_bar_leaves_out_what_the_network_has_not() -> None:
    run = {"one": dict.fromkeys(EVENTS, 0) | {"conversions": 3, "cycles": 1}}
    machine = Machine({"one": SIZES}, 4)
    bar = bar_of("x", estimate(run, machine, load_table("mtj45"), 1))
    assert "converters" in bar.parts and "residual streams" not in bar.parts


def test_small_parts_are_added_up_in_every_bar_alike() -> None:
    one = Bar("one", {"a": band(100), "b": band(1), "c": band(50), "d": band(2)})
    two = Bar("two", {"a": band(1), "d": band(30), "e": band(0.5)})
    left, right = folded([one, two], 4)
    assert list(left.parts) == list(right.parts) == ["a", "c", "d", OTHER]
    assert left.parts[OTHER] == band(1) and right.parts[OTHER] == band(0.5)
    assert right.parts["c"] == Band(0, 0, 0)
    assert left.joules == one.joules and right.joules == two.joules
    assert [list(bar.parts) for bar in folded([one], 4)] == [["a", "b", "c", "d"]]


def test_published_figures_have_their_kind_and_no_band() -> None:
    kinds = {row.name: level_of(row) for row in load_published()}
    assert kinds["VIBNN"].kind is Kind.VERIFIED
    assert {one.kind for name, one in kinds.items() if name not in {"VIBNN", "BYNQNet"}} == {
        Kind.UNVERIFIED
    }
    joules = kinds["SpinDrop"].joules
    assert joules.low == joules.value == joules.high == pytest.approx(2e-6, rel=1e-9, abs=0)
    tool = reference_level(load_references()[0], 20)
    assert tool.kind is Kind.TOOL and tool.name == "NeuroSim SRAM 22 nm, 20 passes"
    assert tool.joules.value == pytest.approx(98e-9, rel=1e-9, abs=0)


def test_impossible_figures_are_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"^bar x: has no parts; give one component at least$"):
        Bar("x", {})
    for given in ({}, {"rate": 1.0, "beats": 1.0}, {"rate": 0.0}):
        with pytest.raises(UserError, match=r"^ceiling x: needs rate or beats, one of them above"):
            Ceiling("x", **given)
    assert Ceiling("x", rate=7.0).at(100) == 7 and Ceiling("x", beats=0.5).at(100) == 50


def run_of(name: str, mode: Mode, passes: int) -> tuple[NetworkMapping, EventCounts]:
    network = random_graph_network(3, *GRAPHS[name])
    mapping = NetworkMapping(network, ArrayShape(16, 8, 4))
    rng = np.random.default_rng(5)
    walks = [
        list(
            walk_draws(
                Inference(mode, passes),
                len(network.layers),
                lambda _, count: tuple(map(int, rng.integers(0, 2, count))),
            )
        )
        for _ in range(2)
    ]
    cycles = predict_cycles(mapping, walks, PipelineTiming(spin=SPIN))
    return mapping, predict_events(mapping, random_images(1, network, 2), walks, cycles)


@pytest.mark.parametrize("mode", [Mode.PASSES, Mode.SHARED])
@pytest.mark.parametrize("name", ["dense, 3-bit", "lenet5"])
def test_no_layer_lies_above_its_limits(name: str, mode: Mode) -> None:
    mapping, events = run_of(name, mode, 4)
    points = points_of(mapping, events, SPIN)
    assert [one.name for one in points] == [*events, "all layers"]
    ceilings = ceilings_of(mapping)
    assert [one.name for one in ceilings] == ["array, 16 x 8 cells", "drain, 1 beat of 4 a cycle"]
    for one in points:
        assert 0 < one.rate <= min(one.limits.values()) * (1 + 1e-12), one
        assert one.limits["cells in use"] <= 16 * 8
    assert f"spin unit, 1 bit in {SPIN} cycles" in points[-1].limits
    whole, busy = points[-1], sum(layer["cycles"] for layer in events.values())
    held = sum(layer["waiting"] for layer in events.values())
    operations = sum(one.rate * events[one.name]["cycles"] for one in points[:-1])
    assert held and whole.rate == pytest.approx(operations / (busy + held))
    windows = {one.name for one in points if "window, 1 column a cycle" in one.limits}
    assert windows == {"lenet5": {"conv1", "conv2"}}.get(name, set())


def test_a_dense_layer_by_hand() -> None:
    """36 inputs of 8 bits on 16 rows: 3 row tiles, 8 planes; 9 channels on 8 columns: 2 tiles."""
    mapping, events = run_of("dense", Mode.PASSES, 2)
    point = points_of(mapping, events, SPIN)[0]
    visits = 2 * 2
    assert events["dense0"]["activations"] == 3 * 8 * 2 * visits
    assert point.limits["cells in use"] == pytest.approx(36 * 9 * 8 / (3 * 8 * 2))
    assert point.intensity == pytest.approx(36 * 9 * 8 / 3)
    assert point.rate == pytest.approx(36 * 9 * 8 * visits / events["dense0"]["cycles"])


def test_a_layer_that_did_nothing_is_refused() -> None:
    mapping, events = run_of("dense", Mode.PASSES, 1)
    events["dense1"]["cycles"] = 0
    with pytest.raises(UserError, match=r"^events\[dense1\]: no cycles or no work were counted"):
        points_of(mapping, events, SPIN)
