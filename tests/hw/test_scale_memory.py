# SPDX-License-Identifier: Apache-2.0
"""Scale memory: the scale path wins, the host waits, what is written is read back."""

import numpy as np
import pytest
from simulate import play, simulate
from wrong_parameters import refusal

from scaledrop_hw.scale_memory import ScaleMemory

GOOD = {"lanes": 2, "scale_bits": 4, "init": [[1, 2], [3, 4], [5, 6]]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"scale_bits": 17}, "scale_bits must be an integer from 1 to 16, not 17"),
        ({"init": []}, "depth of the scale memory must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ScaleMemory, GOOD, wrong) == message


def test_parameters_read_back():
    memory = ScaleMemory(**GOOD)
    assert (memory.lanes, memory.scale_bits, memory.depth) == (2, 4, 3)


async def host_access(ctx, host, address, word=None):
    """One access of the host; returns what was read, one cycle after the grant."""
    ctx.set(host.valid, 1)
    ctx.set(host.write, int(word is not None))
    ctx.set(host.address, address)
    ctx.set(host.data, word or [0, 0])
    await ctx.tick().until(host.ready)
    ctx.set(host.valid, 0)
    return [ctx.get(host.word[lane]) for lane in range(2)]


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_host_loads_and_reads_back(depth):
    dut = ScaleMemory(lanes=2, scale_bits=4, init=[[0, 0]] * depth)
    words = np.random.default_rng(depth).integers(0, 16, (depth, 2)).tolist()

    async def load(ctx):
        for address, word in enumerate(words):
            await host_access(ctx, dut.host, address, word)
        for address, word in reversed(list(enumerate(words))):
            assert await host_access(ctx, dut.host, address) == word

    simulate(dut, load)


def test_host_waits_while_the_scale_path_reads():
    dut = ScaleMemory(**GOOD)
    reads = [1, 1, 1, 0, 1, 0]
    stimulus = [(read, 0, 1, 1, 2, [9, 9]) for read in reads[:4]] + [
        (1, 2, 0, 0, 0, [0, 0]),
        (0, 0, 0, 0, 0, [0, 0]),
    ]
    host = dut.host
    inputs = [dut.read, dut.address, host.valid, host.write, host.address, host.data]
    rows = play(dut, inputs, stimulus, [host.ready, dut.scales])
    assert [row[0] for row in rows] == [0, 0, 0, 1, 0, 1]
    assert [row[1] for row in rows[1:]] == [[1, 2]] * 4 + [[9, 9]]


def expected(words, stimulus):
    """(ready, data) of each cycle; data is None until the first read."""
    words, data, rows = [list(word) for word in words], None, []
    for read, address, valid, write, host_address, word in stimulus:
        rows.append((int(not read), data))
        if read:
            data = words[address]
        elif valid and write:
            words[host_address] = word
        elif valid:
            data = words[host_address]
    return rows


@pytest.mark.parametrize("read_rate", [0.0, 0.3, 0.9])
def test_random_accesses_from_both_sides(read_rate):
    rng = np.random.default_rng(3)
    depth = 5
    words = rng.integers(0, 16, (depth, 2)).tolist()
    stimulus = [
        (
            int(rng.random() < read_rate),
            int(rng.integers(depth)),
            *rng.integers(0, 2, 2).tolist(),
            int(rng.integers(depth)),
            rng.integers(0, 16, 2).tolist(),
        )
        for _ in range(2000)
    ]
    dut = ScaleMemory(lanes=2, scale_bits=4, init=words)
    host = dut.host
    inputs = [dut.read, dut.address, host.valid, host.write, host.address, host.data]
    rows = play(dut, inputs, stimulus, [host.ready, dut.scales, host.word])
    for (ready, scales, word), (want_ready, want) in zip(
        rows, expected(words, stimulus), strict=True
    ):
        assert ready == want_ready
        assert want is None or scales == word == want
