# SPDX-License-Identifier: Apache-2.0
"""Every rule of the number contract, exhaustively where the space is small."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaledrop.errors import UserError
from scaledrop.numbers import (
    DROP_BITS,
    MAX_GAIN_FRAC_BITS,
    MAX_OFFSET,
    Coding,
    activation_bit,
    argmax,
    decode,
    drop_code,
    quantise_affine,
    quantise_scale,
    scaled_bound,
    scaled_sum,
    sign_bit,
    signed_width,
    sum_bound,
)

CODES = 1 << DROP_BITS
NAN, INFINITY = float("nan"), float("inf")


def refusal(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    return str(caught.value)


def test_sign_of_zero_is_plus_one():
    assert [sign_bit(v) for v in (-1, 0, 1)] == [False, True, True]
    assert sign_bit(np.array([-1e-300, -0.0, 0.0, 1e-300])).tolist() == [False, True, True, True]


@pytest.mark.parametrize("values", list(itertools.product((-1, 0, 1), repeat=3)))
def test_argmax_gives_a_tie_to_the_lowest_index(values):
    assert argmax(np.array(values)) == values.index(max(values))


def test_argmax_works_along_the_last_axis():
    found = argmax(np.array([[[1, 2], [2, 2]], [[0, -1], [-3, -2]]]))
    assert found.tolist() == [[1, 0], [0, 1]] and found.dtype == np.int64


def test_every_drop_code_is_its_own_probability():
    assert [drop_code(code / CODES) for code in range(CODES)] == list(range(CODES))


@pytest.mark.parametrize(
    ("p", "code"),
    [
        (0.5 / CODES, 0),
        (1.5 / CODES, 2),
        (2.5 / CODES, 2),
        (np.nextafter(2.5 / CODES, 1), 3),
        ((CODES - 0.5) / CODES, CODES - 1),
        (np.nextafter(1.0, 0.0), CODES - 1),
        (-0.0, 0),
    ],
)
def test_drop_code_rounds_to_nearest_even_below_one(p, code):
    assert drop_code(float(p)) == code


@pytest.mark.parametrize("p", [1.0, -1e-9, NAN, INFINITY, -INFINITY, 2.0])
def test_drop_code_refuses(p):
    assert refusal(drop_code, p, "layers[2].p") == (
        f"layers[2].p: dropout probability must be in [0, 1), not {p}; give for example 0.1"
    )


def test_quantise_scale_keeps_every_representable_value():
    codes = np.arange(256)
    assert quantise_scale(codes / 64, 8, 6).tolist() == codes.tolist()


def test_quantise_scale_rounds_half_to_even():
    halves = np.array([0.5, 1.5, 2.5, 3.5, np.nextafter(2.5, 3), np.nextafter(1.5, 1)])
    found = quantise_scale(halves / 4, 8, 2)
    assert found.tolist() == [0, 2, 2, 4, 3, 1] and found.dtype == np.int64


def test_quantise_scale_takes_the_largest_value_that_rounds_into_range():
    below = np.nextafter(255.5, 0)
    assert quantise_scale(np.array([below / 64]), 8, 6).tolist() == [255]
    assert quantise_scale(np.array([]), 8, 6).size == 0


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
def test_quantise_scale_refuses_what_is_no_number(value):
    assert refusal(quantise_scale, np.array([1.0, value]), 8, 6, "alpha") == (
        "alpha: has a value that is not a number; train again or repair it"
    )


@pytest.mark.parametrize(
    ("values", "bits", "frac", "text"),
    [
        ([1, 4], 8, 6, "4 does not fit 8 bits with 6 fraction bits (0 to 3.98438)"),
        ([1, 255.5 / 64], 8, 6, "3.99219 does not fit 8 bits with 6 fraction bits (0 to 3.98438)"),
        ([-0.5, 1], 8, 6, "-0.5 does not fit 8 bits with 6 fraction bits (0 to 3.98438)"),
        ([2, 3], 1, 0, "2 does not fit 1 bits with 0 fraction bits (0 to 1)"),
        ([1, 3, 2], 1, 0, "3 does not fit 1 bits with 0 fraction bits (0 to 1)"),
        ([5, -1], 8, 6, "5 does not fit 8 bits with 6 fraction bits (0 to 3.98438)"),
        ([0, -1e-9], 8, 6, "-1e-09 does not fit 8 bits with 6 fraction bits (0 to 3.98438)"),
        ([1e30], 16, 15, "1e+30 does not fit 16 bits with 15 fraction bits (0 to 1.99997)"),
    ],
)
def test_quantise_scale_refuses_what_does_not_fit(values, bits, frac, text):
    assert refusal(quantise_scale, np.array(values), bits, frac, "alpha") == (
        f"alpha: {text}; raise scale_bits or lower scale_frac_bits"
    )


def overflows(gain, offset, bits, unit, frac):
    """Whether ``frac`` is too many fraction bits, in exact rational arithmetic."""
    largest = max(abs(round(Fraction(g) * 2**frac)) for g in gain)
    far = max(abs(Fraction(o)) for o in offset) * 2 ** (unit + frac)
    return largest > 2 ** (bits - 1) - 1 or far > MAX_OFFSET


REALS = st.floats(-7, 7, allow_nan=False)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(REALS, st.floats(-1e5, 1e5)), min_size=1, max_size=3),
    st.integers(4, 24),
    st.integers(0, 15),
)
def test_quantise_affine_takes_the_largest_fraction_without_overflow(pairs, bits, unit):
    gain, offset = zip(*pairs, strict=True)
    gain_code, offset_code, frac = quantise_affine(np.array(gain), np.array(offset), bits, unit)
    assert not overflows(gain, offset, bits, unit, frac)
    assert frac == MAX_GAIN_FRAC_BITS or overflows(gain, offset, bits, unit, frac + 1)
    assert gain_code.tolist() == [round(Fraction(g) * 2**frac) for g in gain]
    assert offset_code.tolist() == [round(Fraction(o) * 2 ** (unit + frac)) for o in offset]


def test_quantise_affine_of_zero_gains_keeps_the_finest_unit():
    gain, offset, frac = quantise_affine(np.zeros(2), np.array([0.0, 2.0**-46]), 12, 6)
    assert (gain.tolist(), offset.tolist(), frac) == ([0, 0], [0, 1], MAX_GAIN_FRAC_BITS)


@pytest.mark.parametrize(
    ("gain", "code", "frac"), [(2047.0, 2047, 0), (-2047.4, -2047, 0), (1.0, 1024, 10)]
)
def test_quantise_affine_at_the_ends_of_the_gain(gain, code, frac):
    found = quantise_affine(np.array([gain]), np.array([0.0]), 12, 6)
    assert (found[0].tolist(), found[2]) == ([code], frac)


@pytest.mark.parametrize(("offset", "frac"), [(2.0**30, 10), (2.0**30 + 1, 9), (-(2.0**40), 0)])
def test_quantise_affine_never_exceeds_the_offset_limit(offset, frac):
    gain, code, found = quantise_affine(np.array([0.0]), np.array([offset]), 12, 6)
    assert found == frac and gain.tolist() == [0]
    assert code.tolist() == [int(offset) << (6 + frac)] and abs(code[0]) <= MAX_OFFSET


@pytest.mark.parametrize("value", [NAN, INFINITY])
@pytest.mark.parametrize("at", [0, 1])
def test_quantise_affine_refuses_what_is_no_number(value, at):
    pair = [np.array([1.0]), np.array([1.0])]
    pair[at] = np.array([value])
    assert refusal(quantise_affine, *pair, 12, 6) == (
        "gain or offset is not a number; train again with a lower rate"
    )


def test_quantise_affine_refuses_a_gain_that_does_not_fit():
    assert refusal(quantise_affine, np.array([1.0, -2048.0]), np.array([0.0, 0.0]), 12, 6) == (
        "gain: 2048 does not fit 12 bits; raise gain_bits"
    )


@pytest.mark.parametrize(("fan_in", "planes"), [(1, 1), (1, 3), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("coding", Coding)
def test_sum_bound_is_reached_and_never_passed(fan_in, planes, coding):
    codes = range(1 << planes)
    elements = codes if coding is Coding.UNSIGNED else [decode(code, planes) for code in codes]
    sums = {
        sum(a * b for a, b in zip(weights, inputs, strict=True))
        for weights in itertools.product((-1, 1), repeat=fan_in)
        for inputs in itertools.product(elements, repeat=fan_in)
    }
    bound = sum_bound(fan_in, planes)
    assert (min(sums), max(sums)) == (-bound, bound)


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
@pytest.mark.parametrize("bound", [0, 1, 2, 7])
def test_scaled_bound_is_reached_and_never_passed(bits, bound):
    found = {
        scaled_sum(s, scale, keep, frac)
        for s in range(-bound, bound + 1)
        for scale in range(1 << bits)
        for keep in (0, 1)
        for frac in range(bits)
    }
    limit = scaled_bound(bound, bits)
    assert (min(found), max(found)) == (-limit, limit)


@pytest.mark.parametrize(
    "bounds", [range(300), [2**k + d for k in (31, 32, 61, 62, 63, 70) for d in (-1, 0, 1)]]
)
def test_signed_width_is_the_smallest_that_holds_both_ends(bounds):
    for bound in bounds:
        width = signed_width(bound)
        assert bound <= 2 ** (width - 1) - 1
        assert width == 1 or bound > 2 ** (width - 2) - 1


@pytest.mark.parametrize("frac", [0, 3])
def test_scaled_sum_of_scalars_and_arrays_agree(frac):
    cases = list(itertools.product(range(-5, 6), range(16), (0, 1)))
    expected = [s * scale if keep else s << frac for s, scale, keep in cases]
    s, scale, keep = np.array(cases).T
    assert [scaled_sum(*case, frac) for case in cases] == expected
    assert scaled_sum(s, scale, keep, frac).tolist() == expected
    assert scaled_sum(s, scale, keep.astype(bool), frac).dtype == np.int64


def test_scaled_sum_broadcasts_one_bit_over_the_channels():
    s, scale, keep = np.array([[[3, -2]]]), np.array([5, 7]), np.array([[[1], [0]]])
    assert scaled_sum(s, scale, keep, 2).tolist() == [[[15, -14], [12, -8]]]
    assert scaled_sum(s, scale, 1, 2).tolist() == [[[15, -14]]]
    assert scaled_sum(3, 5, np.array([1, 0]), 2).tolist() == [15, 12]


def test_activation_bit_for_all_small_values():
    cases = list(itertools.product(range(-4, 5), range(-4, 5), (0, 1)))
    expected = [
        (shat < threshold) if flip else shat >= threshold for shat, threshold, flip in cases
    ]
    shat, threshold, flip = np.array(cases).T
    assert [bool(activation_bit(*case)) for case in cases] == expected
    assert activation_bit(shat, threshold, flip).tolist() == expected


def test_activation_bit_has_both_constant_channels():
    shat = np.arange(-4, 5)
    assert activation_bit(shat, -4, 0).all() and not activation_bit(shat, -4, 1).any()


@pytest.mark.parametrize(
    ("offset", "text"),
    [(1e20, "1e+20"), (-1e20, "1e+20"), (np.nextafter(2.0**40, INFINITY), "1.09951e+12")],
)
def test_quantise_affine_refuses_an_offset_beyond_the_limit(offset, text):
    assert refusal(quantise_affine, np.array([1.0]), np.array([offset]), 12, 6) == (
        f"offset: {text} is too large; train again with a lower rate"
    )


def test_the_scale_that_does_not_fit_is_named():
    with pytest.raises(UserError, match=r"^scale: 4 does not fit"):
        quantise_scale(np.array([0.0, 4.0]), 8, 6)


def test_quantise_scale_takes_a_negative_zero():
    assert quantise_scale(np.array([-0.0]), 8, 6).tolist() == [0]
