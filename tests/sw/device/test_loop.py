# SPDX-License-Identifier: Apache-2.0
"""A device in the loop: its bits are those of the unit, its codes those of the trim."""

import numpy as np
import pytest

from scaledrop.device.card_file import load_card
from scaledrop.device.chain import spin_words
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.loop import SpinLoop, spin_loop
from scaledrop.device.unit import SpinUnit
from scaledrop.errors import UserError

CODES = (9830, 0, 32768)
WORDS = spin_words(5, 3000)


def unit_of(seed, temperature_c, supply):
    card = load_card("hikstor80")
    device = nominal(card) if seed is None else draw(card, 1, seed).one(0)
    conditions = Conditions(temperature_k=temperature_c + 273.15, supply=supply)
    return SpinUnit(device, conditions, drift_seed=seed or 0)


@pytest.mark.parametrize("seed", [None, 4])
@pytest.mark.parametrize(("temperature", "supply"), [(26.85, 1.0), (60.0, 1.01)])
def test_bits_are_those_of_the_unit(seed, temperature, supply):
    loop = spin_loop("hikstor80", CODES, len(WORDS), seed, temperature, supply)
    unit, stream = unit_of(seed, temperature, supply), loop.stream(WORDS)
    counts = [(at % 3, 1 + at % 5) for at in range(1000)]
    drawn = [stream.draw(layer, count) for layer, count in counts]
    codes = [loop.codes[layer] for layer, count in counts for _ in range(count)]
    expected = 1 - unit.bits(codes[: len(WORDS)], WORDS).astype(int)
    assert [bit for bits in drawn for bit in bits] == expected.tolist()
    assert stream.writes == len(WORDS) and stream.draw(0, 3) == ()


def test_a_trimmed_device_gives_what_is_programmed():
    words = spin_words(1, 40_000)
    shares = [
        1 - np.mean(loop.stream(words).draw(0, len(words)))
        for loop in (
            spin_loop("hikstor80", (9830,), len(words), temperature_c=celsius)
            for celsius in (26.85, 85.0)
        )
    ]
    # The drift of the card moves it too.
    assert abs(shares[0] - 0.15) < 0.04 and shares[1] > 0.3


def test_a_layer_without_dropout_is_not_driven():
    loop = spin_loop("hikstor80", CODES, 100)
    assert loop.codes[1] == 0 and loop.codes[0] > 0
    assert loop.codes[0] % 2 ** (16 - loop.dac_bits) == 0
    assert loop.origin == {
        "card": "hikstor80",
        "device_seed": None,
        "temperature_c": 26.85,
        "supply": 1.0,
        "calibrated": False,
    }


def test_the_last_bit_and_the_epoch_choose_the_table():
    """Two DAC codes, two epochs of three writes; thresholds that show which one was taken."""
    tables = np.array([[[0, 10], [0, 20]], [[0, 30], [0, 40]]], dtype=np.uint32)
    loop = SpinLoop((0x8000, 0), tables, 3, {})
    assert loop.dac_bits == 1
    words = np.array([9, 19, 20, 29, 39, 40, 35, 0], dtype=np.uint32)
    stream = loop.stream(words)
    assert stream.draw(0, 7) == (0, 0, 1, 0, 0, 1, 1)
    assert stream.draw(1, 1) == (1,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tables": np.zeros((1, 2, 3), np.uint32)}, r"tables: must be \(epochs, 2, a power of"),
        ({"tables": np.zeros((1, 1, 4), np.uint32)}, r"tables: must be \(epochs, 2, a power of"),
        ({"epoch_writes": 0}, "epoch_writes: must be 1 to"),
        ({"codes": (65536,)}, "codes: must be 0 to 65535, not 65536"),
    ],
)
def test_what_cannot_be(change, message):
    good = {"codes": (1,), "tables": np.zeros((1, 2, 4), np.uint32), "epoch_writes": 1}
    with pytest.raises(UserError, match=message):
        SpinLoop(**good | change, origin={})


def test_conditions_out_of_range_are_refused():
    with pytest.raises(UserError, match="supply: must be"):
        spin_loop("hikstor80", CODES, 10, supply=9.0)
    with pytest.raises(UserError, match="nosuch"):
        spin_loop("nosuch", CODES, 10)
