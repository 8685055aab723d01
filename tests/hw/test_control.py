# SPDX-License-Identifier: Apache-2.0
"""Control of the whole accelerator: abort, stop, records, and two images in flight."""

from functools import partial

import numpy as np
import pytest
from control_bench import leaf_records
from control_cases import CASES, operate

from scaledrop.events import Event
from scaledrop.monitors import MonitorFlag
from scaledrop.schedule import predict_cycles

MISFRAMED = 1 << MonitorFlag.IMAGE_MISFRAMED
STEPS = dict.fromkeys(CASES, 17) | {"dense, shared": 3, "unrolled, shared": 3}
"""Of the moments between an image's first and last twenty cycles; the others try some of these."""


def moments(length, step):
    """Cycles of an image of ``length``, and two beyond."""
    ends = 20 if step < 4 else 5
    return [*range(ends), *range(ends, length - ends, step), *range(length - ends, length + 2)]


@pytest.mark.parametrize("name", CASES)
def test_an_abort_at_any_cycle_leaves_no_trace(name):
    """Two other images are on their way; then one: what is seen of it, and when, is the same."""
    others = CASES[name].workload(8, images=2)

    async def script(bench):
        workload = bench.workload
        clean = await bench.infer()
        bench.check()
        for at in moments(bench.cycles, STEPS[name]):
            bench.begin(others)
            await bench.rest(at)
            await bench.abort()
            assert await bench.infer(workload) == clean, at

    operate(CASES[name], script)


BLOCKED = {
    "results": ("results",),
    "records": ("records",),
    "both": ("results", "records"),
}


def is_full(bench, blocked, most, stream):
    """Whether a blocked stream has given all that is taken of it."""
    return stream in blocked and len(bench.seen[stream]) >= most


@pytest.mark.parametrize("blocked", BLOCKED.values(), ids=BLOCKED)
@pytest.mark.parametrize("name", ["dense, shared", "unrolled, shared"])
def test_an_abort_while_nothing_is_taken_leaves_no_trace(name, blocked):
    others = CASES[name].workload(8, images=4)

    async def script(bench):
        workload = bench.workload
        bench.set(bench.dut.record_enable, 1)
        clean = await bench.infer()
        bench.check()
        for taken in (0, 1, 2, 4):
            bench.begin(others)
            bench.gap = partial(is_full, bench, blocked, taken)
            await bench.rest(350)
            assert not bench.complete and bench.busy and not bench.refused
            bench.gap = lambda stream: False
            await bench.abort()
            assert await bench.infer(workload) == clean, taken

    operate(CASES[name], script)


@pytest.mark.parametrize("name", ["dense, shared", "dense, passes, folded", "dense, exact"])
def test_an_abort_raises_no_monitor(name):
    """Bits, leaves and writes of what was aborted are not expected any more."""

    async def script(bench):
        await bench.infer()
        raised = {}
        for at in range(0, bench.cycles, 6):
            bench.begin()
            await bench.rest(at)
            await bench.abort()
            await bench.infer()
            if bench.status:
                raised[at] = [flag.name for flag in MonitorFlag if bench.status >> flag & 1]
            await bench.clear()
        assert not raised

    operate(CASES[name], script)


def values(seen):
    """What was seen, without the cycles."""
    return {name: [word for _, word in rows] for name, rows in seen.items()}


@pytest.mark.parametrize("stall", [0.0, 0.7])
@pytest.mark.parametrize("name", ["dense, shared", "dense, exact", "taps, exact, folded"])
def test_records_of_every_leaf(name, stall):
    """The results, and all that leads to them, are those without records."""
    rng = np.random.default_rng(1)

    async def script(bench):
        plain = values(await bench.infer())
        assert not plain.pop("records")
        bench.gap = lambda stream: stream != "pixels" and rng.random() < stall
        bench.set(bench.dut.record_enable, 1)
        seen = await bench.infer()
        await bench.until(lambda: len(seen["records"]) == len(leaf_records(bench.workload)))
        await bench.rest(20)
        bench.check()
        assert values(seen) == {**plain, "records": values(seen)["records"]}
        assert bench.table("records") == leaf_records(bench.workload)
        assert bench.status == 0

    bench = operate(CASES[name], script, images=2)
    visits = [visit for walk in bench.workload.walks for visit in walk]
    assert any(visit.kept and visit.dropped for visit in visits if visit.layer == 1)


def visits_begun(bench):
    return [cycle for cycle, _ in bench.seen["visits"]]


@pytest.mark.parametrize("name", ["dense, shared", "unrolled, shared"])
def test_a_stop_before_an_image(name):
    """One with too few pixels stops the accelerator; the next one waits for the clear."""

    async def script(bench):
        clean = values(await bench.infer())
        bench.set(bench.dut.stop_enable, MISFRAMED)
        bench.offer([1, 2, 3])
        await bench.until(lambda: bench.stop)
        bench.begin()
        await bench.rest(200)
        assert bench.busy and bench.stop and bench.status == MISFRAMED
        assert not bench.seen["visits"]
        await bench.clear()
        await bench.until(lambda: bench.complete)
        assert values(bench.seen) == clean
        bench.check()

    operate(CASES[name], script)


@pytest.mark.parametrize("name", ["dense, exact", "unrolled, shared"])
def test_a_stop_between_two_visits(name):
    """Whenever it comes: what is begun is ended, and the rest follows the clear."""

    async def script(bench):
        clean = values(await bench.infer())
        begun, stops = visits_begun(bench), set()
        bench.set(bench.dut.stop_enable, MISFRAMED)
        for at in [visit + later for visit in begun for later in (-2, -1, 0, 1, 6)]:
            bench.begin()
            await bench.rest(at)
            bench.offer([1])
            await bench.rest(90)
            assert bench.stop
            assert visits_begun(bench) == [cycle for cycle in begun if cycle <= at]
            assert bench.complete is (begun[-1] <= at)
            stops.add(len(visits_begun(bench)))
            await bench.clear()
            await bench.until(lambda: bench.complete and not bench.busy)
            assert values(bench.seen) == clean
        assert stops == set(range(len(begun) + 1))

    operate(CASES[name], script)


def test_a_monitor_that_is_not_enabled_stops_nothing():
    async def script(bench):
        clean = await bench.infer()
        bench.set(bench.dut.stop_enable, (1 << len(MonitorFlag)) - 1 - MISFRAMED)
        bench.offer([1])
        await bench.rest(2)
        assert await bench.infer() == clean
        assert bench.status == MISFRAMED and not bench.stop

    operate(CASES["dense, shared"], script)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("images", [2, 4])
def test_images_follow_one_another(name, images):
    """The next one is taken meanwhile; running and waiting are what the schedule says."""

    async def script(bench):
        await bench.infer()
        bench.check()
        pixels, walk = bench.workload.network.input_size, bench.workload.walks[0]
        assert bench.took[: 2 * pixels] == list(range(2 * pixels))
        assert bench.took[2 * pixels - 1] < visits_begun(bench)[len(walk)]
        timing, mapping = bench.dut.pipeline_timing, bench.dut.mapping
        expected = predict_cycles(mapping, bench.workload.walks, timing)
        for event in (Event.CYCLES, Event.WAITING):
            for at, layer in enumerate(bench.workload.network.layers):
                assert await bench.counter(event, at) == expected[layer.name][event]
        assert bench.status == 0

    operate(CASES[name], script, images=images)
