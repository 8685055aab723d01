# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder: every code word at small widths, every one and two wrong bits at 128."""

from itertools import combinations

import numpy as np
import pytest
from amaranth.sim import Simulator
from simulate import plain, play
from wrong_parameters import refusal

from scaledrop.secded import Status, check_bits, decode, encode
from scaledrop_hw.secded import SecdedDecoder, SecdedEncoder

SMALL = [1, 2, 3, 4, 5, 8]
WIDE = [11, 12, 57, 128, 512, 1024]


def settled(dut, given, values, outputs):
    """Outputs of a combinational component for each value of ``given``."""
    rows = []

    async def drive(ctx):
        for value in values:
            ctx.set(given, value)
            rows.append(tuple(plain(ctx.get(output)) for output in outputs))

    simulator = Simulator(dut)
    simulator.add_testbench(drive)
    simulator.run()
    return rows


def decoded(width, codes):
    dut = SecdedDecoder(width=width)
    return settled(dut, dut.code, codes, [dut.data, dut.corrected, dut.uncorrected])


def expected(width, code):
    data, status = decode(code, width)
    return data, int(status is Status.CORRECTED), int(status is Status.UNCORRECTED)


def random_word(width):
    return int.from_bytes(np.random.default_rng(width).bytes(128), "little") % (1 << width)


@pytest.mark.parametrize("component", [SecdedEncoder, SecdedDecoder])
@pytest.mark.parametrize("width", [0, 1025, True])
def test_wrong_parameters(component, width):
    text = f"width must be an integer from 1 to 1024, not {width}"
    assert refusal(component, {"width": 8}, {"width": width}) == text


@pytest.mark.parametrize("component", [SecdedEncoder, SecdedDecoder])
def test_parameters_read_back(component):
    dut = component(width=128)
    assert dut.width == 128 and len(dut.code) == 137 and len(dut.data) == 128


@pytest.mark.parametrize("width", SMALL)
def test_every_word_is_encoded(width):
    dut = SecdedEncoder(width=width)
    words = range(1 << width)
    assert settled(dut, dut.data, words, [dut.code]) == [(dut.twin(w, width),) for w in words]


@pytest.mark.parametrize("width", WIDE)
def test_wide_words_are_encoded(width):
    dut = SecdedEncoder(width=width)
    words = [0, random_word(width), *(1 << bit for bit in range(0, width, 7))]
    assert settled(dut, dut.data, words, [dut.code]) == [(dut.twin(w, width),) for w in words]


@pytest.mark.parametrize("width", SMALL)
def test_every_code_word_is_decoded(width):
    """All of them: clean ones, and any number of wrong bits."""
    codes = range(1 << width + check_bits(width))
    assert decoded(width, codes) == [expected(width, code) for code in codes]


@pytest.mark.parametrize("width", WIDE)
def test_every_single_error_of_wide_words_is_corrected(width):
    word = random_word(width)
    code = encode(word, width)
    errors = [0, *(1 << at for at in range(width + check_bits(width)))]
    rows = decoded(width, [code ^ error for error in errors])
    assert rows == [(word, 0, 0)] + [(word, 1, 0)] * (len(errors) - 1)


@pytest.mark.parametrize("width", [12, 57, 128])
def test_every_double_error_of_wide_words_is_detected(width):
    code = encode(random_word(width), width)
    pairs = combinations(range(width + check_bits(width)), 2)
    codes = [code ^ 1 << a ^ 1 << b for a, b in pairs]
    assert decoded(width, codes) == [(wrong % (1 << width), 0, 1) for wrong in codes]


@pytest.mark.parametrize("width", [11, 128])
def test_many_wrong_bits_are_judged_as_by_the_twin(width):
    rng = np.random.default_rng(5)
    total = width + check_bits(width)
    codes = [int.from_bytes(rng.bytes(128), "little") % (1 << total) for _ in range(1000)]
    assert decoded(width, codes) == [expected(width, code) for code in codes]


def test_a_registered_decoder_is_a_cycle_behind():
    codes = [*range(1 << 4 + check_bits(4))]
    dut = SecdedDecoder(width=4, registered=True)
    assert dut.registered and not SecdedDecoder(width=4).registered
    rows = play(
        dut,
        [dut.code],
        [[code] for code in [*codes, 0]],
        [dut.data, dut.corrected, dut.uncorrected],
    )
    assert [tuple(row) for row in rows[1:]] == [expected(4, code) for code in codes]
