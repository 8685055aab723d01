# SPDX-License-Identifier: Apache-2.0
"""The estimator against figures worked out by hand, its algebra, and every refusal."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from datapath import SIZES
from scaledrop.energy import (
    EVENTS,
    NOT_COUNTED,
    Band,
    Capacities,
    EnergyEstimate,
    Machine,
    Row,
    Sizes,
    TechnologyTable,
    adc_bits,
    estimate,
    load_table,
)
from scaledrop.energy.rules import GRAPH_EVENTS
from scaledrop.errors import UserError

TILES = 3


def price(
    run: Any, sizes: Sizes | dict[str, Sizes], table: TechnologyTable, images: Any
) -> EnergyEstimate:
    by_layer = dict.fromkeys(run, sizes) if isinstance(sizes, Sizes) else sizes
    return estimate(run, Machine(by_layer, TILES), table, images)


@pytest.fixture(scope="module")
def mtj45() -> TechnologyTable:
    return load_table("mtj45")


def events(**counts: int) -> dict[str, int]:
    return dict.fromkeys(EVENTS, 0) | counts


def random_events(seed: int) -> dict[str, int]:
    rng = np.random.default_rng(seed)
    return {name: int(rng.integers(0, 10**6)) for name in EVENTS}


def parts(result: EnergyEstimate) -> dict[str, float]:
    return {
        one.name: one.joules.value for one in result.components if one.joules.value and one.event
    }


READ, WRITE = 0.89e-12 / 64, 1.62e-12 / 64
CLASS = 65 + 103
STAGE = 16 * (15 + 23 + 23)

# Joules of one event, worked out by hand from the table and the widths above.
BY_HAND = {
    "cycles": {
        "controller, running": 560 * 4.7e-15,
        "stage registers": STAGE * 4.5e-15,
    },
    "waiting": {"controller, waiting": 560 * 4.7e-15},
    "activations": {},
    "row_drives": {
        "crossbar cells": 2 * 16 * 0.4e-15,
        "row drivers": 35e-15 * 32 / 128,
    },
    "conversions": {
        "column converters": 0.736e-12,
        "accumulator registers, writes": 15 * 9e-15,
    },
    "additions": {
        "accumulator adders": 15 * 3.125e-15,
        "accumulator registers, reads": 15 * 9e-15,
    },
    "scale_reads": {"scale memory": 128 * READ},
    "multiplies": {"scale multipliers": 15 * 8 * 3.027e-15},
    "comparisons": {"threshold comparators": 23 * 0.92e-15, "threshold memory": 24 * READ},
    "logit_macs": {
        "head multipliers": 16 * 23 * 3.027e-15,
        "head adders": 40 * 3.125e-15,
        "head memory": 56 * READ,
        "pass accumulator, adders": CLASS * 3.125e-15,
        "pass accumulator, squares": 40 * 40 * 3.027e-15,
        "pass accumulator, registers": 2 * CLASS * 9e-15,
    },
    "buffer_reads": {"activation buffer, reads": 64 * READ},
    "buffer_writes": {"activation buffer, writes": 16 * WRITE},
    "spin_resets": {"spin unit, reset": 2.508e-12},
    "spin_writes": {"spin unit, write": 1.605e-12},
    "spin_reads": {"spin unit, read": 48e-15},
    "pixels": {"image buffer": 8 * WRITE, "interface, images": 8 * 0.16e-12},
    "results": {"verdict": 65 * 0.92e-15, "interface, results": (CLASS + 50) * 0.16e-12},
}
WINDOWS = {"window registers"}
GRAPH = {
    "stream_macs": {
        "stream multipliers": 16 * 23 * 3.027e-15,
        "stream adders, offsets": 16 * 3.125e-15,
        "stream gains": 32 * READ,
    },
    "stream_additions": {"stream adders, residual": 16 * 3.125e-15},
    "stream_reads": {"stream buffer, reads": 256 * READ},
    "stream_writes": {"stream buffer, writes": 256 * WRITE},
    "quantisations": {"stream comparators": 16 * 0.92e-15},
    "pool_additions": {"sum pool adders": 8 * 3.125e-15},
}


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_costs_what_the_hand_says(mtj45: TechnologyTable, name: str) -> None:
    result = price({"one": events(**{name: 5})}, SIZES, mtj45, images=2)
    assert parts(result) == pytest.approx(
        {k: v * 2.5 for k, v in BY_HAND[name].items()}, rel=1e-9, abs=0
    )
    assert {one.name for one in result.components if one.event == name} >= set(BY_HAND[name])


@pytest.mark.parametrize("name", GRAPH)
def test_streams_cost_what_the_hand_says(mtj45: TechnologyTable, name: str) -> None:
    result = price({"one": {**events(), name: 3}}, SIZES, mtj45, images=1)
    assert parts(result) == pytest.approx(
        {k: 3 * v for k, v in GRAPH[name].items()}, rel=1e-9, abs=0
    )


def test_the_hand_covers_every_event_and_component(mtj45: TechnologyTable) -> None:
    result = price({"one": events()}, SIZES, mtj45, images=1)
    assert set(BY_HAND) == set(EVENTS)
    assert set(GRAPH) == set(GRAPH_EVENTS)
    by_hand = [name for part in (*BY_HAND.values(), *GRAPH.values()) for name in part]
    assert sorted([*by_hand, *WINDOWS, "leakage"]) == sorted(one.name for one in result.components)


def test_a_whole_image_by_hand(mtj45: TechnologyTable) -> None:
    run = {
        "a": events(row_drives=64, conversions=16, spin_writes=1),
        "b": events(conversions=4, additions=4),
    }
    conversion, addition = 0.736e-12 + 135e-15, 46.875e-15 + 135e-15
    expected = 64 * (12.8e-15 + 8.75e-15) + 20 * conversion + 4 * addition + 1.605e-12
    result = price(run, SIZES, mtj45, images=1)
    assert result.joules.value == pytest.approx(expected, rel=1e-9, abs=0)
    assert result.by_layer["b"].value == pytest.approx(
        4 * conversion + 4 * addition, rel=1e-9, abs=0
    )


def test_layers_and_components_add_up_to_the_total(mtj45: TechnologyTable) -> None:
    run = {f"layer{i}": random_events(i) for i in range(4)}
    whole = price(run, SIZES, mtj45, images=7)
    for name in ("value", "low", "high"):
        total = getattr(whole.joules, name)
        leaked = whole.components[-1].joules
        layers = sum(getattr(b, name) for b in whole.by_layer.values())
        assert layers + getattr(leaked, name) == pytest.approx(total, rel=1e-9, abs=0)
        assert sum(getattr(b, name) for b in whole.leakage.values()) == pytest.approx(
            getattr(leaked, name), rel=1e-9, abs=0
        )
        assert sum(getattr(c.joules, name) for c in whole.components) == pytest.approx(
            total, rel=1e-9, abs=0
        )
        alone = [price({k: v}, SIZES, mtj45, 7).joules for k, v in run.items()]
        assert sum(getattr(b, name) for b in alone) == pytest.approx(total, rel=1e-9, abs=0)
    assert sum(one.share for one in whole.components) == pytest.approx(1, rel=1e-9, abs=0)


def test_energy_is_linear_in_counts_and_falls_with_images(mtj45: TechnologyTable) -> None:
    once = random_events(3)
    thrice = {name: 3 * count for name, count in once.items()}
    one, three = (price({"l": e}, SIZES, mtj45, 5).joules for e in (once, thrice))
    assert dataclasses.astuple(three) == pytest.approx(
        dataclasses.astuple(one * 3), rel=1e-9, abs=0
    )
    spread = price({"l": thrice}, SIZES, mtj45, 15).joules
    assert dataclasses.astuple(spread) == pytest.approx(dataclasses.astuple(one), rel=1e-9, abs=0)


def test_bands_are_ordered_everywhere(mtj45: TechnologyTable) -> None:
    result = price({"l": random_events(9)}, SIZES, mtj45, 1)
    bands = [result.joules, result.area, *result.by_layer.values(), *result.areas.values()]
    bands += [c.joules for c in result.components if c.count and c.name not in WINDOWS]
    assert all(0 < band.low < band.value < band.high for band in bands)


def test_every_component_tells_its_source_and_label(mtj45: TechnologyTable) -> None:
    result = price({"l": events()}, SIZES, mtj45, 1)
    assert all(one.source and one.label for one in result.components)
    assert all(one.event in (*EVENTS, *GRAPH_EVENTS) for one in result.components[:-1])
    assert result.joules == Band(0, 0, 0) and {one.share for one in result.components} == {0.0}
    assert result.not_counted == NOT_COUNTED and result.table == "mtj45"


def test_the_json_holds_what_the_report_needs(mtj45: TechnologyTable) -> None:
    result = price({"l": random_events(1)}, SIZES, mtj45, 2)
    json = result.as_json()
    assert json["value"] == result.joules.value and json["per"] == "image"
    keys = {"name", "event", "count", "value", "low", "high", "share", "source", "label"}
    assert all(set(one) == keys for one in json["by_component"])
    assert json["by_layer"][0]["name"] == "l" and json["not_counted"] == list(NOT_COUNTED)


@pytest.mark.parametrize(
    ("rows", "bits"), [(1, 4), (15, 4), (16, 5), (31, 5), (64, 7), (127, 7), (128, 8), (255, 8)]
)
def test_the_converter_tells_all_sums_apart(rows: int, bits: int) -> None:
    assert adc_bits(rows) == bits
    assert 2**bits >= rows + 1


def test_counts_may_be_numpy_integers(mtj45: TechnologyTable) -> None:
    count: Any = np.int64(4)
    result = price({"l": events(conversions=count)}, SIZES, mtj45, 1)
    assert result.joules.value == pytest.approx(4 * (0.736e-12 + 135e-15), rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("run", "images", "message"),
    [
        (
            {"l": {**events(), "sneezes": 1}},
            1,
            "events[l]: unknown event 'sneezes'; remove it",
        ),
        (
            {"l": {k: 0 for k in EVENTS if k != "additions"}},
            1,
            "events[l]: event 'additions' is missing; give it, 0 if none",
        ),
        ({}, 1, "events: has no layer; give the counts of one layer at least"),
        (
            {"l": events(cycles=-1)},
            1,
            "events[l].cycles: must be an integer of 0 or more, not -1; count again",
        ),
        (
            {"l": {**events(), "cycles": 1.5}},
            1,
            "events[l].cycles: must be an integer of 0 or more, not 1.5; count again",
        ),
        (
            {"l": {**events(), "cycles": True}},
            1,
            "events[l].cycles: must be an integer of 0 or more, not True; count again",
        ),
        ({"l": events()}, 0, "images: must be an integer of 1 or more, not 0"),
        ({"l": events()}, 2.0, "images: must be an integer of 1 or more, not 2.0"),
    ],
)
def test_wrong_counts_are_refused_by_name(
    mtj45: TechnologyTable, run: Any, images: Any, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        price(run, SIZES, mtj45, images)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [0, -3, 1.5, True, "8"])
def test_wrong_sizes_are_refused_by_name(value: Any) -> None:
    with pytest.raises(UserError) as caught:
        dataclasses.replace(SIZES, scale_bits=value)
    assert str(caught.value) == f"scale_bits: must be an integer of 1 or more, not {value!r}"


def test_more_rows_than_the_table_can_convert_are_refused(mtj45: TechnologyTable) -> None:
    with pytest.raises(UserError) as caught:
        price({"l": events()}, dataclasses.replace(SIZES, rows=1024), mtj45, 1)
    assert str(caught.value) == (
        "rows: 1024 rows need a lossless converter of 11 bits and table mtj45 has adc_1b, adc_2b, "
        "adc_3b, adc_4b, adc_5b, adc_6b, adc_7b, adc_8b, adc_9b, adc_10b; use fewer rows or add "
        "adc_11b"
    )


def test_a_row_of_the_users_own_is_taken(mtj45: TechnologyTable) -> None:
    old = mtj45.row("adc_8b")
    wide = Row(**{**old.model_dump(), "component": "adc_11b", "bits": 11})
    table = mtj45.model_copy(update={"rows": (*mtj45.rows, wide)})
    sizes = dataclasses.replace(SIZES, rows=1024)
    result = price({"l": events(conversions=1)}, sizes, table, 1)
    assert result.joules.value == pytest.approx(old.energy_j + 135e-15, rel=1e-9, abs=0)


def test_a_table_without_a_component_is_refused(mtj45: TechnologyTable) -> None:
    rows = tuple(row for row in mtj45.rows if row.component != "register")
    with pytest.raises(UserError) as caught:
        price({"l": events()}, SIZES, TechnologyTable(name="mine", rows=rows), 1)
    assert str(caught.value) == "table mine: has no component 'register'; add a row for it"


def test_bit_planes_need_a_wider_converter_in_their_layer_only(mtj45: TechnologyTable) -> None:
    """A row may be undriven: 64 rows have 129 sums, 8 bits; with +-1 on all, 65 sums, 7 bits."""
    assert [adc_bits(64), adc_bits(64, bit_planes=True)] == [7, 8]
    sizes = {"image": dataclasses.replace(SIZES, bit_planes=True), "hidden": SIZES}
    run = {layer: events(conversions=1) for layer in sizes}
    result = price(run, sizes, mtj45, images=1)
    wide, narrow = (mtj45.row(f"adc_{bits}b").energy_j for bits in (8, 7))
    difference = result.by_layer["image"].value - result.by_layer["hidden"].value
    assert difference == pytest.approx(wide - narrow, rel=1e-9, abs=0)
    converters = next(one for one in result.components if one.name == "column converters")
    assert converters.joules.value == pytest.approx(wide + narrow, rel=1e-9, abs=0)
    assert mtj45.row("adc_8b").source in converters.source


def test_a_window_is_shifted_and_its_column_read(mtj45: TechnologyTable) -> None:
    sizes = dataclasses.replace(
        SIZES, window_bits=150, column_bits=30, source_bytes=4096, target_bytes=2048
    )
    run = {"conv": events(buffer_reads=2, buffer_writes=1)}
    assert parts(price(run, sizes, mtj45, 1)) == pytest.approx(
        {
            "activation buffer, reads": 2 * 30 / 64 * 2.7e-12,
            "window registers": 2 * 150 * 9e-15,
            "activation buffer, writes": 16 / 64 * 1.99e-12,
        },
        rel=1e-9,
        abs=0,
    )


def test_only_used_columns_are_biased_and_a_converter_stops_early(mtj45: TechnologyTable) -> None:
    sizes = dataclasses.replace(SIZES, rows_used=25, columns_used=6.0, bit_planes=True)
    run = {"conv": events(row_drives=10, conversions=1)}
    found = parts(price(run, sizes, mtj45, 1))
    assert found["crossbar cells"] == pytest.approx(10 * 2 * 6 * 0.4e-15, rel=1e-9, abs=0)
    assert found["row drivers"] == pytest.approx(10 * 35e-15 * 32 / 128, rel=1e-9, abs=0)
    assert found["column converters"] == mtj45.row("adc_6b").energy_j
    lossy = dataclasses.replace(sizes, converter_bits=3)
    assert parts(price(run, lossy, mtj45, 1))["column converters"] == mtj45.row("adc_3b").energy_j


def test_leakage_is_that_of_what_stands_there_for_as_long_as_it_runs(
    mtj45: TechnologyTable,
) -> None:
    memories = Capacities(scales=2048, images=1024)
    sizes = dataclasses.replace(SIZES, memories=memories, folded=True)
    result = price({"l": events(cycles=150, waiting=50)}, sizes, mtj45, 2)
    assert result.seconds == pytest.approx(100 / 100e6, rel=1e-12, abs=0)
    watts = {
        "accumulator adders": 16 * 15 * 75e-9,
        "accumulator registers": 2 * 16 * 15 * 10.03e-9,
        "scale memory": 11.6e-6,
        "threshold comparators": 16 * 23 * 0.7844e-9,
        "head multipliers": 16 * 23 * 78.13e-9,
        "head adders": 40 * 75e-9,
        "image buffer": 5.8e-6,
        "pass accumulator": 1600 * 78.13e-9 + CLASS * 75e-9,
        "stage registers": 16 * 23 * 10.03e-9,
        "controller": 560 * 20.06e-9,
    }
    assert {name: band.value for name, band in result.leakage.items()} == pytest.approx(
        {name: one * 1e-6 for name, one in watts.items()}, rel=1e-3, abs=0
    )


def test_area_is_that_of_every_instance(mtj45: TechnologyTable) -> None:
    sizes = dataclasses.replace(SIZES, memories=Capacities(activations=512), folded=False)
    area = {
        name: band.value for name, band in price({"l": events()}, sizes, mtj45, 1).areas.items()
    }
    assert area["crossbar cells"] == pytest.approx(TILES * 64 * 16 * 2 * 0.0972, rel=1e-9)
    assert area["column converters"] == pytest.approx(16 * 4000)
    assert area["scale multipliers"] == pytest.approx(16 * 15 * 8 * 6.2)
    assert area["activation buffer"] == pytest.approx(2000)
    assert area["spin unit"] == 1000
    folded = price({"l": events()}, dataclasses.replace(sizes, folded=True), mtj45, 1)
    assert "scale multipliers" not in folded.areas


def test_a_table_without_leakage_is_refused(mtj45: TechnologyTable) -> None:
    with pytest.raises(UserError) as caught:
        price({"l": events()}, SIZES, mtj45.model_copy(update={"leakage": ()}), 1)
    assert str(caught.value) == (
        "table mtj45: has no component 'adder' among its leakage; add a row for it"
    )


def test_impossible_columns_are_refused() -> None:
    with pytest.raises(UserError) as caught:
        dataclasses.replace(SIZES, columns_used=16.5)
    assert str(caught.value) == "columns_used: must be 0 to the 16 columns, not 16.5"


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("rows", "adders", "table mtj45: unknown component 'adders' in rows; did you mean adder?"),
        ("rows", "adc_b", "table mtj45: unknown component 'adc_b' in rows; "),
        ("leakage", "cell", "table mtj45: unknown component 'cell' in leakage; "),
        ("areas", "qubit", "table mtj45: unknown component 'qubit' in areas; known are adc, adder"),
    ],
)
def test_a_row_that_prices_nothing_is_refused(
    mtj45: TechnologyTable, kind: str, name: str, message: str
) -> None:
    rows = getattr(mtj45, kind)
    extra = rows[0].model_copy(update={"component": name})
    with pytest.raises(UserError) as caught:
        price({"l": events()}, SIZES, mtj45.model_copy(update={kind: (*rows, extra)}), 1)
    assert str(caught.value).startswith(message)
