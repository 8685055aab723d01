# SPDX-License-Identifier: Apache-2.0
"""Record queue: every logit once, leaf by leaf, however the two leaves of a visit alternate."""

from itertools import accumulate

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from handshakes import check_held, transfers
from simulate import simulate
from wrong_parameters import refusal

from scaledrop_hw.record_queue import RecordQueue, record_layout

GOOD = {"layers": 3, "classes": 5, "logit_width": 8, "weight_bits": 4}
LATENCY = 5
"""From the start of a beat to its first logit, as long as any datapath and head together."""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"classes": 65537}, "classes must be an integer from 1 to 65536, not 65537"),
        ({"logit_width": 63}, "logit_width must be an integer from 1 to 62, not 63"),
        ({"weight_bits": 33}, "weight_bits must be an integer from 1 to 32, not 33"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(RecordQueue, GOOD, wrong) == message


def test_parameters_read_back():
    dut = RecordQueue(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    fields = {name: field.width for name, field in record_layout(**GOOD)}
    assert fields == {
        **{"path": 3, "weight": 4, "label": 3, "value": 8},
        **{"ends_leaf": 1, "ends_image": 1},
    }


def random_visit(rng, classes, last):
    """One or two leaves: keep, path, weight and logits of each."""
    sides = [(1, 0), (1,), (0,)][rng.integers(3)]
    return [
        {
            "keep": keep,
            "path": int(rng.integers(8)),
            "weight": int(rng.integers(1, 16)),
            "values": rng.integers(-128, 128, classes).tolist(),
            "ends_visit": int(keep == sides[-1]),
            "ends_image": int(last and keep == sides[-1]),
        }
        for keep in sides
    ]


def records_of(leaf):
    last = len(leaf["values"]) - 1
    for label, value in enumerate(leaf["values"]):
        ends = int(label == last)
        yield {
            **{name: leaf[name] for name in ("path", "weight")},
            **{"label": label, "value": value},
            **{"ends_leaf": ends, "ends_image": ends & leaf["ends_image"]},
        }


def logits_of(visit, classes, lanes):
    """Beats of (leaf, record): in each the kept leaf's classes, then the dropped one's."""
    every = [list(records_of(leaf)) for leaf in visit]
    for start in range(0, classes, lanes):
        for leaf, records in zip(visit, every, strict=True):
            yield [(leaf, record) for record in records[start : start + lanes]]


async def send_logits(ctx, dut, visits, lanes, rng, idle):
    """As the output pipeline does: no visit begins before ``ready``, then nothing waits."""
    for visit in visits:
        beats = list(logits_of(visit, dut.classes, lanes))
        while not ctx.get(dut.ready) or rng.random() < idle:
            await ctx.tick()
        ctx.set(dut.begin, 1)
        await ctx.tick()
        ctx.set(dut.begin, 0)
        await ctx.tick().repeat(LATENCY - 1)
        for beat in beats:
            while rng.random() < idle:
                await ctx.tick()
            for leaf, record in beat:
                ctx.set(dut.path, record["path"])
                ctx.set(dut.ends_visit, leaf["ends_visit"])
                logit = {name: record[name] for name in record if name != "path"}
                ctx.set(dut.logit, {**logit, "keep": leaf["keep"], "first": int(rng.integers(2))})
                ctx.set(dut.logit_valid, 1)
                await ctx.tick()
            ctx.set(dut.logit_valid, 0)


def run(dut, visits, lanes, rng, idle=0.0, stall=0.0, enable=1):
    """Records offered, taken and logits given in each cycle."""
    state = {"left": 1}

    async def send(ctx):
        ctx.set(dut.enable, enable)
        await send_logits(ctx, dut, visits, lanes, rng, idle)
        while not ctx.get(dut.ready) or ctx.get(dut.records.valid):
            await ctx.tick()
        await ctx.tick().repeat(2)
        state["left"] = 0

    async def take(ctx):
        while state["left"]:
            ctx.set(dut.records.ready, int(rng.random() >= stall))
            await ctx.tick()

    port = dut.records
    watch = [port.valid, port.ready, port.payload, dut.logit_valid, dut.ready]
    return simulate(dut, send, take, watch=watch)


@pytest.mark.parametrize(("classes", "lanes"), [(1, 1), (5, 1), (5, 2), (5, 5), (6, 3)])
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.8), (0.4, 0.4)])
def test_leaf_by_leaf(classes, lanes, idle, stall):
    rng = np.random.default_rng(classes)
    dut = RecordQueue(**{**GOOD, "classes": classes})
    visits = [random_visit(rng, classes, at % 4 == 3) for at in range(24)]
    rows = [row[:3] for row in run(dut, visits, lanes, rng, idle, stall)]
    check_held(rows)
    expected = [record for visit in visits for leaf in visit for record in records_of(leaf)]
    assert transfers(rows) == expected


