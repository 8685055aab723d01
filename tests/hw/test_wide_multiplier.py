# SPDX-License-Identifier: Apache-2.0
"""Wide multiplier: every small factor, the bounds of wide ones, widths around a part's."""

from itertools import product

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.wide_multiplier import LIMB_BITS, WideMultiplier

GOOD = {"a_width": 5, "b_width": 7}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"a_width": 0}, "a_width must be an integer from 1 to 128, not 0"),
        ({"b_width": 129}, "b_width must be an integer from 1 to 128, not 129"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(WideMultiplier, GOOD, wrong) == message


def test_parameters_read_back():
    dut = WideMultiplier(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    assert len(dut.product) == 12


def check(dut, pairs):
    rest = [[0, 0]] * dut.LATENCY
    rows = play(dut, [dut.a, dut.b], [*pairs, *rest], [dut.product])
    found = [row[0] for row in rows[dut.LATENCY :]]
    assert found == [a * b for a, b in pairs] == [dut.twin(a, b) for a, b in pairs]


def test_every_pair_of_small_factors():
    pairs = product(range(-16, 16), range(-4, 4))
    check(WideMultiplier(a_width=5, b_width=3), list(pairs))


@pytest.mark.parametrize(
    ("a_width", "b_width"),
    [
        (1, 1),
        (LIMB_BITS, 18),
        (18, 18),
        (19, LIMB_BITS + 1),
        (26, 26),
        (51, 26),
        (34, 35),
        (94, 62),
    ],
)
def test_wide_factors_and_their_bounds(a_width, b_width):
    rng = np.random.default_rng(a_width)
    sides = []
    for width in (a_width, b_width):
        low, high = -(1 << width - 1), (1 << width - 1) - 1
        drawn = (int.from_bytes(rng.bytes(16), "little") for _ in range(9))
        sides.append([low, high, 0, *((value % (high - low + 1)) + low for value in drawn)])
    check(WideMultiplier(a_width=a_width, b_width=b_width), list(product(*sides)))
