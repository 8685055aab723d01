# SPDX-License-Identifier: Apache-2.0
"""Threshold stage: every scaled sum against every threshold; random beats with held words."""

from itertools import product

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.threshold import ThresholdStage

GOOD = {"lanes": 1, "scaled_width": 5, "init": [[(0, 0)]]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"scaled_width": 63}, "scaled_width must be an integer from 2 to 62, not 63"),
        ({"init": []}, "depth of the threshold memory must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ThresholdStage, GOOD, wrong) == message


def test_parameters_read_back():
    dut = ThresholdStage(**GOOD)
    assert (dut.lanes, dut.scaled_width, dut.depth) == (1, 5, 1)
    assert dut.shape == (1, 1)


def test_every_sum_threshold_and_flip():
    values = range(-16, 16)
    words = list(product(values, (0, 1)))
    dut = ThresholdStage(lanes=1, scaled_width=5, init=[[word] for word in words])
    cases = list(product(range(len(words)), values))
    addresses = [address for address, _ in cases] + [0]
    sums = [0] + [scaled for _, scaled in cases]
    stimulus = [(1, a, [s]) for a, s in zip(addresses, sums, strict=True)]
    rows = play(dut, [dut.fetch, dut.address, dut.scaled], stimulus, [dut.bits])
    for (address, scaled), (bit,) in zip(cases, rows[1:], strict=True):
        assert bit == int(dut.twin(scaled, *words[address]))


@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_beats_use_the_word_fetched_last(idle):
    rng = np.random.default_rng(5)
    lanes, depth, limit = 4, 7, 1 << 11
    words = [
        list(zip(rng.integers(-limit, limit, lanes), rng.integers(0, 2, lanes), strict=True))
        for _ in range(depth)
    ]
    dut = ThresholdStage(lanes=lanes, scaled_width=12, init=words)
    stimulus = [(1, 0, [0] * lanes)] + [
        (
            int(rng.random() >= idle),
            int(rng.integers(depth)),
            rng.integers(-limit, limit, lanes).tolist(),
        )
        for _ in range(500)
    ]
    rows = play(dut, [dut.fetch, dut.address, dut.scaled], stimulus, [dut.bits])
    word = words[0]
    for (fetch, address, scaled), (bits,) in zip(stimulus[1:], rows[1:], strict=True):
        fired = [int(dut.twin(s, t, f)) for s, (t, f) in zip(scaled, word, strict=True)]
        assert bits == sum(bit << lane for lane, bit in enumerate(fired))
        word = words[address] if fetch else word


def test_words_that_a_host_writes_take_the_place_of_the_others():
    """Lane 0 in the low bits, the threshold below its flip; two parts to a word."""
    lanes, width = 4, 11
    words = [[(-5, 1), (17, 0), (1023, 1), (-1024, 0)], [(3, 0), (2, 1), (1, 0), (0, 1)]]
    dut = ThresholdStage(lanes=lanes, scaled_width=width, init=[[(0, 0)] * lanes] * 2)
    host, sums, limit = dut.host, [-5, 17, 1022, 1], 1 << width
    packed = [
        sum((threshold % limit | flip << width) << lane * 12 for lane, (threshold, flip) in word)
        for word in map(list, map(enumerate, words))
    ]
    assert dut.shape == (2, 2)
    inputs = [host.select, host.write, host.read, host.address, host.part, host.data]
    inputs += [dut.fetch, dut.address, dut.scaled]
    at = [(address, part) for address in (0, 1) for part in (0, 1)]
    parts = [packed[address] >> 32 * part & (1 << 32) - 1 for address, part in at]
    own = (0, 0, sums)
    stimulus = [(1, 1, 0, *place, data, *own) for place, data in zip(at, parts, strict=True)]
    stimulus += [(1, 0, 1, *place, 0, *own) for place in at]
    stimulus += [(0, 0, 0, 0, 0, 0, 1, address, sums) for address in (0, 1, 0)]
    rows = play(dut, inputs, stimulus, [host.word, dut.bits])
    assert [word for word, _ in rows[5:9]] == parts
    for word, (_, bits) in zip(words, rows[9:11], strict=True):
        pairs = zip(sums, word, strict=True)
        fired = [int(dut.twin(value, *one)) for value, one in pairs]
        assert bits == sum(bit << lane for lane, bit in enumerate(fired))
