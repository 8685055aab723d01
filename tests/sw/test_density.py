# SPDX-License-Identifier: Apache-2.0
"""Fractions of ones instead of images."""

import numpy as np
import pytest

from scaledrop.density import Density
from scaledrop.errors import UserError


def test_one_number_stands_for_all_planes():
    assert Density.of(0.25).ones(100, 8) == 200
    assert Density.of((0.0, 0.5)).ones(10, 2) == 5
    assert Density.of(Density((1,))).ones(3, 4) == 12


def test_measured_most_significant_bit_first():
    images = np.array([[0b10, 0b11], [0b10, 0b00]])
    assert Density.measured(images, 2) == Density((0.75, 0.25))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (1.5, "density: must be 0 to 1, not 1.5; give the fraction of ones"),
        ((), "density: must have a fraction for each bit, or one for all; try 0.5"),
        (True, "density: must be numbers of 0 to 1, not True; try 0.5"),
    ],
)
def test_refusals(given, text):
    with pytest.raises(UserError) as caught:
        Density.of(given)
    assert str(caught.value) == text


def test_other_planes_are_refused():
    with pytest.raises(UserError) as caught:
        Density((0.5, 0.5)).ones(1, 8)
    assert str(caught.value) == "density: must have 1 fraction or 8, one a bit, not 2"
