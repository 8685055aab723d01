# SPDX-License-Identifier: Apache-2.0
"""Known answers of the tests of difference, and the scores that are resampled against metrics."""

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import permutation_test, ttest_1samp

from scaledrop import metrics
from scaledrop.errors import UserError
from scaledrop_flow.comparison.scores import SCORED
from scaledrop_flow.comparison.significance import (
    Difference,
    Drawn,
    Paired,
    Standing,
    differ,
    interval,
    over_seeds,
    resampled,
    resamples,
)

MEAN = SCORED["accuracy"].of


def test_three_seeds_by_hand():
    found = over_seeds([0.01, 0.02, 0.03])
    assert found.mean == pytest.approx(0.02) and found.spread == pytest.approx(0.01)
    assert found.half == pytest.approx(4.302653 * 0.01 / 3**0.5, rel=1e-6)
    assert (found.p_sign, found.same_sign) == (0.25, True)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_against_scipy(n):
    values = np.random.default_rng(n).normal(0.5, 1, n)
    found = over_seeds(values.tolist())
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    exact = permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert found.p_sign == pytest.approx(exact)


def test_one_seed_says_nothing_and_none_is_refused():
    assert over_seeds([0.3]).half == float("inf") and over_seeds([0.3]).p_sign == 1.0
    with pytest.raises(UserError, match=r"^differences: is empty; two methods need a seed"):
        over_seeds([])


@pytest.mark.parametrize(
    ("mean", "half", "low", "high", "larger", "standing"),
    [
        (0.02, 0.01, 0.005, 0.03, True, Standing.BETTER),
        (0.02, 0.01, 0.005, 0.03, False, Standing.WORSE),
        (-0.02, 0.01, -0.03, -0.005, True, Standing.WORSE),
        (-0.02, 0.01, -0.03, -0.005, False, Standing.BETTER),
        (0.02, 0.03, 0.005, 0.03, True, Standing.NONE),  # seeds scatter more
        (0.02, 0.01, -0.001, 0.03, True, Standing.NONE),  # images scatter more
        (0.0, 0.0, 0.0, 0.0, True, Standing.NONE),
    ],
)
def test_better_needs_both_intervals(mean, half, low, high, larger, standing):
    seeds = Paired(mean, 0.0, half, 0.25, True)
    assert Difference(seeds, low, high, larger).standing is standing


def test_the_bootstrap_is_that_of_scipy_and_comes_again():
    rng = np.random.default_rng(1)
    first, second = (rng.random(300) < share for share in (0.9, 0.8))
    arrays = [[{"right": one.astype(float)}] for one in (first, second)]
    draws = [{"right": rows} for rows in resamples(300, 5, 4000)]
    low, high = interval(*(resampled(one, MEAN, draws) for one in arrays))
    other = scipy_bootstrap(
        (first.astype(float), second.astype(float)),
        lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=4000,
        rng=2,
    ).confidence_interval
    assert (low, high) == pytest.approx((other.low, other.high), abs=0.006)
    assert interval(*(resampled(one, MEAN, draws) for one in arrays)) == (low, high)
    assert (resamples(300, 5, 10) == resamples(300, 5, 10)).all()


def test_equal_methods_do_not_differ_and_unequal_ones_do():
    rng = np.random.default_rng(3)
    base = [{"right": (rng.random(400) < 0.8).astype(float)} for _ in range(3)]
    better = [{"right": np.maximum(one["right"], rng.random(400) < 0.5)} for one in base]
    draws = [{"right": rows} for rows in resamples(400, 0, 500)]
    one, two = (Drawn.of(arrays, MEAN, draws) for arrays in (base, better))
    assert differ(one, one, True).standing is Standing.NONE
    assert differ(two, one, True).standing is Standing.BETTER
    assert differ(one, two, True).standing is Standing.WORSE


def test_the_scores_by_image_are_the_metrics():
    rng = np.random.default_rng(7)
    p = rng.dirichlet(np.ones(4), 500)
    p[:50] = p[0]  # equal entropies
    p[60] = [0, 1, 0, 0]
    p[61:80] = [0.4, 0.2, 0.2, 0.2]  # an edge of the bins
    labels = rng.integers(0, 4, 500)
    labels[61:80] = 0
    entropy, foreign = -(p * np.log(p + 1e-300)).sum(axis=1), rng.random(200)
    foreign[:20] = entropy[0]
    truth = p[np.arange(500), labels]
    arrays = {
        "truth": truth,
        "brier": np.square(p).sum(axis=1) - 2 * truth + 1,
        "confidence": p.max(axis=1),
        "right": (p.argmax(axis=1) == labels).astype(float),
        "entropy": entropy,
        "foreign_1": foreign,
        "foreign_2": 1 - foreign,
    }
    keep = truth > 0
    expected = {
        "accuracy": metrics.accuracy(p, labels),
        "brier": metrics.brier(p, labels),
        "ece": metrics.expected_calibration_error(p, labels),
        "auroc_1": metrics.auroc(entropy, foreign),
        "auroc_2": metrics.auroc(entropy, 1 - foreign),
        "aurc": metrics.risk_coverage(entropy, arrays["right"] == 0).aurc,
    }
    for name, value in expected.items():
        assert SCORED[name].of(arrays) == pytest.approx(value, abs=1e-6), name
    some = {"truth": truth[keep]}
    expected_nll = metrics.negative_log_likelihood(p[keep], labels[keep])
    assert SCORED["nll"].of(some) == pytest.approx(expected_nll, abs=1e-9)
