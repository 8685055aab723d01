# SPDX-License-Identifier: Apache-2.0
"""Guard: what is right passes, what is wrong is refused by its code, and when."""

import numpy as np
import pytest
from sequencer_bench import steps_of
from simulate import play, play_then_reset
from wrong_parameters import refusal

from chains import METHODS, SEEDS, random_mapping
from networks import random_network
from scaledrop.layer_mapping import Method
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.refusal import Refusal
from scaledrop_hw.descriptors import Place, descriptor_layout, descriptor_of
from scaledrop_hw.guard import Guard

PATIENCE = 6
DENSE = NetworkMapping(random_network(1, (9, 9, 5)), ArrayShape(4, 6, 2))
SINGLE = NetworkMapping(random_network(1, (9, 5)), ArrayShape(4, 6, 2))
INPUTS = "offered", "layer", "descriptor", "running", "current", "place"
INPUTS += "stepping", "step", "progress"
OUTPUTS = "refuse", "refused", "code", "refused_layer"
STEP = {"tile": 0, "mask": 0, "word": 0, "inside": 1}


def guard_of(mapping, patience=PATIENCE):
    return Guard(mapping=mapping, layout=descriptor_layout(mapping), patience=patience)


def rows_of(mapping):
    return [descriptor_of(mapped, mapping) for mapped in mapping.layers]


@pytest.mark.parametrize("patience", [0, 2**20 + 1, 2.0])
def test_wrong_parameters(patience):
    good = {"mapping": DENSE, "layout": descriptor_layout(DENSE)}
    message = f"patience must be an integer from 1 to 1048576, not {patience}"
    assert refusal(Guard, good, {"patience": patience}) == message


def test_parameters_read_back():
    layout = descriptor_layout(DENSE)
    dut = Guard(mapping=DENSE, layout=layout)
    assert (dut.mapping, dut.layout, dut.patience) == (DENSE, layout, 4096)


