# SPDX-License-Identifier: Apache-2.0
"""The converter's rule: known values, exactness, symmetry, and the same for real sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaledrop.converter import Converter, default_converter, lossless_converter
from scaledrop.errors import UserError


def test_mid_tread_rounds_half_up_and_clips():
    one = Converter(3, 4)
    sums = np.array([-99, -18, -15, -14, -11, -10, -3, -2, -1, 0, 1, 2, 5, 6, 10, 14, 99])
    read = [-16, -16, -16, -12, -12, -8, -4, 0, 0, 0, 0, 4, 4, 8, 12, 12, 12]
    assert one.value(sums).tolist() == read
    assert one.value(-15) == -16 and (one.low, one.high, one.bound) == (-4, 3, 16)


def test_mid_rise_has_levels_between_the_multiples():
    sums = np.array([-99, -5, -4, -1, 0, 3, 4, 99])
    assert Converter(2, 4, mid_rise=True).value(sums).tolist() == [-6, -6, -2, -2, 2, 2, 6, 6]
    assert Converter(1, 16, mid_rise=True).value(sums).tolist() == [-8] * 4 + [8] * 4
    assert Converter(2, 4, mid_rise=True).bound == 6


@given(st.integers(1, 1024))
def test_lossless_passes_every_sum_and_one_bit_less_does_not(rows):
    sums = np.arange(-rows, rows + 1)
    assert (lossless_converter(rows).value(sums) == sums).all()
    if rows > 1:
        fewer = Converter(lossless_converter(rows).bits - 1)
        assert (fewer.value(sums) != sums).any()


converters = st.builds(
    Converter, st.integers(2, 9), st.integers(1, 6).map(lambda shift: 1 << shift), st.booleans()
)


@given(converters, st.integers(-400, 400))
def test_every_value_is_a_level_and_the_nearest_within_the_range(one, s):
    levels = np.arange(one.low, one.high + 1) * one.step + one.behind
    value = one.value(s)
    assert value in levels and abs(value - s) == np.abs(levels - s).min()
    assert abs(value) <= one.bound and one.value(value) == value


@given(converters, st.integers(-400, 400), st.floats(-0.49, 0.49))
def test_real_sums_near_an_integer_are_read_as_it(one, s, noise):
    sums = np.array([s + noise, s], dtype=np.float64)
    one.read(sums)
    assert sums.tolist() == [one.value(s)] * 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bits": 0}, "converter bits: must be 1 to 16, not 0"),
        ({"bits": 17}, "converter bits: must be 1 to 16, not 17"),
        ({"bits": 4, "step": 3}, "converter step: must be a power of two up to 65536, not 3"),
        ({"bits": 4, "step": 0}, "converter step: must be a power of two up to 65536, not 0"),
        (
            {"bits": 4, "mid_rise": True},
            "converter step: must be 2 or more for mid-rise levels, not 1",
        ),
        (
            {"bits": 1, "step": 2},
            "converter bits: 1 has no level above 0 unless mid_rise is set; set it, or use 2",
        ),
    ],
)
def test_impossible_converters_are_refused(values, message):
    with pytest.raises(UserError) as error:
        Converter(**values)
    assert str(error.value) == message


def test_default_steps():
    assert [default_converter(bits, 64).step for bits in range(1, 9)] == [16, 16, 8, 4, 2, 1, 1, 1]
    assert [default_converter(bits, 1).step for bits in (1, 2, 3)] == [2, 1, 1]
    assert default_converter(1, 64).mid_rise and not default_converter(2, 64).mid_rise
    for rows in (1, 2, 5, 16, 17, 100, 1024):
        for bits in range(2, 12):
            one = default_converter(bits, rows)
            reach = min(rows, 4 * rows**0.5)
            assert -one.low * one.step >= reach, (rows, bits)
            assert one.step == 1 or -one.low * one.step // 2 < reach
    with pytest.raises(UserError) as error:
        default_converter(0, 64)
    assert str(error.value) == "converter bits: must be 1 to 16, not 0"
