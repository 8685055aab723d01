# SPDX-License-Identifier: Apache-2.0
"""Scale stage: every sum, scale and mask bit at small widths; random beats with a busy host."""

from itertools import product

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.numbers import scaled_bound, signed_width
from scaledrop_hw.scale_memory import ScaleMemory
from scaledrop_hw.scale_stage import ScaleStage


def memory(words, scale_bits=4):
    return ScaleMemory(lanes=len(words[0]), scale_bits=scale_bits, init=words)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sum_width": 1}, "sum_width must be an integer from 2 to 62, not 1"),
        ({"scaled_width": 4}, "scaled_width must be an integer from 5 to 62, not 4"),
        ({"scale_frac_bits": 4}, "scale_frac_bits must be an integer from 0 to 3, not 4"),
        ({"scale_frac_bits": -1}, "scale_frac_bits must be an integer from 0 to 3, not -1"),
    ],
)
def test_wrong_parameters(wrong, message):
    good = {"sum_width": 5, "scaled_width": 9, "scale_frac_bits": 2, "memory": memory([[0]])}
    assert refusal(ScaleStage, good, wrong) == message


def test_parameters_read_back():
    scales = memory([[0, 1]])
    dut = ScaleStage(sum_width=5, scaled_width=9, scale_frac_bits=2, memory=scales)
    assert (dut.sum_width, dut.scaled_width, dut.scale_frac_bits) == (5, 9, 2)
    assert dut.memory is scales


def beats(dut, stimulus):
    """(scaled_valid, scaled, read) of each cycle; a row is valid, keep, address, sums."""
    inputs = [dut.valid, dut.keep, dut.address, dut.sums]
    return play(dut, inputs, stimulus, [dut.scaled_valid, dut.scaled, dut.memory.read])


@pytest.mark.parametrize("frac", [0, 1, 2])
def test_every_sum_scale_and_mask_bit(frac):
    scale_bits, sum_width = 3, 5
    limit = (1 << sum_width - 1) - 1
    width = signed_width(scaled_bound(limit, scale_bits))
    scales = [[scale] for scale in range(1 << scale_bits)]
    dut = ScaleStage(
        sum_width=sum_width,
        scaled_width=width,
        scale_frac_bits=frac,
        memory=memory(scales, scale_bits),
    )
    cases = list(product((0, 1), range(len(scales)), range(-limit, limit + 1)))
    rows = beats(
        dut, [(1, keep, scale, [s]) for keep, scale, s in cases] + [(0, 0, 0, [0])] * dut.LATENCY
    )
    for (keep, scale, s), (valid, scaled, _) in zip(cases, rows[dut.LATENCY :], strict=True):
        assert valid and scaled == [dut.twin(s, scale, keep, frac)]
    assert [row[2] for row in rows[: -dut.LATENCY]] == [keep for keep, _, _ in cases]


@pytest.mark.parametrize("idle", [0.0, 0.5])
@pytest.mark.parametrize("host_rate", [0.0, 0.7])
def test_random_beats_beside_a_reading_host(idle, host_rate):
    rng = np.random.default_rng(4)
    lanes, frac, limit = 3, 3, 127
    words = rng.integers(0, 16, (6, lanes)).tolist()
    dut = ScaleStage(sum_width=8, scaled_width=12, scale_frac_bits=frac, memory=memory(words))
    host = dut.host
    stimulus = [
        (
            int(rng.random() >= idle),
            int(rng.integers(2)),
            int(rng.integers(6)),
            rng.integers(-limit, limit + 1, lanes).tolist(),
            int(rng.random() < host_rate),
            int(rng.integers(6)),
        )
        for _ in range(600)
    ]
    inputs = [dut.valid, dut.keep, dut.address, dut.sums, host.valid, host.address]
    rows = play(dut, inputs, stimulus, [dut.scaled_valid, dut.scaled, host.ready])
    for index, (valid, keep, address, sums, _, _) in enumerate(stimulus[: -dut.LATENCY]):
        assert rows[index][2] == int(not (valid and keep))
        assert rows[index + dut.LATENCY][0] == valid
        if valid:
            pairs = zip(sums, words[address], strict=True)
            assert rows[index + dut.LATENCY][1] == [dut.twin(s, a, keep, frac) for s, a in pairs]


def test_no_beat_after_reset():
    dut = ScaleStage(sum_width=5, scaled_width=9, scale_frac_bits=2, memory=memory([[7]]))
    first, after = play_then_reset(dut, [dut.valid], [[1], [1], [1]], [dut.scaled_valid])
    assert first == after == [[0]] * 2


def test_memory_errors_pass_through():
    """An injected wrong bit is corrected before the multiplier, and reported with its address."""
    dut = ScaleStage(sum_width=5, scaled_width=9, scale_frac_bits=2, memory=memory([[1], [1]]))
    host = dut.host
    inputs = [dut.valid, dut.keep, dut.address, dut.sums, host.valid, host.write, host.address]
    inputs += [host.data, dut.inject]
    rest = (0, 0, 0, [0], 0, 0, 0, [0], 0)
    stimulus = [rest, rest]
    for error in (0b10, 0b11):
        stimulus += [(0, 0, 0, [0], 1, 1, 1, [7], error), (1, 1, 1, [3], *rest[4:])]
        stimulus += [rest] * 3
    watch = [dut.corrected, dut.uncorrected, dut.error_address, dut.scaled]
    rows = play(dut, inputs, stimulus, watch)
    assert [cycle for cycle, row in enumerate(rows) if row[0]] == [5]
    assert [cycle for cycle, row in enumerate(rows) if row[1]] == [10]
    assert rows[5][2] == rows[10][2] == 1
    assert (rows[6][3], rows[11][3]) == ([3 * 7], [3 * (7 ^ 0b11)])
