# SPDX-License-Identifier: Apache-2.0
"""Slow drift: stationary from its first epoch, with the memory that it says."""

from __future__ import annotations

import numpy as np
import pytest

from scaledrop.device.drift import EPOCHS_PER_MEMORY, drift_path


def test_rms_and_memory_of_one_long_path() -> None:
    """n / (2 x 32) independent stretches: the variance is known to sqrt(2 x 64 / n)."""
    n = 200_000
    path = drift_path(0.002, n, 1)
    error = np.sqrt(2 * 2 * EPOCHS_PER_MEMORY / n)
    assert path.std() == pytest.approx(0.002, rel=4 * error)
    for lag in (1, EPOCHS_PER_MEMORY, 3 * EPOCHS_PER_MEMORY):
        found = np.mean(path[lag:] * path[:-lag]) / path.var()
        assert found == pytest.approx(np.exp(-lag / EPOCHS_PER_MEMORY), abs=4 * error)


def test_it_is_stationary_from_the_first_epoch() -> None:
    first = np.array([drift_path(1.0, 3, seed) for seed in range(2000)])
    assert first.std(axis=0) == pytest.approx(1, abs=6 / np.sqrt(4000))


def test_a_longer_path_begins_with_the_shorter_one() -> None:
    assert np.array_equal(drift_path(1.0, 50, 9)[:20], drift_path(1.0, 20, 9))
    assert not np.array_equal(drift_path(1.0, 20, 8), drift_path(1.0, 20, 9))
    assert not drift_path(0.0, 20, 9).any()
