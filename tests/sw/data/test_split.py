# SPDX-License-Identifier: Apache-2.0
"""The split of a set that came without a test part."""

from __future__ import annotations

import numpy as np
import pytest

from scaledrop.data.split import fifth, held_out


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 12, 13, 100, 101])
def test_a_fifth_is_held_out(count: int) -> None:
    assert fifth(np.zeros(count, np.int64)).sum() == int(count / 5 + 0.5)


def test_every_class_gives_its_share() -> None:
    labels = np.repeat(np.arange(4), [50, 20, 5, 25])
    held = held_out(labels, 20, 0)
    assert np.bincount(labels[held]).tolist() == [10, 4, 1, 5]


def test_it_never_changes() -> None:
    rows = np.flatnonzero(held_out(np.arange(20) % 2, 4, 0))
    assert rows.tolist() == [2, 3, 11, 18]
