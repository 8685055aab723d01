# SPDX-License-Identifier: Apache-2.0
"""Fast streams are the same bits as the unit's, and have the statistics of the card."""

from __future__ import annotations

import numpy as np
import pytest
from device_cards import card, plain

from scaledrop.device.chain import spin_words
from scaledrop.device.devices import nominal
from scaledrop.device.sampler import BLOCK, sample_bits, stream_bits
from scaledrop.device.unit import SpinUnit
from scaledrop.errors import UserError

CODE = 36000
MEMORY = {"reset_failure": plain(10, "%")}
DRIFT = {**MEMORY, "drift": plain(10, "mV"), "drift_writes": plain(1e6, "writes")}


def unit(**parameters: object) -> SpinUnit:
    return SpinUnit(nominal(card(None, **parameters)), drift_seed=3)


STRONG = {
    "reset_failure": plain(95, "%"),
    "drift": plain(10, "mV"),
    "drift_writes": plain(3200, "writes"),
}


@pytest.mark.parametrize("parameters", [{}, MEMORY, DRIFT, STRONG])
@pytest.mark.parametrize("count", [0, 1, 1001, BLOCK, 3 * BLOCK + 5])
def test_the_bits_are_those_of_the_unit(parameters: dict, count: int) -> None:  # type: ignore[type-arg]
    one = unit(**parameters)
    found = sample_bits(one, CODE, count, seed=8, previous=1)
    assert found.shape == (count,) and found.dtype == np.bool_
    assert np.array_equal(found, one.bits(CODE, spin_words(8, count), previous=1))


def test_a_longer_stream_begins_with_the_shorter_one() -> None:
    long = sample_bits(unit(**DRIFT), CODE, 2 * BLOCK + 9, 1)
    assert np.array_equal(sample_bits(unit(**DRIFT), CODE, BLOCK + 3, 1), long[: BLOCK + 3])
    assert [len(one) for one in stream_bits(unit(), CODE, BLOCK + 3, 1)] == [BLOCK, 3]


def test_rate_and_memory_are_those_of_the_tables() -> None:
    """Six standard errors of a binomial count."""
    one, count = unit(**MEMORY), 2_000_000
    bits = sample_bits(one, CODE, count, 1)
    for previous in (0, 1):
        p = one.thresholds(previous)[one.dac_code(CODE)] / 2**32
        following = bits[1:][bits[:-1] == bool(previous)]
        assert abs(following.mean() - p) < 6 * np.sqrt(p * (1 - p) / len(following))


def test_drift_shows_in_the_rate_of_epochs() -> None:
    one = unit(**DRIFT)
    length = one.epoch_writes
    bits = sample_bits(one, CODE, 40 * length, 1)
    rates = bits.reshape(40, length).mean(axis=1)
    p = [one.thresholds(0, epoch)[one.dac_code(CODE)] / 2**32 for epoch in range(40)]
    assert np.corrcoef(rates, p)[0, 1] > 0.99
    assert np.std(p) > 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((70000, 1, 1), "drive code: must be 0 to 65535, not 70000"),
        ((1, -1, 1), "count: must be 0 to 1099511627776, not -1"),
        ((1, 1, -1), "seed: must be 0 to 9223372036854775807, not -1"),
    ],
)
def test_impossible_arguments_are_refused(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as caught:
        stream_bits(unit(), *arguments)
    assert str(caught.value) == message