def wrong_descriptor(mapping, layer, row):
    """Why a descriptor is refused; 0 where it is not."""
    array = mapping.array
    absent = {
        Place.IMAGE: mapping.layers[0].method is Method.UNROLLED,
        Place.VECTOR: mapping.end.target == 0,
    }
    source, target = Place(row["source"]), Place(row["target"])
    no_window = {
        side: row[f"{side}_window"] >= len(mapping.windows) for side in ("source", "target")
    }
    if source is Place.HEAD or {**absent, Place.WINDOW: no_window["source"]}[source]:
        return Refusal.SOURCE
    head = layer == len(mapping.layers) - 1
    if (target is Place.HEAD) != head or target is Place.IMAGE:
        return Refusal.TARGET
    if {**absent, Place.HEAD: False, Place.WINDOW: no_window["target"]}[target]:
        return Refusal.TARGET
    columns, beats = row["last_columns"], row["last_beats"]
    fits = 0 < columns <= array.columns and beats == -(-columns // array.lanes)
    return 0 if fits else Refusal.BEATS


def image_words(mapping):
    first = mapping.layers[0]
    maps = first.source.shape[1] * first.source.shape[2] if first.method is Method.TAPS else 1
    return first.row_tiles * maps


def wrong_step(mapping, place, step):
    limits = {Place.IMAGE: image_words(mapping), Place.VECTOR: mapping.end.target}
    outside = step["tile"] >= mapping.end.tile
    if place in limits:
        outside |= step["mask"] >= max(mapping.end.mask, 1)
        outside |= bool(step["inside"]) and step["word"] >= limits[place]
    return Refusal.RANGE if outside else 0


def expected(mapping, stimulus, patience=PATIENCE):
    """Outputs in every cycle, from the class docstring."""
    waited, outside, verdict, rows = 0, 0, (0, 0, 0), []
    for offered, layer, descriptor, running, current, place, stepping, step, progress in stimulus:
        wrong = wrong_descriptor(mapping, layer, descriptor)
        rows.append([int(wrong != 0), *verdict])
        stalled = Refusal.STALLED if waited == patience else 0
        cause = (wrong if offered else 0) or outside or stalled
        if cause and not verdict[0]:
            verdict = (1, int(cause), layer if offered and wrong else current)
        outside = wrong_step(mapping, place, step) if stepping else 0
        waited = 0 if progress or not running else waited + 1
    return rows


def run(mapping, stimulus, patience=PATIENCE):
    dut = guard_of(mapping, patience)
    inputs, outputs = ([getattr(dut, name) for name in names] for names in (INPUTS, OUTPUTS))
    rows = play(dut, inputs, stimulus, outputs)
    assert rows == expected(mapping, stimulus, patience)
    return rows


def quiet(mapping, **changes):
    """Inputs of a cycle in which nothing is wrong, but for the changes."""
    row = dict.fromkeys(INPUTS, 0) | {"descriptor": rows_of(mapping)[0], "step": STEP}
    return [{**row, **changes}[name] for name in INPUTS]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_descriptors_and_all_their_steps_pass(seed, method):
    mapping = random_mapping(seed, method)
    stimulus = []
    for layer, row in enumerate(rows_of(mapping)):
        stimulus += [quiet(mapping, offered=1, layer=layer, descriptor=row)]
        mapped = mapping.layers[layer]
        for path in (0, (1 << layer) - 1):
            for step in steps_of(mapped, mapping, path):
                known = {name: value for name, value in step.items() if value is not None}
                now = {"running": 1, "current": layer, "place": row["source"]}
                stimulus += [quiet(mapping, **now, stepping=1, step=known, progress=1)]
    assert not any(map(any, run(mapping, [*stimulus, quiet(mapping)])))


def spoilt(rng, layout, row):
    """A descriptor with one to three fields of noise."""
    names = rng.choice(list(row), rng.integers(1, 4), replace=False).tolist()
    return row | {name: int(rng.integers(1 << layout[name].width)) for name in names}


@pytest.mark.parametrize(
    ("seed", "method"), [(0, "taps"), (1, "taps"), (2, "unrolled"), (5, "taps")]
)
def test_spoilt_descriptors(seed, method):
    rng, mapping = np.random.default_rng(seed), random_mapping(seed, method)
    layout, rows = descriptor_layout(mapping), rows_of(mapping)
    layers = rng.integers(len(rows), size=1500).tolist()
    spoils = [spoilt(rng, layout, rows[layer]) for layer in layers]
    pairs = list(zip(layers, spoils, strict=True))
    seen = run(mapping, [quiet(mapping, layer=at, descriptor=row) for at, row in pairs])
    assert {refuse for refuse, *_ in seen} == {0, 1}
    codes = {wrong_descriptor(mapping, *pair) for pair in pairs}
    for code in codes - {0}:
        at = next(pair for pair in pairs if wrong_descriptor(mapping, *pair) == code)
        offer = quiet(mapping, offered=1, layer=at[0], descriptor=at[1])
        assert run(mapping, [offer, quiet(mapping)])[1] == [0, 1, code, at[0]]
    assert codes >= {0, Refusal.SOURCE, Refusal.TARGET}


WRONG = {
    "head as a source": (DENSE, 0, {"source": Place.HEAD}, Refusal.SOURCE),
    "window that is not there": (DENSE, 0, {"source": Place.WINDOW}, Refusal.SOURCE),
    "vector that is not there": (SINGLE, 0, {"source": Place.VECTOR}, Refusal.SOURCE),
    "hidden layer with a head": (DENSE, 0, {"target": Place.HEAD}, Refusal.TARGET),
    "last layer without a head": (DENSE, 1, {"target": Place.VECTOR}, Refusal.TARGET),
    "results into the image": (DENSE, 0, {"target": Place.IMAGE}, Refusal.TARGET),
    "results into no window": (DENSE, 0, {"target": Place.WINDOW}, Refusal.TARGET),
    "no beat": (DENSE, 0, {"last_beats": 0}, Refusal.BEATS),
    "no column": (DENSE, 0, {"last_columns": 0}, Refusal.BEATS),
    "more columns than the array": (DENSE, 0, {"last_columns": 7, "last_beats": 3}, Refusal.BEATS),
    "a beat without a column": (DENSE, 0, {"last_columns": 2, "last_beats": 2}, Refusal.BEATS),
    "columns without a beat": (DENSE, 1, {"last_columns": 5, "last_beats": 1}, Refusal.BEATS),
}


@pytest.mark.parametrize(("mapping", "layer", "fields", "code"), WRONG.values(), ids=WRONG)
def test_wrong_descriptors(mapping, layer, fields, code):
    """Refused where it stands, noted one cycle later, and only when it is offered."""
    wrong = {"layer": layer, "descriptor": rows_of(mapping)[layer] | fields}
    stimulus = [quiet(mapping, **wrong), quiet(mapping, **wrong, offered=1), quiet(mapping)]
    assert run(mapping, stimulus) == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, code, layer]]


