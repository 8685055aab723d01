# SPDX-License-Identifier: Apache-2.0
"""Array shapes: how many lanes there are unless told, and which sizes cannot be."""

import pytest

from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError


@pytest.mark.parametrize(
    ("given", "lanes"), [({}, 16), ({"rows": 12, "columns": 8}, 4), ({"lanes": 8}, 8)]
)
def test_lanes_are_as_wide_as_can_be_unless_given(given, lanes):
    assert ArrayShape(**given).lanes == lanes


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rows": 0}, "rows: must be 1 to 1024, not 0"),
        ({"rows": -4}, "rows: must be 1 to 1024, not -4"),
        ({"rows": 1025}, "rows: must be 1 to 1024, not 1025"),
        ({"columns": 0}, "columns: must be 1 to 1024, not 0"),
        ({"columns": 1025}, "columns: must be 1 to 1024, not 1025"),
        (
            {"lanes": 3},
            "lanes: must divide rows (64) and columns (16), not 3; 16 is the widest",
        ),
        (
            {"lanes": 32},
            "lanes: must divide rows (64) and columns (16), not 32; 16 is the widest",
        ),
        (
            {"rows": 16, "columns": 64, "lanes": 32},
            "lanes: must divide rows (16) and columns (64), not 32; 16 is the widest",
        ),
        (
            {"rows": 9, "columns": 6, "lanes": -3},
            "lanes: must divide rows (9) and columns (6), not -3; 3 is the widest",
        ),
    ],
)
def test_impossible_arrays_are_refused(given, text):
    with pytest.raises(UserError) as caught:
        ArrayShape(**given)
    assert str(caught.value) == text


def test_the_largest_array_is_accepted():
    assert ArrayShape(1024, 1024).lanes == 1024
