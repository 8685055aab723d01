# SPDX-License-Identifier: Apache-2.0
"""The whole accelerator against the golden model: every bit, and every event when undisturbed."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_cases import CASES, SMALL, Setup
from wrong_parameters import refusal

from scaledrop.walk import MASS, Mode
from scaledrop_cosim.amaranth_bench import World
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinTiming
from scaledrop_hw.verdict import Verdict

PASSES, SHARED, EXACT = Mode


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equals_the_golden_model_and_the_prediction(case):
    setup = Setup(case)
    report = setup.check(setup.observation())
    assert report.checked["counters"] == 17 * len(setup.mapping.layers)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("datapath", ["reference", "folded"])
@pytest.mark.parametrize("convolution", ["unrolled", "taps"])
def test_every_mode_on_every_datapath_and_mapping(mode, datapath, convolution):
    ways = {"mode": mode, "datapath": datapath, "convolution": convolution}
    setup = Setup(replace(SMALL, **ways, images=1), seed=2)
    setup.check(setup.observation())


BAKED = [
    "one row, one column",
    "rows above columns",
    "channels, stride, padding",
    "channels, tap by tap",
    "stride beyond the kernel",
]


@pytest.mark.parametrize("name", BAKED)
def test_weights_in_the_logic_change_no_result_and_no_cycle(name):
    setup = Setup(replace(CASES[name], weights="baked"))
    setup.check(setup.observation())


DISTURBED = {
    "head of several column tiles": replace(CASES["head of several column tiles"], mode=PASSES),
    "one pass, many images": CASES["one pass, many images"],
    "a bit of everything": replace(SMALL, mode=SHARED, images=1),
}


@pytest.mark.parametrize("name", DISTURBED)
@pytest.mark.parametrize("world", [World(idle=0.6), World(stall=0.8), World(0.1, 0.1, pause=30)])
def test_idle_and_back_pressure_change_no_result(name, world):
    setup = Setup(DISTURBED[name], seed=2)
    report = setup.check(setup.observation(world), quiet=False)
    assert report.checked["counters"] == 15 * len(setup.mapping.layers)


def test_both_bits_both_sides_and_all_codes_occur():
    """What the other tests compare is not all the same."""
    setup = Setup(replace(SMALL, mode=SHARED, passes=6), seed=2)
    record = setup.observation().record
    assert all(0 < bits.mean() < 1 for bits in np.moveaxis(record.masks, -1, 0))
    assert all(set(np.unique(codes)) == {0, 1, 2, 3} for codes in record.hidden)
    both = [visit for visit in setup.workload.visits(0) if visit.kept and visit.dropped]
    assert {visit.layer for visit in both} == {0, 1, 2}


def test_the_slow_spin_unit_is_what_stalls():
    case = replace(CASES["slow spin unit"], images=1)
    slow, fast = Setup(case), Setup(replace(case, timing=SpinTiming(reset=1, settle=0)))
    waiting = [one.observation().counters["dense0"]["waiting"] for one in (slow, fast)]
    assert waiting[0] > 3 * waiting[1]


@pytest.mark.parametrize("mode", [SHARED, EXACT])
def test_limits_below_which_to_abstain(mode):
    """Limits that some images just meet and others just miss."""
    setup = Setup(replace(CASES["three-bit codes"], mode=mode, passes=5, images=5), seed=4)
    record, found = IntegerBackend().infer(setup.workload).record, []
    votes = np.take_along_axis(record.votes, record.predicted[:, None], axis=1).ravel()
    best = np.sort(record.sums, axis=1)[:, ::-1]
    middle = len(votes) // 2
    few, close = (int(np.sort(values)[middle]) for values in (votes, best[:, 0] - best[:, 1]))
    for limits in ((few, close), (few + 1, 0), (0, close + 1)):
        seen = setup.observation(World(min_votes=limits[0], min_margin=limits[1]))
        pairs = zip(record.sums.tolist(), record.votes.tolist(), strict=True)
        expected = [Verdict.twin(*pair, *limits)[1] for pair in pairs]
        abstain = seen.verdict["abstain"]
        assert abstain.tolist() == [[flag] * 4 for flag in expected]
        setup.check(replace(seen, verdict={**seen.verdict, "abstain": 0 * abstain}))
        found.append(sum(expected))
    assert found[0] < min(found[1:]) and max(found) > 0


@pytest.mark.parametrize("masks", [0, 1, 3])
def test_what_is_covered_is_what_is_visited(masks):
    setup = Setup(replace(CASES["rows above columns"], masks=masks, images=1))
    seen = setup.observation()
    setup.check(seen)
    (covered,) = {int(one) for one in seen.verdict["covered"].ravel()}
    assert covered == sum(setup.workload.weights) and (covered == MASS) == (masks == 0)
    assert setup.workload.leaves_per_image == (masks or 16)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_passes": 0}, "max_passes must be an integer from 1 to 65535, not 0"),
        ({"max_passes": 65536}, "max_passes must be an integer from 1 to 65535, not 65536"),
        ({"max_passes": 2.5}, "max_passes must be an integer from 1 to 65535, not 2.5"),
        ({"depth": 1}, "depth must be an integer from 2 to 256, not 1"),
        ({"datapath": "fast"}, "datapath: must be reference or folded, not 'fast'"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(Accelerator, {"mapping": Setup(SMALL).mapping}, wrong) == message


def test_parameters_read_back():
    timing, mapping = SpinTiming(read=4), Setup(SMALL).mapping
    dut = Accelerator(mapping=mapping, timing=timing, max_passes=9, datapath="folded", depth=5)
    assert (dut.mapping, dut.timing, dut.max_passes) == (mapping, timing, 9)
    assert (dut.datapath, dut.depth) == ("folded", 5)
    latencies = dut.pipeline_timing
    assert (latencies.spin, latencies.back, latencies.depth) == (timing.cycles, 1, 5)
    assert timing.cycles == 8