TAPS = random_mapping(1, "taps")


@pytest.mark.parametrize(
    ("mapping", "place", "field", "limit"),
    [
        *[(DENSE, place, "tile", DENSE.end.tile) for place in list(Place)[:3]],
        *[(DENSE, place, "mask", DENSE.end.mask) for place in (Place.IMAGE, Place.VECTOR)],
        (DENSE, Place.VECTOR, "word", DENSE.end.target),
        (DENSE, Place.IMAGE, "word", image_words(DENSE)),
        (TAPS, Place.IMAGE, "word", image_words(TAPS)),
        (TAPS, Place.VECTOR, "word", TAPS.end.target),
    ],
)
def test_the_first_step_outside_of_a_memory(mapping, place, field, limit):
    dut = guard_of(mapping)
    most = (1 << dut.step.shape()[field].width) - 1
    assert limit <= most, "the limit cannot be seen: choose another mapping"
    now = {"running": 1, "current": 1, "place": place, "progress": 1}
    inside = quiet(mapping, **now, stepping=1, step={**STEP, field: limit - 1})
    outside = {**STEP, field: limit}
    unread = quiet(mapping, **now, step=outside)
    strays = quiet(mapping, **now, stepping=1, step=outside)
    seen = run(mapping, [inside, unread, strays, inside, inside])
    assert [row[1:] for row in seen] == [[0, 0, 0]] * 4 + [[1, Refusal.RANGE, 1]]
    if field == "word":
        padded = quiet(mapping, **now, stepping=1, step={**outside, "inside": 0})
        assert not any(map(any, run(mapping, [padded, padded, padded])))


@pytest.mark.parametrize("patience", [1, 3, 4, 7])
def test_patience(patience):
    """Exactly so many cycles without progress; progress and pauses begin anew."""
    waits, moves = quiet(DENSE, running=1, current=1), quiet(DENSE, running=1, progress=1)
    rests = quiet(DENSE)
    short = [waits] * (patience - 1)
    stimulus = [*short, moves, *short, rests, *short, waits, waits, waits, moves]
    seen = run(DENSE, stimulus, patience)
    assert [row[1] for row in seen[-3:]] == [0, 1, 1]
    assert seen[-1][2:] == [Refusal.STALLED, 1]


def random_cycles(rng, mapping, count):
    """Everything at once, rarely wrong."""
    layout, rows = descriptor_layout(mapping), rows_of(mapping)
    step = guard_of(mapping).step.shape()
    for _ in range(count):
        layer = int(rng.integers(len(rows)))
        row = spoilt(rng, layout, rows[layer]) if rng.random() < 0.05 else rows[layer]
        noise = {name: int(rng.integers(1 << step[name].width)) for name in STEP}
        flags = (rng.random(4) < (0.3, 0.9, 0.1, 0.3)).astype(int).tolist()
        current, place = int(rng.integers(len(rows))), list(Place)[rng.integers(3)]
        yield [flags[0], layer, row, flags[1], current, place, flags[2], noise, flags[3]]


@pytest.mark.parametrize("seed", range(30))
def test_random_cycles_until_the_first_refusal_and_beyond(seed):
    rng, mapping = np.random.default_rng(seed), (DENSE, SINGLE, TAPS)[seed % 3]
    seen = run(mapping, list(random_cycles(rng, mapping, 60)))
    assert seen[-1][1] == 1


def test_reset_forgets_the_refusal_and_the_waiting():
    dut = guard_of(DENSE)
    inputs, outputs = ([getattr(dut, name) for name in names] for names in (INPUTS, OUTPUTS))
    names = [name for name in INPUTS if name not in ("descriptor", "place", "step")]
    inputs = [getattr(dut, name) for name in names]
    offer = [1 if name in ("offered", "running") else 0 for name in names]
    first, after = play_then_reset(dut, inputs, [offer, *[[0, 0, 1, 0, 0, 0]] * 5], outputs)
    assert first == after
    assert [row[1:] for row in after] == [[0, 0, 0]] * 2
