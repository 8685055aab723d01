# SPDX-License-Identifier: Apache-2.0
"""Units of the cards: what each is worth in SI."""

from __future__ import annotations

from math import isnan

import pytest

from scaledrop.device.quantities import CYCLE, NO_SPREAD, QUANTITIES
from scaledrop.device.units import Dimension, to_si
from scaledrop.errors import UserError

KNOWN = [
    (894.0, "mV", Dimension.VOLTAGE, 0.894),
    (0.75, "ns", Dimension.TIME, 0.75e-9),
    (10.89, "kOhm", Dimension.RESISTANCE, 10890.0),
    (40.7, "1/V", Dimension.PER_VOLT, 40.7),
    (0.04, "1/mV", Dimension.PER_VOLT, 40.0),
    (120.0, "%", Dimension.RATIO, 1.2),
    (-0.52, "mV/K", Dimension.VOLT_PER_KELVIN, -5.2e-4),
    (1.0056, "mJ/m2", Dimension.SURFACE_ENERGY, 1.0056e-3),
    (1.2, "MA/m", Dimension.MAGNETISATION, 1.2e6),
    (56.5, "mT", Dimension.INDUCTION, 0.0565),
    (48.0, "fJ", Dimension.ENERGY, 48e-15),
    (40.0, "nm", Dimension.LENGTH, 40e-9),
    (300.0, "ppm/K", Dimension.PER_KELVIN, 3e-4),
    (1.0, "year", Dimension.TIME, 365.25 * 86400),
]


@pytest.mark.parametrize(("value", "unit", "dimension", "si"), KNOWN)
def test_known_units(value: float, unit: str, dimension: Dimension, si: float) -> None:
    assert to_si(value, unit, dimension, "x") == pytest.approx(si, rel=1e-12, abs=0)


def test_a_unit_of_something_else_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        to_si(1.0, "mV", Dimension.VOLT_PER_KELVIN, "v_th_per_k")
    assert str(caught.value) == (
        "v_th_per_k: unit 'mV' is no unit of volt per kelvin; give the value in V/K or mV/K or uV/K"
    )


def test_every_quantity_is_in_range_where_it_is_neutral() -> None:
    assert set(QUANTITIES) >= CYCLE | NO_SPREAD
    for name, one in QUANTITIES.items():
        assert one.text and one.low < one.high, name
        neutral = one.neutral
        assert neutral is None or isnan(neutral) or one.low <= neutral <= one.high, name
