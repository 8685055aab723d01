# SPDX-License-Identifier: Apache-2.0
"""Proof: product and shift fit the scaled width, and the mux equals the rule of the contract."""

import pytest
import z3
from prover import counterexample, truncated, widened, within

from scaledrop.numbers import Coding, scaled_bound, scaled_sum, signed_width, sum_bound

LAYERS = [
    (3, Coding.UNSIGNED, 2, 4),
    (7, Coding.BIPOLAR, 1, 6),
    (1, Coding.UNSIGNED, 4, 1),
    (5, Coding.UNSIGNED, 3, 8),
]
"""Fan-in, coding, planes, scale bits."""


def stage(sums, scale, keep, frac, width):
    """The scale stage: product and shift in full, cut to ``width``, then the mux."""
    full = sums.size() + scale.size() + 2
    wide = widened(sums, full)
    product = wide * z3.ZeroExt(full - scale.size(), scale)
    return z3.If(keep == 1, truncated(product, width), truncated(wide << frac, width))


def broken(layer, keep, frac, spare=0, swapped=False):
    """Counterexample to: the stage with ``spare`` bits to spare gives the contract's value."""
    fan_in, _, planes, scale_bits = layer
    bound = sum_bound(fan_in, planes)
    width = signed_width(scaled_bound(bound, scale_bits)) + spare
    sums = z3.BitVec("sums", signed_width(bound))
    scale = z3.BitVec("scale", scale_bits)
    full = sums.size() + scale_bits + 2
    bit = z3.BitVecVal(keep ^ swapped, 1)
    got = widened(stage(sums, scale, bit, frac, width), full)
    alpha = z3.ZeroExt(full - scale_bits, scale)
    want = scaled_sum(widened(sums, full), alpha, keep, frac)
    fits = within(want, scaled_bound(bound, scale_bits))
    return counterexample(z3.And(got == want, fits), within(sums, bound))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("keep", [0, 1])
def test_stage_equals_the_contract(layer, keep):
    for frac in range(layer[-1]):
        assert broken(layer, keep, frac) is None


@pytest.mark.parametrize("layer", LAYERS)
def test_one_bit_less_is_refuted(layer):
    assert broken(layer, 1, 0, spare=-1) is not None


@pytest.mark.parametrize("keep", [0, 1])
def test_a_swapped_mux_is_refuted(keep):
    assert broken(LAYERS[0], keep, 1, swapped=True) is not None
