# SPDX-License-Identifier: Apache-2.0
"""Another network through the host port: what is written is read back, and is what is inferred."""

from dataclasses import replace

import numpy as np
import pytest
from control_cases import CASES, convolution, dense, operate

from scaledrop.device_sizes import Memory

FULL = (1 << 32) - 1
OTHERS = {"dense": dense(4), "unrolled": convolution(2), "taps": convolution(2)}
"""Of the same shape and formats; every number differs."""


def other_of(name):
    return replace(CASES[name], network=OTHERS[name.partition(",")[0]])


def contents_of(case):
    """What a device that is built for the case has in its memories after power-up."""
    found = {}

    async def script(bench):
        for memory in bench.dut.sizes.memories:
            found[memory] = await bench.dump(memory)

    operate(case, script)
    return found


async def fill(bench, memory, rng):
    """Random numbers in all that is there of a memory; parts are no wider than their word."""
    words, parts = bench.dut.sizes.memories[memory]
    await bench.load(memory, [FULL] * words * parts)
    there = await bench.dump(memory)
    noise = (rng.integers(FULL + 1, size=len(there)) & there).tolist()
    assert all(there) and there == there[:parts] * words
    await bench.load(memory, noise)
    assert await bench.dump(memory) == noise


@pytest.mark.parametrize("name", CASES)
def test_another_network_is_loaded(name):
    """Over its own contents and over noise; nothing of the first network is left."""
    case, other, rng = CASES[name], other_of(name), np.random.default_rng(1)
    contents, first = contents_of(other), contents_of(case)
    assert other.accelerator().sizes.memories == case.accelerator().sizes.memories
    differ = {memory for memory in contents if contents[memory] != first[memory]}
    assert differ == {*contents} - {Memory.ROW_MASKS, Memory.DESCRIPTORS, Memory.HEALTH_LIMITS}

    async def script(bench):
        await bench.infer()
        bench.check()
        for memory in contents:
            assert await bench.dump(memory) == first[memory]
            await fill(bench, memory, rng)
        for memory, words in contents.items():
            await bench.load(memory, words)
        for memory, words in contents.items():
            assert await bench.dump(memory) == words
        await bench.infer(other.workload(7, images=2))
        bench.check()
        assert bench.status == 0

    operate(case, script)


@pytest.mark.parametrize("name", ["dense, shared", "taps, exact, folded"])
def test_no_access_is_taken_while_an_image_is_held(name):
    """Neither a write nor a read, in any cycle, of any memory; nor while results wait."""
    rng = np.random.default_rng(2)

    async def script(bench):
        clean, host = await bench.infer(), bench.dut.host
        before = {memory: await bench.dump(memory) for memory in bench.dut.sizes.memories}
        bench.gap = lambda stream: stream == "results" and rng.random() < 0.8
        bench.begin()
        await bench.until(lambda: bench.busy)
        tried = 0
        while not bench.complete:
            fields = {"memory": rng.choice([*before]), "write": rng.integers(2), "valid": 1}
            for field, value in {**fields, "data": FULL}.items():
                bench.set(getattr(host, field), int(value))
            await bench.cycle()
            assert bench.complete or not (
                bench.ctx.get(host.ready) or bench.ctx.get(host.reply_valid)
            )
            tried += 1
        bench.set(host.valid, 0)
        bench.gap = lambda stream: False
        await bench.cycle()
        assert not bench.busy and tried > 60
        for memory, words in before.items():
            assert await bench.dump(memory) == words
        assert await bench.infer() == clean

    operate(CASES[name], script)


def test_nothing_is_read_from_a_memory_that_is_not_there():
    async def script(bench):
        for memory in (Memory.SCALES, 9, 15):
            await bench.access(memory, 1, 0, FULL)
            assert await bench.access(memory, 1, 0) == 0
        await bench.infer()
        bench.check()

    case = CASES["taps, exact, folded"]
    assert Memory.SCALES not in case.accelerator().sizes.memories
    operate(case, script)
