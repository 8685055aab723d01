# SPDX-License-Identifier: Apache-2.0
"""Asks z3 whether a claim always holds; a claim it cannot decide is an error, not an answer."""

import z3


def counterexample(claim, *assumptions):
    """Values that meet the assumptions and break the claim, or None when there are none."""
    solver = z3.Solver()
    solver.set("timeout", 60_000)
    solver.add(*assumptions, z3.Not(claim))
    answer = solver.check()
    if answer == z3.unknown:
        raise RuntimeError(f"undecided: {solver.reason_unknown()}")
    return solver.model() if answer == z3.sat else None


def within(value, bound):
    """``|value| <= bound`` of signed bit-vectors."""
    return z3.And(value >= -bound, value <= bound)


def widened(value, width):
    """A signed bit-vector sign-extended to ``width`` bits."""
    return z3.SignExt(width - value.size(), value)


def truncated(value, width):
    """The low bits, as an assignment to a narrower signal keeps them."""
    return z3.Extract(width - 1, 0, value)
