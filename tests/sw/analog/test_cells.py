# SPDX-License-Identifier: Apache-2.0
"""Cells: the ideal pair, the statistics of the spread, nested defects."""

import numpy as np
import pytest

from scaledrop.analog.cells import CellModel, Spread
from scaledrop.errors import UserError

WEIGHTS = np.random.default_rng(1).integers(0, 2, (200, 100))


def pairs(seed=2, **values):
    return CellModel(**values).conductances(WEIGHTS, np.random.default_rng(seed))


def test_an_ideal_pair_differs_by_one_unit():
    model = CellModel(parallel_ohm=1e6, tmr=1.0)
    found = pairs(tmr=1.0)
    assert (model.high_s, model.low_s, model.unit_s) == (1e-6, 5e-7, 5e-7)
    np.testing.assert_array_equal((found[..., 0] - found[..., 1]) / model.unit_s, 2 * WEIGHTS - 1)
    assert (found[WEIGHTS == 1] == [1e-6, 5e-7]).all()


@pytest.mark.parametrize("law", Spread)
@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_mean_and_spread_are_those_asked_for(law, spread):
    ratio = (pairs(spread=spread, law=law) / pairs()).ravel()
    # Five standard errors of 40,000 draws; the lognormal's of its deviation are wider.
    assert abs(ratio.mean() - 1) < 5 * spread / 200
    assert abs(ratio.std() / spread - 1) < 5 * 2 / 200
    assert ratio.min() >= 0
    assert ((ratio - 1) ** 3).mean() / spread**3 == pytest.approx(
        3 * spread + spread**3 if law is Spread.LOGNORMAL else 0.0, abs=0.15
    )


def test_defects_have_their_rates_and_stay_when_more_come():
    model = CellModel()
    few, more = pairs(stuck_low=0.01, stuck_high=0.02), pairs(stuck_low=0.03, stuck_high=0.05)
    for found, low, high in ((few, 0.01, 0.02), (more, 0.03, 0.05)):
        changed = found != pairs()
        fell, rose = changed & (found == model.low_s), changed & (found == model.high_s)
        for share, rate in ((fell.mean(), low / 2), (rose.mean(), high / 2)):
            assert abs(share - rate) < 5 * np.sqrt(rate / changed.size)
    assert (((few != pairs()) & (more == pairs())) == 0).all(), "a defect healed"
    assert (pairs(stuck_low=1.0) == model.low_s).all()
    assert (pairs(stuck_high=1.0) == model.high_s).all()


def test_more_spread_stretches_the_same_draw():
    small, large = (np.log(pairs(spread=spread) / pairs()) for spread in (0.1, 0.2))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] == pytest.approx(1.0)
    assert (pairs(seed=3, spread=0.1) != pairs(spread=0.1)).mean() > 0.99


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"parallel_ohm": 0.0}, "parallel_ohm: must be a number above 0, not 0.0"),
        ({"tmr": float("nan")}, "tmr: must be a number above 0, not nan"),
        ({"spread": -0.1}, "spread: must be 0 to 1, not -0.1"),
        ({"stuck_low": 1.1}, "stuck_low: must be 0 to 1, not 1.1"),
        (
            {"stuck_low": 0.6, "stuck_high": 0.6},
            "stuck_low, stuck_high: together at most 1; lower one",
        ),
        ({"law": "uniform"}, "law: must be lognormal or normal, not 'uniform'"),
    ],
)
def test_impossible_cells_are_refused(values, message):
    with pytest.raises(UserError) as error:
        CellModel(**values)
    assert str(error.value) == message
