# SPDX-License-Identifier: Apache-2.0
"""Macrospin cards: the interpolated law of many devices against the direct solution of each."""

from __future__ import annotations

import numpy as np
import pytest

from scaledrop.device.card_file import load_card
from scaledrop.device.devices import draw, nominal
from scaledrop.device.law import SwitchingLaw
from scaledrop.device.macrospin_card import device_law, macrospin_law
from scaledrop.device.wafer import long_run, trim
from scaledrop.device.writing import law_of


def test_the_published_and_the_assumed_barriers() -> None:
    low = device_law(nominal(load_card("lowbarrier40")))
    assert low.barrier(300.0) == pytest.approx(12, abs=0.1)
    she = device_law(nominal(load_card("she100")))
    assert 60 < she.barrier(300.0) < 100
    assert isinstance(law_of(nominal(load_card("she100"))), SwitchingLaw)


@pytest.mark.parametrize("name", ["lowbarrier40", "she100"])
def test_the_nominal_device(name: str) -> None:
    one = nominal(load_card(name))
    drives = np.linspace(0, 3.5, 90)[None, :] * device_law(one).critical_v(300.0)
    pulse = one.card.si("pulse")
    found = macrospin_law(one).probability(drives, pulse, 300.0)
    direct = device_law(one).probability(drives, pulse, 300.0)
    assert found.shape == (1, 90) and direct.min() < 0.001 and direct.max() > 0.999
    assert found == pytest.approx(direct, abs=1e-3)


def test_every_device_of_a_wafer() -> None:
    wafer = draw(load_card("lowbarrier40"), 12, 3)
    drives = np.linspace(0.005, 0.06, 24)[None, :]
    found = macrospin_law(wafer).probability(drives, 5e-9, 310.0)
    for index in range(0, 12, 3):
        direct = device_law(wafer, index).probability(drives, 5e-9, 310.0)
        assert found[index] == pytest.approx(direct[0], abs=1e-3)
    assert np.ptp(found, axis=0).max() > 0.1


def test_it_can_be_trimmed() -> None:
    one = nominal(load_card("lowbarrier40"))
    assert long_run(one, trim(one, 0.3)) == pytest.approx(0.3, abs=0.01)
