# SPDX-License-Identifier: Apache-2.0
"""Memory host: every access reaches the memory that it names, none while an image is held."""

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from simulate import play, simulate

from scaledrop.device_sizes import Memory, MemoryShape
from scaledrop_hw.hosted_memory import PART_BITS, HostedMemory
from scaledrop_hw.memory_host import MemoryHost

WIDTHS = {Memory.SCALES: (5, 70), Memory.HEAD: (3, 32), Memory.DESCRIPTORS: (1, 40)}
"""Words and bits; the last one is read without a register."""
FLAGS = "select", "write", "read"
ABSENT = Memory.WEIGHTS, 9, 15


def memory_of(memory):
    words, width = WIDTHS[memory]
    return HostedMemory(width=width, depth=words, registered=memory is not Memory.DESCRIPTORS)


SHAPES = {
    memory: MemoryShape(words, -(-width // PART_BITS)) for memory, (words, width) in WIDTHS.items()
}


def test_parameters_read_back():
    dut = MemoryHost(shapes={int(memory): shape for memory, shape in SHAPES.items()})
    assert dut.shapes == SHAPES
    assert [len(getattr(dut, name).address) for name in ("scales", "head", "descriptors")] == [
        3,
        2,
        1,
    ]
    assert not hasattr(dut, "weights")


class Bench(wiring.Component):
    """The host with its memories; memory ports as in the accelerator."""

    def __init__(self):
        super().__init__({})
        self.host = MemoryHost(shapes=SHAPES)
        self.memories = {memory: memory_of(memory) for memory in WIDTHS}

    def elaborate(self, platform):
        m = Module()
        m.submodules.host = self.host
        for memory, part in self.memories.items():
            m.submodules[memory.name.lower()] = part
            connect(m, getattr(self.host, memory.name.lower()), part.host)
        return m


def random_access(rng, idle):
    """valid, write, memory, address, part, data, idle."""
    memory = [*WIDTHS, *ABSENT][rng.integers(len(WIDTHS) + len(ABSENT))]
    words, parts = SHAPES.get(memory, (8, 4))
    return (
        int(rng.random() < 0.8),
        int(rng.integers(2)),
        int(memory),
        int(rng.integers(words)),
        int(rng.integers(parts)),
        int(rng.integers(1 << PART_BITS)),
        int(rng.random() < idle),
    )


def one_at_a_time(rows):
    """None is offered from the cycle after a read is taken up to that of its answer."""
    left = 0
    for valid, write, *place, idle in rows:
        taken = valid and not left
        left = MemoryHost.LATENCY if taken and idle and not write else max(left - 1, 0)
        yield (int(taken), write, *place, idle)


def expected(rows):
    """(ready, reply_valid, word) in every cycle; no word is promised without a reply."""
    words = {(memory, at): 0 for memory, (depth, _) in WIDTHS.items() for at in range(depth)}
    answer, waits = None, [None] * (MemoryHost.LATENCY - 1)
    for valid, write, memory, address, part, data, idle in rows:
        yield idle, int(answer is not None), answer
        answer = waits.pop(0)
        waits.append(None)
        if not (valid and idle):
            continue
        if not write:
            waits[-1] = words.get((memory, address), 0) >> part * PART_BITS & (1 << PART_BITS) - 1
        elif memory in WIDTHS:
            place = memory, address
            words[place] = HostedMemory.twin(words[place], part, data, WIDTHS[memory][1])


@pytest.mark.parametrize("idle", [1.0, 0.5, 0.0])
def test_random_accesses(idle):
    rng, bench = np.random.default_rng(2), Bench()
    stimulus = list(one_at_a_time(random_access(rng, idle) for _ in range(6000)))
    host, port = bench.host, bench.host.host
    inputs = [port.valid, port.write, port.memory, port.address, port.part, port.data, host.idle]
    rows = play(bench, inputs, stimulus, [port.ready, port.reply_valid, port.word])
    replies = 0
    for (ready, reply, word), promised in zip(rows, expected(stimulus), strict=True):
        assert (ready, reply, word if reply else None) == promised
        replies += reply
    assert (replies > 500) is (idle > 0)


def test_a_memory_is_the_hosts_only_while_idle_and_only_if_it_is_named():
    """Even before an access: who selects it keeps its owner from reading."""
    dut = MemoryHost(shapes=SHAPES)
    names = [memory.name.lower() for memory in SHAPES]
    flags = [getattr(getattr(dut, name), flag) for name in names for flag in FLAGS]
    inputs = [dut.idle, dut.host.memory, dut.host.valid, dut.host.write]
    for memory in (*SHAPES, *ABSENT):
        for idle, valid, write in np.ndindex(2, 2, 2):
            rows = play(dut, inputs, [[idle, int(memory), valid, write]], flags)
            own = [int(memory == which and idle) for which in SHAPES]
            access = [idle and valid and write, idle and valid and not write]
            assert rows == [
                [int(bool(flag)) for mine in own for flag in (mine, *[mine and a for a in access])]
            ]


def test_what_was_taken_is_answered_although_an_image_comes():
    bench = Bench()
    host, port = bench.host, bench.host.host
    inputs = [port.valid, port.write, port.memory, port.address, port.data, host.idle]
    head = int(Memory.HEAD)
    stimulus = [
        [1, 1, head, 2, 77, 1],
        [1, 0, head, 2, 0, 1],
        *[[0, 0, 0, 0, 0, 0]] * 3,
        [1, 1, head, 2, 5, 0],
        [1, 0, head, 2, 0, 0],
        [1, 0, head, 2, 0, 1],
        *[[0, 0, 0, 0, 0, 1]] * 3,
    ]
    rows = play(bench, inputs, stimulus, [port.ready, port.reply_valid, port.word])
    assert [row[0] for row in rows] == [1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert [at for at, row in enumerate(rows) if row[1]] == [4, 10]
    assert rows[4][2] == rows[10][2] == 77


def test_after_reset_nothing_is_answered():
    reset, bench = Signal(), Bench()
    port = bench.host.host

    async def script(ctx):
        ctx.set(bench.host.idle, 1)
        ctx.set(port.valid, 1)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(port.valid, 0)
        ctx.set(reset, 0)
        await ctx.tick().repeat(4)

    rows = simulate(ResetInserter(reset)(bench), script, watch=[port.ready, port.reply_valid])
    assert rows == [[1, 0]] * 5
