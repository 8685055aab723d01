# SPDX-License-Identifier: Apache-2.0
"""Clocks of boards: settings of the PLL, and what cannot be made."""

from fractions import Fraction

import pytest

from scaledrop.errors import UserError
from scaledrop_flow.fpga.boards import BOARDS
from scaledrop_flow.fpga.clock import PllSetting, find_pll, slower
from scaledrop_flow.fpga.design import clock_of


@pytest.mark.parametrize(
    ("oscillator", "hz", "setting"),
    [
        (25_000_000, 50_000_000, (1, 16, 8)),
        (25_000_000, 40_000_000, (1, 16, 10)),
        (48_000_000, 24_000_000, (1, 9, 18)),
        (48_000_000, 50_000_000, (2, 25, 12)),
    ],
)
def test_known_settings(oscillator, hz, setting):
    found = find_pll(oscillator, hz)
    assert (found.reference, found.multiply, found.output) == setting
    assert found.hz == hz


@pytest.mark.parametrize("oscillator", [25_000_000, 48_000_000])
def test_every_setting_is_in_range(oscillator):
    """The dividers by hand, against what the data sheet allows."""
    made = 0
    for mhz in range(4, 121):
        try:
            one = find_pll(oscillator, mhz * 1_000_000)
        except UserError:
            continue
        made += 1
        vco = Fraction(oscillator, one.reference) * one.multiply
        assert 400_000_000 <= vco <= 800_000_000
        assert oscillator / one.reference >= 10_000_000
        assert vco / one.output == mhz * 1_000_000
    assert made == {25_000_000: 47, 48_000_000: 99}[oscillator]


@pytest.mark.parametrize(
    "dividers",
    [(1, 15, 8), (1, 33, 8), (3, 60, 8), (1, 16, 129), (0, 16, 8)],
    ids=["vco too slow", "vco too fast", "detector too slow", "divider", "zero"],
)
def test_a_setting_out_of_range_is_refused(dividers):
    with pytest.raises((AssertionError, ZeroDivisionError)):
        PllSetting(25_000_000, *dividers)


def test_a_clock_that_cannot_be_made():
    with pytest.raises(UserError) as caught:
        find_pll(25_000_000, 26_300_000)
    assert str(caught.value) == (
        "freq: 26.3 MHz cannot be made from the oscillator of 25 MHz; the nearest is 26.25 MHz"
    )


def test_the_next_slower_clock():
    assert slower(25_000_000, 23.9e6) == 22_000_000
    assert slower(25_000_000, 1e6) is None


@pytest.mark.parametrize(
    ("board", "mhz", "hz"),
    [
        ("ulx3s", None, 25_000_000),
        ("ulx3s", 50, 50_000_000),
        ("orangecrab", None, 24_000_000),
        ("orangecrab", 48, 48_000_000),
        ("icebreaker", 12, 12_000_000),
    ],
)
def test_the_clock_of_a_board(board, mhz, hz):
    assert clock_of(BOARDS[board], mhz) == hz


def test_a_board_without_a_choice_of_clocks():
    with pytest.raises(UserError) as caught:
        clock_of(BOARDS["icebreaker"], 24)
    assert str(caught.value) == (
        "freq: icebreaker runs at the 12 MHz of its oscillator only, not 24; leave it out"
    )
