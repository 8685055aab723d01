# SPDX-License-Identifier: Apache-2.0
"""Proof by induction: the accumulator of the promised width never overflows.

Let ``done`` cells of plane k (counted from 1) have been added, in any order of row tiles. Then

    |sum| <= n * (2**k - 2) + done

which is n * (2**k - 1) when the plane is complete. Each of the three kinds of step is proved to
keep this and to lose no bit, for every sum, every partial sum and every size of a row tile.
"""

import pytest
import z3
from prover import counterexample, truncated, widened, within

from scaledrop.numbers import signed_width, sum_bound

SHAPES = [(1, 1, 1), (5, 5, 1), (7, 4, 1), (9, 4, 3), (64, 16, 8), (100, 64, 8), (3, 2, 16)]
"""Fan-in, rows of a tile, planes."""


def step(kept, partial, width, first=False, double=False):
    """One cycle of an AccumulatorAdder: every signal cut to its width."""
    zero = z3.BitVecVal(0, width)
    base = zero if first else truncated(widened(kept, width + 1) << 1, width) if double else kept
    return base + widened(partial, width)


def exact(kept, partial, wide, first=False, double=False):
    """The same step in integers that cannot overflow."""
    kept, partial = widened(kept, wide), widened(partial, wide)
    return (0 if first else 2 * kept if double else kept) + partial


class Induction:
    """Symbols and bounds of one layer, with an accumulator of ``width`` bits."""

    def __init__(self, fan_in, rows, planes, width):
        self.fan_in, self.width, self.planes = fan_in, width, planes
        self.wide = max(width, sum_bound(fan_in, planes).bit_length()) + 4
        self.kept = z3.BitVec("kept", width)
        self.partial = z3.BitVec("partial", rows.bit_length() + 1)
        self.done, self.cells = z3.BitVecs("done cells", self.wide)
        self.given = [
            *(self.done >= 0, self.cells >= 1),
            *(self.done <= fan_in, self.cells <= min(rows, fan_in)),
            within(widened(self.partial, self.wide), self.cells),
        ]

    def bound(self, plane, done):
        return self.fan_in * ((1 << plane) - 2) + done

    def step_broken(self, plane, done, *assumptions, **kind):
        """Counterexample to: the step is exact and leaves ``done`` cells of ``plane`` added."""
        total = widened(step(self.kept, self.partial, self.width, **kind), self.wide)
        same = total == exact(self.kept, self.partial, self.wide, **kind)
        claim = z3.And(same, within(total, self.bound(plane, done)))
        return counterexample(claim, *self.given, *assumptions)

    def held(self, plane, done):
        return within(widened(self.kept, self.wide), self.bound(plane, done))

    def first_tile(self):
        return self.step_broken(1, self.cells, first=True)

    def further_tile(self, plane, **kind):
        more = self.done + self.cells
        room = more <= self.fan_in
        return self.step_broken(plane, more, room, self.held(plane, self.done), **kind)

    def next_plane(self, plane):
        complete = self.held(plane, self.fan_in)
        return self.step_broken(plane + 1, self.cells, complete, double=True)

    def broken(self):
        """Every step of the layer that has a counterexample."""
        steps = {"first": self.first_tile()}
        for plane in range(1, self.planes + 1):
            steps[f"row {plane}"] = self.further_tile(plane)
            if plane < self.planes:
                steps[f"plane {plane}"] = self.next_plane(plane)
        return {name for name, found in steps.items() if found is not None}


def promised_width(fan_in, rows, planes):
    bound = sum_bound(fan_in, planes)
    return max(signed_width(bound), rows.bit_length() + 1)


@pytest.mark.parametrize(("fan_in", "rows", "planes"), SHAPES)
def test_no_sum_overflows(fan_in, rows, planes):
    layer = Induction(fan_in, rows, planes, promised_width(fan_in, rows, planes))
    assert layer.broken() == set()
    final = layer.bound(planes, fan_in)
    assert final == sum_bound(fan_in, planes)
    assert planes > 1 or final == sum_bound(fan_in, 1)


@pytest.mark.parametrize(("fan_in", "rows", "planes"), [(9, 4, 3), (64, 16, 8), (3, 2, 16)])
def test_one_bit_less_is_refuted_in_the_last_plane(fan_in, rows, planes):
    width = promised_width(fan_in, rows, planes) - 1
    broken = Induction(fan_in, rows, planes, width).broken()
    assert broken & {f"row {planes}", f"plane {planes - 1}"}


def test_doubling_at_every_row_tile_is_refuted():
    layer = Induction(9, 4, 3, promised_width(9, 4, 3))
    assert layer.further_tile(3, double=True) is not None
