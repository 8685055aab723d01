# SPDX-License-Identifier: Apache-2.0
"""Proof by induction: an accumulator of the promised widths never overflows.

Let ``done`` cells of plane k (counted from 1) have been added, in any order of row tiles. Then

    |plane| <= done        |earlier| <= n * (2**(k - 1) - 1)        |total| <= n * (2**k - 2) + done

where the total is n * (2**k - 1) when the plane is complete. A step is proved to keep this and to
lose no bit, and so is the end of a plane, for every state, partial sum and size of a row tile.
"""

import pytest
import z3
from prover import counterexample, truncated, widened, within

from scaledrop.numbers import signed_width, sum_bound

SHAPES = [(1, 1, 1), (5, 5, 1), (7, 4, 1), (9, 4, 3), (64, 16, 8), (100, 64, 8), (3, 2, 16)]
"""Fan-in, rows of a tile, planes."""


class Induction:
    """Symbols and bounds of one layer, with an accumulator of the given widths."""

    def __init__(self, fan_in, rows, planes, plane_width, sum_width):
        self.fan_in, self.planes = fan_in, planes
        self.plane_width, self.sum_width = plane_width, sum_width
        self.wide = max(sum_width, sum_bound(fan_in, planes).bit_length()) + 4
        self.plane = z3.BitVec("plane", plane_width)
        self.earlier = z3.BitVec("earlier", sum_width - 1)
        self.partial = z3.BitVec("partial", rows.bit_length() + 1)
        self.done, self.cells = z3.BitVecs("done cells", self.wide)
        self.given = [
            *(self.done >= 0, self.cells >= 1, self.done + self.cells <= fan_in),
            *(self.done <= fan_in, self.cells <= min(rows, fan_in)),
            within(widened(self.partial, self.wide), self.cells),
            within(widened(self.plane, self.wide), self.done),
        ]

    def total(self):
        """``plane_total`` and ``total`` as an AccumulatorAdder makes them: cut to their widths."""
        plane_total = self.plane + widened(self.partial, self.plane_width)
        if self.sum_width == self.plane_width:
            return plane_total, plane_total
        doubled = widened(self.earlier, self.sum_width) << 1
        return plane_total, doubled + widened(plane_total, self.sum_width)

    def exact(self):
        """The same in integers that cannot overflow."""
        plane, partial, earlier = (
            widened(value, self.wide) for value in (self.plane, self.partial, self.earlier)
        )
        kept = 0 if self.sum_width == self.plane_width else 2 * earlier
        return plane + partial, kept + plane + partial

    def held(self, plane):
        bound = self.fan_in * ((1 << plane - 1) - 1)
        return within(widened(self.earlier, self.wide), bound)

    def step_broken(self, plane):
        """Counterexample to: a step of this plane is exact, and within the bounds."""
        (plane_total, total), (plane_exact, exact) = self.total(), self.exact()
        more = self.done + self.cells
        claim = z3.And(
            *(widened(plane_total, self.wide) == plane_exact, within(plane_exact, more)),
            widened(total, self.wide) == exact,
            within(exact, self.fan_in * ((1 << plane) - 2) + more),
        )
        return counterexample(claim, *self.given, self.held(plane))

    def end_broken(self, plane):
        """Counterexample to: a completed plane's total is kept whole as the next ``earlier``."""
        _, total = self.total()
        kept = widened(truncated(total, self.sum_width - 1), self.wide)
        bound = self.fan_in * ((1 << plane) - 1)
        claim = z3.And(kept == widened(total, self.wide), within(kept, bound))
        complete = self.done + self.cells == self.fan_in
        return counterexample(claim, complete, *self.given, self.held(plane))

    def broken(self):
        """Every step and end of a plane that has a counterexample."""
        found = {f"step {k}": self.step_broken(k) for k in range(1, self.planes + 1)}
        found |= {f"end {k}": self.end_broken(k) for k in range(1, self.planes)}
        return {name for name, answer in found.items() if answer is not None}


def promised_widths(fan_in, rows, planes):
    plane_width = max(signed_width(fan_in), rows.bit_length() + 1)
    return plane_width, max(signed_width(sum_bound(fan_in, planes)), plane_width)


@pytest.mark.parametrize(("fan_in", "rows", "planes"), SHAPES)
def test_no_sum_overflows(fan_in, rows, planes):
    layer = Induction(fan_in, rows, planes, *promised_widths(fan_in, rows, planes))
    assert layer.broken() == set()


@pytest.mark.parametrize(("fan_in", "rows", "planes"), [(9, 4, 3), (64, 16, 8), (3, 2, 16)])
def test_one_bit_less_of_the_sum_is_refuted_in_the_last_plane(fan_in, rows, planes):
    plane_width, sum_width = promised_widths(fan_in, rows, planes)
    assert f"step {planes}" in Induction(fan_in, rows, planes, plane_width, sum_width - 1).broken()


@pytest.mark.parametrize(("fan_in", "rows", "planes"), [(9, 4, 3), (64, 16, 8), (3, 1, 16)])
def test_one_bit_less_of_a_plane_is_refuted(fan_in, rows, planes):
    plane_width, sum_width = promised_widths(fan_in, rows, planes)
    assert "step 1" in Induction(fan_in, rows, planes, plane_width - 1, sum_width).broken()


def test_a_plane_that_ends_early_is_not_bounded():
    """Two planes' cells in one: the width of a plane holds one plane's cells, no more."""
    layer = Induction(9, 4, 3, *promised_widths(9, 4, 3))
    layer.given[2] = layer.done + layer.cells <= 18
    layer.given[3] = layer.done <= 18
    assert layer.step_broken(1) is not None
