# SPDX-License-Identifier: Apache-2.0
"""Descriptors that make no sense: refused by their code, never a hang, right again afterwards."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from control_cases import CASES, operate

from scaledrop.device_sizes import Memory
from scaledrop.monitors import MonitorFlag
from scaledrop.refusal import Refusal
from scaledrop_hw.descriptors import Place, descriptor_layout, descriptor_of

PATIENCE = 48
REFUSED = MonitorFlag.DESCRIPTOR_REFUSED
SLOWEST = 16
"""Cycles that a beat takes at most, once for an outcome and a level."""


@dataclass
class Table:
    """The descriptors of a case, and how they get into the accelerator."""

    case: object
    clean: dict = field(default_factory=dict)

    def __post_init__(self):
        mapping = self.case.mapping
        self.layout = descriptor_layout(mapping)
        self.rows = [descriptor_of(mapped, mapping) for mapped in mapping.layers]

    async def write(self, bench, layer, row):
        parts = bench.dut.sizes.memories[Memory.DESCRIPTORS].parts
        word = self.layout.const(row).as_bits()
        for part in range(parts):
            data = word >> 32 * part & 0xFFFFFFFF
            await bench.access(Memory.DESCRIPTORS, layer, part, data)

    async def offend(self, bench, layer, row, limit):
        """Begin an image by a wrong descriptor; returns when it is over or refused."""
        await self.write(bench, layer, row)
        bench.begin()
        await bench.until(lambda: bench.busy)
        await bench.until(lambda: bench.refused or not bench.busy, limit)

    async def restore(self, bench, layer):
        """Abort, the right descriptor, and an image that must be as if nothing had been."""
        await bench.abort()
        await self.write(bench, layer, self.rows[layer])
        await bench.clear()
        assert await bench.infer() == self.clean

    @property
    def bound(self):
        """Cycles in which the slowest descriptor of this layout lets a visit end."""
        most = {name: 1 << self.layout[name].width for name, _ in self.layout}
        loops = ("row_tiles", "kernel", "kernel", "planes", "column_tiles", "width", "height")
        steps = int(np.prod([most[name] for name in loops]))
        array = self.case.mapping.array
        beats = most["column_tiles"] * most["width"] * most["height"]
        beats *= array.columns // array.lanes
        return steps + beats * 2 * most["levels"] * SLOWEST + PATIENCE


DENSE, UNROLLED, TAPS = "dense, shared", "unrolled, shared", "taps, exact, folded"
WRONG = {
    DENSE: [
        (1, {"source": Place.HEAD}, Refusal.SOURCE),
        (1, {"source": Place.WINDOW}, Refusal.SOURCE),
        (1, {"target": Place.VECTOR}, Refusal.TARGET),
        (0, {"last_beats": 0}, Refusal.BEATS),
        (1, {"last_columns": 0}, Refusal.BEATS),
        (1, {"row_tiles": 3}, Refusal.RANGE),
        (1, {"tile_base": 7}, Refusal.RANGE),
        (0, {"row_tiles": 3}, Refusal.RANGE),
        (0, {"mask_base": 3, "row_tiles": 3}, Refusal.RANGE),
    ],
    UNROLLED: [
        (0, {"source": Place.IMAGE}, Refusal.SOURCE),
        (0, {"source_window": 1}, Refusal.SOURCE),
        (0, {"target": Place.HEAD}, Refusal.TARGET),
        (1, {"last_columns": 2}, Refusal.BEATS),
        (0, {"width": 3}, Refusal.STALLED),
    ],
    TAPS: [
        (0, {"target": Place.IMAGE}, Refusal.TARGET),
        (1, {"last_beats": 2}, Refusal.BEATS),
        (0, {"tile_base": 3}, Refusal.RANGE),
    ],
}
RUNNING = Refusal.RANGE, Refusal.STALLED


async def check_refused(table, bench, layer, fields, code):
    """Nothing moves, the memories are closed, and the flag is raised once."""
    dut, ctx = bench.dut, bench.ctx
    await table.offend(bench, layer, table.rows[layer] | fields, 400)
    assert bench.refused and len(bench.seen["visits"]) == layer + (code in RUNNING)
    bench.offer([0] * bench.workload.network.input_size)
    await bench.rest(80)
    assert (ctx.get(dut.refusal), ctx.get(dut.refused_layer)) == (code, layer)
    assert bench.busy and not ctx.get(dut.host.ready)
    assert not bench.seen["results"] and len(bench.seen["visits"]) == layer + (code in RUNNING)
    assert bench.status == 1 << REFUSED
    bench.set(dut.monitor_select, REFUSED)
    await bench.rest(2)
    assert ctx.get(dut.monitor_count) == 1


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_descriptor_is_refused_until_it_is_right_again(name):
    table, refused = Table(CASES[name]), []

    async def script(bench):
        table.clean = await bench.infer()
        for layer, fields, code in WRONG[name]:
            assert not bench.refused and bench.status == 0
            refused.append(fields)
            await check_refused(table, bench, layer, fields, code)
            await table.restore(bench, layer)

    operate(table.case, script, dut=table.case.accelerator(patience=PATIENCE))
    assert len(refused) == len(WRONG[name])


def spoilt(rng, table, layer, kind):
    """Noise in all fields, or in those that are not checked beforehand, or in two of them."""
    row = table.rows[layer]
    noise = {name: int(rng.integers(1 << table.layout[name].width)) for name in row}
    if kind == "all":
        return noise
    if kind == "two":
        return row | {name: noise[name] for name in rng.choice(list(row), 2, replace=False)}
    checked = "source", "target", "source_window", "target_window", "last_beats", "last_columns"
    return noise | {name: row[name] for name in checked}


@pytest.mark.parametrize(("name", "records"), [(DENSE, 0), (UNROLLED, 1), (TAPS, 0)])
def test_random_descriptors_never_hang(name, records):
    """Either the image ends or it is refused; the next one, with the right descriptor, is right."""
    table, rng = Table(CASES[name]), np.random.default_rng(records)
    codes = []

    async def script(bench):
        bench.set(bench.dut.record_enable, records)
        table.clean = await bench.infer()
        limit = len(table.clean["visits"]) * table.bound + bench.cycles
        for kind in ("all", "unchecked", "two", "two") * 4:
            layer = int(rng.integers(len(table.rows)))
            await table.offend(bench, layer, spoilt(rng, table, layer, kind), limit)
            codes.append(bench.ctx.get(bench.dut.refusal) if bench.refused else Refusal.NONE)
            assert not bench.refused or codes[-1] in list(Refusal)[1:]
            await table.restore(bench, layer)

    operate(table.case, script, dut=table.case.accelerator(patience=PATIENCE))
    assert len(set(codes)) >= 3 and 0 < codes.count(Refusal.NONE) < len(codes)