@pytest.mark.parametrize(("lanes", "sides"), [(2, 1), (5, 1), (5, 2), (2, 2)])
def test_a_record_a_cycle_from_the_one_after_its_logit_on(lanes, sides):
    rng, dut = np.random.default_rng(3), RecordQueue(**GOOD)
    visit = []
    while len(visit) != sides:
        visit = random_visit(rng, 5, last=True)
    rows = run(dut, [visit], lanes, rng)
    given = [at for at, row in enumerate(rows) if row[3]]
    taken = [at for at, row in enumerate(rows) if row[0] and row[1]]
    order = [label for beat in logits_of(visit, 5, lanes) for label in beat]
    sent = [at for leaf in visit for at, pair in zip(given, order, strict=True) if pair[0] is leaf]
    expected = list(accumulate(sent, lambda before, at: max(before, at) + 1, initial=-1))[1:]
    assert taken == expected


@pytest.mark.parametrize("stall", [0.0, 0.7])
def test_ready_falls_with_a_visit_and_rises_with_its_last_record(stall):
    rng, dut = np.random.default_rng(4), RecordQueue(**GOOD)
    visit = random_visit(rng, 5, last=False)
    rows = run(dut, [visit], 2, rng, stall=stall)
    begin = next(at for at, row in enumerate(rows) if not row[4]) - 1
    last = [at for at, row in enumerate(rows) if row[0] and row[1]][-1]
    assert [row[4] for row in rows] == [int(not begin < at <= last) for at in range(len(rows))]


def test_nothing_is_recorded_unless_it_is_wanted():
    rng, dut = np.random.default_rng(5), RecordQueue(**GOOD)
    rows = run(dut, [random_visit(rng, 5, last=True) for _ in range(8)], 2, rng, enable=0)
    assert not any(row[0] for row in rows)
    assert all(row[4] for row in rows)
    assert any(row[3] for row in rows)


@pytest.mark.parametrize("before", range(1, 30, 3))
def test_a_reset_at_any_moment_leaves_no_record(before):
    """What was queued, and that a leaf was being sent, is forgotten."""
    dut, reset, rng = RecordQueue(**GOOD), Signal(), np.random.default_rng(6)
    first, second = (random_visit(np.random.default_rng(seed), 5, True) for seed in (1, 8))

    async def script(ctx):
        ctx.set(dut.enable, 1)
        ctx.set(dut.begin, 1)
        pairs = [pair for beat in logits_of(first, 5, 2) for pair in beat]
        for at in range(before):
            leaf, record = pairs[at % len(pairs)]
            ctx.set(dut.logit_valid, int(at < len(pairs)))
            ctx.set(dut.logit, {"label": record["label"], "keep": leaf["keep"]})
            ctx.set(dut.records.ready, at & 1)
            await ctx.tick()
        ctx.set(dut.begin, 0)
        ctx.set(dut.logit_valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        ctx.set(dut.records.ready, 1)
        await send_logits(ctx, dut, [second], 2, rng, 0.0)
        await ctx.tick().repeat(8)

    port = dut.records
    rows = simulate(ResetInserter(reset)(dut), script, watch=[port.valid, port.ready, port.payload])
    assert transfers(rows[before + 1 :]) == [one for leaf in second for one in records_of(leaf)]
