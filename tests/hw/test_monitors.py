# SPDX-License-Identifier: Apache-2.0
"""Monitors: silent over correct walks, and each raises its flag one cycle after its fault."""

import copy

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.health import HealthLimits
from scaledrop.monitors import MonitorFlag as Flag
from scaledrop_hw.monitors import PULSES, Monitors

LAYERS, MAX_PASSES, MASS_BITS = 3, 6, 4
GOOD = {"layers": LAYERS, "max_passes": MAX_PASSES, "mass_bits": MASS_BITS}
BITS = {"write": 0, "drawn_valid": 0, "drawn": {"layer": 0, "keep": 0}}
REST = {
    **BITS,
    "formed_valid": 0,
    "formed": {"layer": 0, "kept": 0, "dropped": 0, "last": 0},
    "leaf_valid": 0,
    "leaf": {"weight": 0, "ends_image": 0},
    "alarms": dict.fromkeys(HealthLimits._fields, 0),
    **dict.fromkeys(PULSES, 0),
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"max_passes": 65536}, "max_passes must be an integer from 1 to 65535, not 65536"),
        ({"mass_bits": 0}, "mass_bits must be an integer from 1 to 32, not 0"),
        ({"width": 0}, "counter width must be an integer from 1 to 32, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Monitors, GOOD, wrong) == message


def test_parameters_read_back():
    dut = Monitors(**GOOD, width=8)
    assert (dut.layers, dut.max_passes, dut.mass_bits, dut.width) == (3, 6, 4, 8)
    assert (Monitors(layers=1, max_passes=9).mass_bits, Monitors(**GOOD).width) == (24, 16)


@pytest.mark.parametrize(("max_passes", "width"), [(255, 25), (65535, 25)])
def test_a_weight_holds_the_whole_mass(max_passes, width):
    dut = Monitors(layers=2, max_passes=max_passes)
    assert len(dut.formed.kept) == len(dut.leaf.weight) == width


class Walk:
    """The cycles of a correct accelerator: random walks, pulses, pauses and late leaves."""

    def __init__(self, rng):
        self.rng = rng
        self.cycles = []
        self.asked = {}
        self.late = []

    def pause(self, most=2):
        for _ in range(self.rng.integers(most + 1)):
            self.tick()

    def tick(self, **what):
        now = {**copy.deepcopy(REST), **self.asked, **what}
        if self.late and self.late[0][0] <= len(self.cycles):
            now |= {"leaf_valid": 1, "leaf": self.late.pop(0)[1]}
        self.cycles.append(now)
        return now

    def draw(self, layer):
        self.pause()
        for _ in range(self.rng.integers(1, 4)):
            self.tick(write=1)
        self.tick()
        self.pause()
        keep = int(self.rng.integers(2))
        self.tick(drawn_valid=1, drawn={"layer": layer, "keep": keep})
        return keep

    def form(self, layer, kept, dropped):
        """The command, in the cycle of the visit's last bit or after it."""
        command = {"layer": layer, "kept": kept, "dropped": dropped, "last": 0}
        now = self.cycles[-1] if self.asked["exact"] == 0 and self.rng.integers(2) else self.tick()
        now |= {"formed_valid": 1, "formed": command}
        self.last = command
        for weight in (kept, dropped):
            if layer == LAYERS - 1 and weight:
                leaf = {"weight": weight, "ends_image": 0}
                self.late.append((len(self.cycles) + 1 + self.rng.integers(6), leaf))

    def visit(self, layer, weight):
        if self.asked["exact"]:
            dropped, kept = weight // 3, weight - weight // 3 - int(self.rng.integers(2))
        else:
            kept = sum(self.draw(layer) for _ in range(weight))
            dropped = weight - kept
        self.form(layer, kept, dropped)
        for part in (kept, dropped):
            if part and layer < LAYERS - 1:
                self.visit(layer + 1, part)

    def image(self, mode, passes):
        self.asked = {"exact": int(mode == "exact"), "passes": passes}
        roots = {"exact": [1 << MASS_BITS], "shared": [max(passes, 1)]}
        for weight in roots.get(mode, [1] * max(passes, 1)):
            self.visit(0, weight)
        self.last["last"] = self.late[-1][1]["ends_image"] = 1
        self.pause()

    def settle(self):
        while self.late:
            self.tick()
        self.tick()
        return self.cycles


def walks(seed, images):
    rng, modes = np.random.default_rng(seed), ("passes", "shared", "exact")
    walk = Walk(rng)
    for _ in range(images):
        walk.image(modes[rng.integers(3)], int(rng.integers(MAX_PASSES + 1)))
    return walk.settle()


def status_of(cycles, clear=0):
    """The status word in each cycle and in the one after them, as sets of flags."""
    dut = Monitors(**GOOD)
    inputs = [*[getattr(dut, name) for name in cycles[0]], dut.clear]
    stimulus = [[*now.values(), clear] for now in [*cycles, cycles[-1]]]
    rows = play(dut, inputs, stimulus, [dut.status])
    return [{flag for flag in Flag if status >> flag & 1} for (status,) in rows]


def test_correct_walks_raise_nothing():
    cycles = walks(seed=1, images=120)
    assert not any(status_of(cycles)) and len(cycles) > 5000
    assert not any(Monitors(**GOOD).twin(cycles))


def spoil(rng, now):
    """Change one bit of one observation."""
    name = list(now)[rng.integers(len(now))]
    if isinstance(now[name], dict):
        field = list(now[name])[rng.integers(len(now[name]))]
        now[name][field] ^= 1
    else:
        now[name] ^= 1


@pytest.mark.parametrize("seed", range(4))
def test_what_is_raised_is_what_the_twin_raises(seed):
    """Walks with cycles repeated, left out or spoilt; cleared always, a status is one cycle's."""
    rng = np.random.default_rng(seed)
    cycles = []
    for now in walks(seed + 10, images=50):
        seen = copy.deepcopy(now)
        if rng.random() < 0.1:
            spoil(rng, seen)
        cycles += [seen] * int(rng.choice([0, 1, 2], p=[0.005, 0.99, 0.005]))
    found = Monitors(**GOOD).twin(cycles)
    assert status_of(cycles, clear=(1 << len(Flag)) - 1) == [set(), *found]
    assert len(set().union(*found)) > 10


def correct(mode, passes=3):
    walk = Walk(np.random.default_rng(4))
    for _ in range(2):
        walk.image(mode, passes)
    return walk.settle()


def where(cycles, name, **fields):
    """Cycles in which ``name`` holds, with those fields."""
    what = name.removesuffix("_valid")
    return [
        at
        for at, now in enumerate(cycles)
        if now[name] and all(now[what][field] == value for field, value in fields.items())
    ]


def without_a_write(cycles):
    bits = where(cycles, "drawn_valid")
    for now in cycles[bits[3] + 1 : bits[4]]:
        now["write"] = 0
    return bits[4]


def second_write(cycles):
    bit = where(cycles, "drawn_valid")[4]
    cycles[bit:bit] = [{**cycles[bit], **BITS}, {**cycles[bit], **BITS, "write": 1}]
    return bit + 1


def reused(cycles):
    """A visit's second bit is the first one again."""
    bits, ends = where(cycles, "drawn_valid"), where(cycles, "formed_valid")
    cycles[bits[1]].update(drawn_valid=0)
    del cycles[bits[0] + 1 : bits[1]]
    return ends[0] - (bits[1] - bits[0] - 1)


def inverted(cycles):
    first, end = where(cycles, "drawn_valid")[0], where(cycles, "formed_valid")[0]
    cycles[first]["drawn"]["keep"] ^= 1
    return end


def of_another_layer(cycles):
    first, end = where(cycles, "drawn_valid")[0], where(cycles, "formed_valid")[0]
    cycles[first]["drawn"]["layer"] = 1
    return end


def bit_in_exact(cycles):
    cycles[5].update(drawn_valid=1)
    return 5


def write_in_exact(cycles):
    cycles[5].update(write=1)
    return 5


def leaf_lost(cycles):
    cycles[where(cycles, "leaf_valid", ends_image=0)[0]].update(leaf_valid=0)
    return where(cycles, "leaf_valid", ends_image=1)[0]


def leaf_twice(cycles):
    leaf = where(cycles, "leaf_valid", ends_image=0)[0]
    cycles.insert(leaf + 1, {**cycles[leaf], "drawn_valid": 0, "formed_valid": 0})
    return where(cycles, "leaf_valid", ends_image=1)[0]


def mass_too_large(cycles):
    cycles[where(cycles, "leaf_valid")[0]]["leaf"]["weight"] = (1 << MASS_BITS) + 1
    return where(cycles, "leaf_valid", ends_image=1)[0]


def never_formed(cycles):
    cycles[where(cycles, "formed_valid", last=1)[0]]["formed"]["last"] = 0
    return where(cycles, "leaf_valid", ends_image=1)[0]


PLANTED = [
    ("shared", without_a_write, Flag.MASK_STALE),
    ("shared", second_write, Flag.SPIN_OVERUSED),
    ("shared", reused, Flag.MASK_COUNT),
    ("shared", inverted, Flag.MASK_COUNT),
    ("shared", of_another_layer, Flag.MASK_COUNT),
    ("passes", of_another_layer, Flag.MASK_COUNT),
    ("exact", bit_in_exact, Flag.BITS_IN_EXACT),
    ("exact", write_in_exact, Flag.BITS_IN_EXACT),
    ("passes", leaf_lost, Flag.PASS_COUNT),
    ("shared", leaf_lost, Flag.PASS_COUNT),
    ("passes", leaf_twice, Flag.PASS_COUNT),
    ("exact", mass_too_large, Flag.PASS_COUNT),
    ("shared", never_formed, Flag.PASS_COUNT),
]


@pytest.mark.parametrize(("mode", "plant", "flag"), PLANTED)
def test_a_planted_fault_is_seen_one_cycle_later(mode, plant, flag):
    cycles = correct(mode)
    at = plant(cycles)
    status = status_of(cycles)
    assert not any(status[: at + 1]) and flag in status[at + 1]
    allowed = {flag, Flag.MASK_STALE} if plant is bit_in_exact else {flag}
    assert plant is never_formed or status[-1] == allowed


@pytest.mark.parametrize("name", [*PULSES, *HealthLimits._fields])
def test_a_pulse_or_an_alarm_is_seen_one_cycle_later(name):
    now = {**copy.deepcopy(REST), "exact": 0, "passes": 1}
    seen = {**copy.deepcopy(now)}
    if name in PULSES:
        seen[name] = 1
    else:
        seen["alarms"][name] = 1
    flag = PULSES[name] if name in PULSES else Flag[name.upper()]
    assert status_of([now, seen, now]) == [set(), set(), {flag}, {flag}]


def test_leaves_may_come_three_images_late():
    """Each image is held against what was asked when it was formed."""
    rest = {**copy.deepcopy(REST), "exact": 0, "passes": 1}
    asked = [(0, 2), (1, 5), (0, 0), (0, 6)]
    formed = {"layer": 0, "kept": 0, "dropped": 0, "last": 1}
    cycles = [
        {**rest, "exact": exact, "passes": passes, "formed_valid": 1, "formed": formed}
        for exact, passes in asked
    ]
    for weight in (2, 16, 1, 6):
        cycles.append({**rest, "leaf_valid": 1, "leaf": {"weight": weight, "ends_image": 1}})
    assert not any(status_of(cycles))


@pytest.mark.parametrize("weights", [[17, 0], [16, 1], [16] * 5, [31] * 40])
def test_too_much_mass_never_wraps_to_little(weights):
    rest = {**copy.deepcopy(REST), "exact": 1, "passes": 1}
    formed = {"layer": 0, "kept": 0, "dropped": 0, "last": 1}
    cycles = [{**rest, "formed_valid": 1, "formed": formed}]
    for at, weight in enumerate(weights, 1):
        leaf = {"weight": weight, "ends_image": int(at == len(weights))}
        cycles.append({**rest, "leaf_valid": 1, "leaf": leaf})
    assert status_of(cycles)[-1] == {Flag.PASS_COUNT}


def test_too_many_bits_never_wrap_to_few():
    rest = {**copy.deepcopy(REST), "exact": 0, "passes": 2}
    bits = [[{**rest, "write": 1}, {**rest, "drawn_valid": 1}]] * (8 + 2)
    formed = {"layer": 0, "kept": 0, "dropped": 2, "last": 0}
    cycles = [now for pair in bits for now in pair] + [
        {**rest, "formed_valid": 1, "formed": formed}
    ]
    assert status_of(cycles)[-2:] == [set(), {Flag.MASK_COUNT}]


def test_counts_stop_and_clear():
    dut = Monitors(**GOOD, width=2)
    enable, scale = 1 << Flag.RUN_KEPT, 1 << Flag.SCALE_CORRECTED
    inputs = [dut.corrected, dut.alarms.run_kept, dut.clear, dut.select, dut.stop_enable]
    select = int(Flag.SCALE_CORRECTED)
    stimulus = [(1, at == 2, 0, select, enable) for at in range(5)]
    stimulus += [(0, 0, scale, select, enable), (0, 0, 0, select, enable), (0, 0, 0, select, 0)]
    rows = play(dut, inputs, stimulus, [dut.status, dut.stop, dut.count])
    both = scale | enable
    assert [row[0] for row in rows] == [0, scale, scale, both, both, both, enable, enable]
    assert [row[1] for row in rows] == [0, 0, 0, 1, 1, 1, 1, 0]
    assert [row[2] for row in rows] == [0, 0, 1, 2, 3, 3, 3, 0]


def test_nothing_is_remembered_after_reset():
    dut = Monitors(**GOOD)
    inputs = [dut.write, dut.drawn_valid, dut.leaf_valid, dut.refused]
    outputs = [dut.status, dut.stop, dut.count]
    first, after = play_then_reset(dut, inputs, [[1, 1, 1, 1]] * 3, outputs)
    assert first == after == [[0, 0, 0]] * 2
