# SPDX-License-Identifier: Apache-2.0
"""Supervision: the monitors as they are, and health against limits that a host loads."""

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from simulate import play
from wrong_parameters import refusal

from scaledrop.device_sizes import Memory, MemoryShape
from scaledrop.health import HealthLimits, HealthTwin, limits_of
from scaledrop.monitors import MonitorFlag as Flag
from scaledrop_hw.bit_health import limits_layout
from scaledrop_hw.monitors import PULSES, Monitors
from scaledrop_hw.supervision import Supervision

CODES, WINDOW, MAX_PASSES, RUN_BITS = [9830, 0, 40000], 12, 6, 16
GOOD = {"drop_codes": CODES, "max_passes": MAX_PASSES, "window": WINDOW}
LAYOUT = limits_layout(WINDOW, RUN_BITS)
PARTS = -(-LAYOUT.size // 32)
NOTHING = HealthLimits(0, 0, 0, WINDOW, 0, WINDOW - 1)
TWO = NOTHING._replace(run_dropped=2)
TIGHT = HealthLimits(3, 2, 1, 5, 3, 9)
ALARMS = [Flag[name.upper()] for name in HealthLimits._fields]
NAMES = "restart", "drawn_valid", "drawn", "clear", "select", "write", "read", "address", "part"
NAMES += ("data",)
REST = dict.fromkeys(NAMES, 0) | {"drawn": {"layer": 0, "keep": 0}}


def parts_of(limits):
    """The 32-bit parts of a layer's limits."""
    word = LAYOUT.const(limits._asdict()).as_bits()
    return [word >> 32 * part & 0xFFFFFFFF for part in range(PARTS)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drop_codes": []}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"drop_codes": [65536]}, "drive code: must be 0 to 65535, not 65536"),
        ({"max_passes": 0}, "max_passes must be an integer from 1 to 65535, not 0"),
        ({"window": 1}, "window must be an integer from 2 to 4096, not 1"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Supervision, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Supervision(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    shape = MemoryShape(len(CODES), PARTS)
    assert dut.hosts == {Memory.HEALTH_LIMITS: ("host_health_limits", shape)}
    assert Supervision(drop_codes=[0], max_passes=1).window == 1024


def loads(tables):
    """Cycles in which a host loads the limits of every layer."""
    for layer, limits in enumerate(tables):
        for part, data in enumerate(parts_of(limits)):
            place = {"address": layer, "part": part, "data": data}
            yield {**REST, "select": 1, "write": 1, **place}


def reads(layers):
    for layer in range(layers):
        for part in range(PARTS):
            yield {**REST, "select": 1, "read": 1, "address": layer, "part": part}


def drawn(layer, keep, **others):
    return {**REST, "drawn_valid": 1, "drawn": {"layer": layer, "keep": keep}, **others}


def inputs_of(dut):
    host = dut.host_health_limits
    ports = [dut.restart, dut.drawn_valid, dut.drawn, dut.clear, host.select, host.write]
    return [*ports, host.read, host.address, host.part, host.data]


def run(cycles, outputs):
    """Outputs by name of the cycles and of three more."""
    dut, rest = Supervision(**GOOD), {**REST, "clear": cycles[-1]["clear"]}
    rows = [[cycle[name] for name in NAMES] for cycle in [*cycles, *[rest] * 3]]
    ports = {"status": dut.status, "word": dut.host_health_limits.word, "count": dut.count}
    return play(dut, inputs_of(dut), rows, [ports[name] for name in outputs])


def alarms_of(status):
    return {flag for flag in ALARMS if status >> flag & 1}


def expected(tables, cycles):
    """Alarms that the bits raise, one entry a cycle."""
    twin = HealthTwin(tables, WINDOW)
    for cycle in cycles:
        if cycle["restart"] or (cycle["select"] and cycle["write"]):
            twin.restart()
        raised = twin.step(**cycle["drawn"]) if cycle["drawn_valid"] else [0] * len(ALARMS)
        yield {flag for flag, up in zip(ALARMS, raised, strict=True) if up}


def check(tables, cycles):
    """Load the limits, play the cycles while all is cleared: each alarm two cycles later."""
    everything = (1 << len(Flag)) - 1
    cycles = [{**cycle, "clear": everything} for cycle in cycles]
    before = list(loads(tables))
    seen = [alarms_of(status) for (status,) in run([*before, *cycles], ["status"])]
    wanted = list(expected(tables, cycles))
    assert seen[len(before) + 2 :] == [*wanted, set()]
    return wanted


def random_bits(rng, count):
    for _ in range(count):
        layer = int(rng.integers(len(CODES)))
        bit = {"layer": layer, "keep": int(rng.random() < (0.85, 0.6, 0.2)[layer])}
        restart = int(rng.random() < 0.01)
        yield {**REST, "drawn_valid": int(rng.random() < 0.8), "drawn": bit, "restart": restart}


def test_bits_are_judged_by_the_limits_of_their_layer():
    tables = [TIGHT, limits_of(32768, window=WINDOW, alpha_bits=2), TIGHT._replace(run_dropped=4)]
    wanted = check(tables, list(random_bits(np.random.default_rng(1), 3000)))
    assert set().union(*wanted) == set(ALARMS)


def test_limits_after_power_up_are_those_of_the_drop_codes():
    read = [row[0] for row in run(list(reads(len(CODES))), ["word"])][1:]
    words = [part for code in CODES for part in parts_of(limits_of(code, window=WINDOW))]
    assert read[: len(words)] == words


def test_loaded_limits_are_read_back():
    tables = [TIGHT, NOTHING, TIGHT._replace(equal_low=1)]
    cycles = [*loads(tables), *reads(len(CODES))]
    read = [row[0] for row in run(cycles, ["word"])][len(cycles) // 2 + 1 :]
    assert read[: len(cycles) // 2] == [part for limits in tables for part in parts_of(limits)]


@pytest.mark.parametrize(
    ("between", "forgotten"),
    [
        ({}, False),
        ({"restart": 1}, True),
        ({"select": 1, "write": 1, "data": parts_of(TWO)[0]}, True),
        ({"select": 1, "read": 1}, False),
        ({"write": 1, "data": 5}, False),
    ],
    ids=["nothing", "restart", "load", "read", "a write to another memory"],
)
def test_what_is_forgotten(between, forgotten):
    """Two equal bits break the limit unless something between them makes the first unseen."""
    tables = [TWO] * 3
    wanted = check(tables, [drawn(0, 0), {**REST, **between}, drawn(0, 0)])
    assert bool(wanted[-1]) is not forgotten


def test_monitors_are_those_of_the_part_itself():
    """Whatever the inputs: without alarms of the bits, status is what Monitors alone says."""
    rng = np.random.default_rng(2)
    alone, dut = Monitors(layers=len(CODES), max_passes=MAX_PASSES), Supervision(**GOOD)
    names = ["exact", "passes", "write", "drawn_valid", "drawn", "formed_valid", "formed"]
    names += ["leaf_valid", "leaf", *PULSES, "clear", "stop_enable", "select"]
    shown = ["status", "stop", "count"]
    health = sum(1 << flag for flag in ALARMS)
    rows = [[_noise(rng, getattr(alone, name)) for name in names] for _ in range(600)]
    clear, enable = names.index("clear"), names.index("stop_enable")
    for row in rows:
        row[clear] |= health
        row[enable] &= ~health
    first = play(alone, [getattr(alone, name) for name in names], rows, _ports(alone, shown))
    second = play(dut, [getattr(dut, name) for name in names], rows, _ports(dut, shown))
    assert [[row[0] & ~health, row[1]] for row in second] == [row[:2] for row in first]
    select = names.index("select")
    triples = zip(first[1:], second[1:], rows, strict=False)
    assert all(one[2] == two[2] for one, two, row in triples if row[select] not in ALARMS)
    assert len({row[0] for row in first}) > 20


def _ports(dut, names):
    return [getattr(dut, name) for name in names]


def _noise(rng, port):
    shape = port.shape()
    if hasattr(shape, "members"):
        return {name: int(rng.integers(1 << field.width)) for name, field in shape}
    return int(rng.integers(1 << shape.width) & rng.integers(1 << shape.width))


WRITE, GAP, BIT = {"write": 1}, {}, {"drawn_valid": 1, "drawn": {"layer": 0, "keep": 1}}
FORMED = {"formed_valid": 1, "formed": {"layer": 0, "kept": 1, "dropped": 0, "last": 1}}
LEAF = {"leaf_valid": 1, "leaf": {"weight": 1, "ends_image": 1}}
IMAGE = [WRITE, GAP, BIT, FORMED, LEAF]
"""An image of one layer and one pass."""
BEFORE = {
    Flag.SPIN_OVERUSED: [WRITE],
    Flag.MASK_COUNT: [WRITE, GAP, BIT],
    Flag.PASS_COUNT: [*IMAGE[:3], {**FORMED, "passes": 2}],
}


@pytest.mark.parametrize("flag", BEFORE, ids=lambda flag: flag.name)
def test_a_restart_forgets_what_the_monitors_have_seen_and_keeps_the_status(flag):
    """An image that was aborted is not missed; one that was not is."""
    for between, raised in (({"restart": 1}, set()), (GAP, {flag})):
        dut = Supervision(**GOOD)
        cycles = [{"misframed": 1}, *BEFORE[flag], between, *IMAGE, GAP, GAP]
        names = list({name: 0 for cycle in (*cycles, {"passes": 1}) for name in cycle})
        ports = {name: getattr(dut, name) for name in names}
        zeros = {
            name: {} if hasattr(port.shape(), "members") else 0 for name, port in ports.items()
        }
        rows = [list({**zeros, "passes": 1, **cycle}.values()) for cycle in cycles]
        status = play(dut, list(ports.values()), rows, [dut.status])[-1][0]
        found = {one for one in Flag if status >> one & 1}
        assert found == {Flag.IMAGE_MISFRAMED} | raised


def test_reset_keeps_the_limits_and_forgets_the_rest():
    reset, dut = Signal(), Supervision(**GOOD)
    tables = [TWO] * 3
    cycles = [*loads(tables), drawn(0, 0), drawn(0, 0), REST, REST, None, REST, drawn(0, 0)]
    cycles += [REST, REST, drawn(0, 0), REST, REST]
    rows = [[int(cycle is None), *(cycle or REST).values()] for cycle in cycles]
    status = [
        alarms_of(row[0])
        for row in play(ResetInserter(reset)(dut), [reset, *inputs_of(dut)], rows, [dut.status])
    ]
    at = cycles.index(None)
    assert status[at] == {Flag.RUN_DROPPED}
    assert status[at + 1 : at + 7] == [set()] * 6
    assert status[-1] == {Flag.RUN_DROPPED}
