# SPDX-License-Identifier: Apache-2.0
"""Proof: a running strict comparison elects the lowest label of the largest logit."""

import pytest
import z3
from prover import counterexample

WIDTH, CLASSES = 8, 4


def elected(values, better):
    """Winner of a pass as the pass accumulator finds it; registers start with anything."""
    best, winner = z3.BitVec("best", WIDTH), z3.BitVec("winner", 2)
    for label, value in enumerate(values):
        takes = better(label, value, best)
        best = z3.If(takes, value, best)
        winner = z3.If(takes, z3.BitVecVal(label, 2), winner)
    return winner


def is_lowest_largest(winner, values):
    """``winner`` is a label that no value exceeds and no lower label equals."""
    cases = []
    for label, value in enumerate(values):
        beaten = [value > other for other in values[:label]]
        cases.append(z3.And(winner == label, *beaten, *(value >= o for o in values[label:])))
    return z3.Or(*cases)


def broken(better):
    values = z3.BitVecs(" ".join(f"logit{label}" for label in range(CLASSES)), WIDTH)
    return counterexample(is_lowest_largest(elected(values, better), values))


def test_strict_comparison_elects_the_lowest_label():
    assert broken(lambda label, value, best: z3.Or(label == 0, value > best)) is None


WRONG = {
    "ties to the highest": lambda label, value, best: z3.Or(label == 0, value >= best),
    "unsigned": lambda label, value, best: z3.Or(label == 0, z3.UGT(value, best)),
    "best of the pass before": lambda label, value, best: value > best,
}


@pytest.mark.parametrize("better", WRONG.values(), ids=WRONG)
def test_wrong_comparisons_are_refuted(better):
    assert broken(better) is not None
