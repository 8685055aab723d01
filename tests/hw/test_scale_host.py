# SPDX-License-Identifier: Apache-2.0
"""Scale host: parts of 32 bits become whole words of scales, and the other way round."""

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.hosted_memory import PART_BITS
from scaledrop_hw.scale_host import ScaleHost
from scaledrop_hw.scale_memory import ScaleMemory

GOOD = {"lanes": 6, "scale_bits": 13, "depth": 3}
SIZES = [(1, 1, 1), (4, 8, 2), (5, 8, 5), (6, 13, 3), (16, 8, 4), (3, 11, 8)]
"""Lanes, bits and words: one part and many, whole and not."""
FULL = (1 << PART_BITS) - 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"scale_bits": 17}, "scale_bits must be an integer from 1 to 16, not 17"),
        ({"depth": 0}, "depth of the scale memory must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ScaleHost, GOOD, wrong) == message


def test_parameters_read_back():
    dut = ScaleHost(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


@pytest.mark.parametrize(
    ("lanes", "bits", "parts"), [(1, 1, 1), (4, 8, 1), (5, 8, 2), (64, 8, 16), (1024, 16, 512)]
)
def test_parts_cover_the_word(lanes, bits, parts):
    assert ScaleHost(lanes=lanes, scale_bits=bits, depth=1).parts == parts


class Bench(wiring.Component):
    """The host before a scale memory that nobody else reads."""

    def __init__(self, lanes, bits, depth, words=None):
        super().__init__({})
        self.host = ScaleHost(lanes=lanes, scale_bits=bits, depth=depth)
        init = words or [[0] * lanes] * depth
        self.memory = ScaleMemory(lanes=lanes, scale_bits=bits, init=init)

    @property
    def inputs(self):
        host = self.host.host
        return [host.select, host.write, host.read, host.address, host.part, host.data]

    def elaborate(self, platform):
        m = Module()
        m.submodules.host, m.submodules.memory = self.host, self.memory
        connect(m, self.host.memory, self.memory.host)
        return m


def random_rows(rng, host, count):
    """select, write, read, address, part, data; most parts in order."""
    part = 0
    for _ in range(count):
        part = (part + 1) % host.parts if rng.random() < 0.9 else int(rng.integers(host.parts))
        access = int(rng.integers(4))
        yield (
            int(rng.random() < 0.9),
            int(access > 1),
            int(access == 1),
            int(rng.integers(host.depth)),
            part,
            int(rng.integers(FULL + 1)),
        )


def expected(host, rows):
    """The part read in every cycle, from the class docstring; None until the first read."""
    bits = host.lanes * host.scale_bits
    words, gathered, found = [0] * host.depth, 0, None
    for select, write, read, address, part, data in rows:
        yield found
        at = part * PART_BITS
        if select and write:
            gathered = gathered & ~(FULL << at) | data << at
            if part == host.parts - 1:
                words[address] = gathered & (1 << bits) - 1
        if select and read:
            found = words[address] >> at & FULL


@pytest.mark.parametrize(("lanes", "bits", "depth"), SIZES)
def test_random_accesses(lanes, bits, depth):
    rng, bench = np.random.default_rng(lanes), Bench(lanes, bits, depth)
    stimulus = list(random_rows(rng, bench.host, 2000))
    watch = [bench.host.host.word, bench.memory.corrected, bench.memory.uncorrected]
    rows = play(bench, bench.inputs, stimulus, watch)
    promises = [None, *expected(bench.host, stimulus)]
    for (word, *errors), promised in zip(rows, promises, strict=False):
        assert promised in (None, word)
        assert errors == [0, 0]


@pytest.mark.parametrize(("lanes", "bits", "depth"), SIZES)
def test_a_word_is_its_scales_lane_0_in_the_low_bits(lanes, bits, depth):
    words = np.random.default_rng(1).integers(0, 1 << bits, (depth, lanes)).tolist()
    bench = Bench(lanes, bits, depth, words)
    parts = bench.host.parts
    stimulus = [[1, 0, 1, at, part, 0] for at in range(depth) for part in range(parts)]
    rows = play(bench, bench.inputs, [*stimulus, [0] * 6, [0] * 6], [bench.host.host.word])
    for at, word in enumerate(words):
        value = sum(scale << lane * bits for lane, scale in enumerate(word))
        read = [word for (word,) in rows[2 + at * parts :][:parts]]
        assert read == [value >> PART_BITS * part & FULL for part in range(parts)]


def test_the_memory_is_written_once_a_word_with_its_last_part():
    dut = ScaleHost(**GOOD)
    host, memory = dut.host, dut.memory
    inputs = [host.select, host.write, host.read, host.address, host.part, host.data]
    stimulus = [[1, 1, 0, 2, part, 7] for part in range(3)]
    stimulus += [[0, 1, 0, 2, 2, 7], [0, 0, 1, 2, 2, 7], [1, 0, 0, 2, 2, 7], [1, 0, 1, 2, 0, 7]]
    rows = play(dut, inputs, stimulus, [memory.valid, memory.write, memory.address])
    assert [row[0] for row in rows] == [0, 0, 1, 0, 0, 0, 1]
    assert rows[2] == [1, 1, 2] and rows[6] == [1, 0, 2]


def test_reset_forgets_the_parts_and_keeps_the_words():
    reset, bench = Signal(), Bench(5, 8, 2, [[1, 2, 3, 4, 5]] * 2)
    stimulus = [
        [0, 1, 1, 0, 0, 0, 0x11111111],
        [1, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 1, 9],
        [0, 1, 0, 1, 0, 0, 0],
        [0, 1, 0, 1, 1, 0, 0],
        [0] * 7,
        [0] * 7,
    ]
    inputs = [reset, *bench.inputs]
    rows = play(ResetInserter(reset)(bench), inputs, stimulus, [bench.host.host.word])
    assert [word for (word,) in rows[5:]] == [0, 0x04030201]
