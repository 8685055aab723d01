# SPDX-License-Identifier: Apache-2.0
"""Maximum likelihood of switching counts, against published counts and against drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
from published import A_P_TO_AP, B_AP_TO_P, B_P_TO_AP, counts_of

from scaledrop.device.empirical import EmpiricalLaw
from scaledrop.device.fit import Candidate, Fit, fit_counts
from scaledrop.device.measurements import Counts
from scaledrop.errors import UserError


def logistic(fit: Fit) -> Candidate:
    return fit.candidates[0]


def threshold_mv(fit: Fit, candidate: Candidate) -> float:
    law = EmpiricalLaw(**{**fit.fixed, **candidate.values})
    return float(law.threshold(fit.counts.pulse_s[0], 300.0)) * 1e3


@pytest.fixture(scope="module")
def fit_a() -> Fit:
    return fit_counts(A_P_TO_AP, {"v_th_log": 0.18})


def test_the_logistic_of_published_counts(fit_a: Fit) -> None:
    """Two-parameter maximum likelihood, known from an independent calculation."""
    plain = logistic(fit_a)
    assert threshold_mv(fit_a, plain) == pytest.approx(897.4, abs=0.05)
    assert plain.values["slope"] == pytest.approx(40.7, abs=0.05)
    assert (plain.chi2, plain.dof) == (pytest.approx(24.9, abs=0.05), 10)
    assert plain.p_value == pytest.approx(0.0055, abs=2e-4)
    fit = fit_counts(B_AP_TO_P)
    plain = logistic(fit)
    assert threshold_mv(fit, plain) == pytest.approx(876.2, abs=0.1)
    assert plain.values["slope"] == pytest.approx(39.3, abs=0.1)
    assert (plain.chi2, plain.dof) == (pytest.approx(43, abs=0.5), 7)


def test_where_two_points_of_the_publication_are_not_at_hand() -> None:
    """Known for 9 points: 900.3 mV, 75.8 /V; the listed 7 lack the certain ends."""
    fit = fit_counts(B_P_TO_AP)
    plain = logistic(fit)
    assert threshold_mv(fit, plain) == pytest.approx(900.3, abs=0.3)
    assert plain.values["slope"] == pytest.approx(75.8, rel=0.02)


def test_the_plain_logistic_is_rejected_and_asymmetry_is_not(fit_a: Fit) -> None:
    assert [one.model for one in fit_a.candidates] == [
        "logistic", "plateau", "asymmetric", "plateau and asymmetry"
    ]  # fmt: skip
    plain, plateau, asymmetric, both = fit_a.candidates
    assert plain.p_value < 0.01 and plain.rejected_by(asymmetric) < 0.05
    assert asymmetric.p_value > 0.05 and asymmetric.rejected_by(both) > 0.05
    assert plateau.values["plateau_high"] == pytest.approx(0.98, abs=0.005)
    assert fit_a.chosen is asymmetric
    assert asymmetric.values["asymmetry"] == pytest.approx(2.65, abs=0.02)


def test_counts_that_no_law_describes_are_said_to_be_so() -> None:
    fit = fit_counts(B_AP_TO_P)
    assert all(one.p_value < 1e-4 for one in fit.candidates)
    low, high = fit.intervals["asymmetry"]
    assert low < 5 and high == pytest.approx(20.0)  # the end of its range: not bounded


def test_the_published_three_points_of_a_current_driven_device() -> None:
    """Nature Communications 2025, s41467-025-66864-9: log odds rise by 2.55 over 13 mV."""
    fit = fit_counts(counts_of(np.array([0.275, 0.282, 0.288]), [25, 48, 81], trials=1000))
    assert logistic(fit).values["slope"] == pytest.approx(2.55 / 0.013, rel=0.03)
    assert [one.model for one in fit.candidates] == ["logistic"]
    assert logistic(fit).values["slope"] * threshold_mv(fit, fit.chosen) / 1e3 == pytest.approx(
        55, rel=0.03
    )


def drawn(law: EmpiricalLaw, seed: int, trials: int = 400) -> Counts:
    grid = np.array(
        [(v, t, k) for t in (0.75, 1.5, 3.0) for k in (280.0, 320.0)
         for v in law.threshold(t * 1e-9, k) + np.linspace(-0.1, 0.1, 9)]
    )  # fmt: skip
    drive, pulse, temperature = grid[:, 0], grid[:, 1] * 1e-9, grid[:, 2]
    p = law.probability(drive, pulse, temperature)
    switched = np.random.default_rng(seed).binomial(trials, p)
    return Counts(drive, pulse, temperature, np.full(len(p), trials), switched)


TRUE = EmpiricalLaw(0.85, 42.0, v_th_log=0.17, v_th_per_k=-5e-4)


@pytest.fixture(scope="module")
def fits() -> list[Fit]:
    return [fit_counts(drawn(TRUE, seed)) for seed in range(8)]


def test_widths_and_temperatures_are_fitted_and_the_intervals_hold(fits: list[Fit]) -> None:
    """Of 32 intervals of 95 %, 25 or fewer hold with probability 1e-4."""
    names = ("v_th_1ns", "slope", "v_th_log", "v_th_per_k")
    held = 0
    for fit in fits:
        assert fit.chosen.p_value > 1e-3
        for name in names:
            low, high = fit.intervals[name]
            assert low < fit.chosen.values[name] < high
            held += low <= getattr(TRUE, name) <= high
    assert held > 25


def test_a_true_logistic_is_mostly_kept(fits: list[Fit]) -> None:
    """Each of three larger laws rejects it once in twenty; 5 of 8 with probability 3e-3."""
    assert sum(fit.chosen.model == "logistic" for fit in fits) >= 4


def test_the_interval_of_the_slope_is_that_of_the_information() -> None:
    """For many writes the profile is a parabola: 1.96 standard deviations from Fisher."""
    law = EmpiricalLaw(0.9, 40.0)
    drive = np.linspace(0.8, 1.0, 21)
    p = law.probability(drive, 1e-9, 300.0)
    fit = fit_counts(counts_of(drive, list(100 * p), trials=100_000, pulse_s=1e-9))
    weight = 100_000 * p * (1 - p)
    x = np.stack([-40.0 * np.ones(21), drive - 0.9])
    deviation = np.sqrt(np.diag(np.linalg.inv((x * weight) @ x.T)))
    for name, sigma in zip(("v_th_1ns", "slope"), deviation, strict=True):
        low, high = fit.intervals[name]
        assert high - low == pytest.approx(2 * 1.96 * sigma, rel=0.01)


def test_a_plateau_is_found() -> None:
    law = EmpiricalLaw(0.9, 80.0, plateau_high=0.72)
    drive = np.linspace(0.82, 1.0, 19)
    fit = fit_counts(counts_of(drive, list(100 * law.probability(drive, 1e-9, 300.0)), 500, 1e-9))
    assert fit.chosen.model == "plateau"
    assert fit.law.plateau_high == pytest.approx(0.72, abs=0.01)
    assert fit.law.slope == pytest.approx(80, rel=0.03)


def test_what_is_given_is_kept() -> None:
    fit = fit_counts(A_P_TO_AP, {"v_th_log": 0.18, "v_th_per_k": -5e-4, "reference_k": 310.0})
    assert (fit.law.v_th_log, fit.law.v_th_per_k, fit.law.reference_k) == (0.18, -5e-4, 310.0)
    assert float(fit.law.threshold(0.75e-9, 300.0)) == pytest.approx(0.8934, abs=2e-4)


def test_no_transition_is_refused() -> None:
    with pytest.raises(UserError, match="there is no transition"):
        fit_counts(counts_of(np.array([0.8, 0.9, 1.0]), [0, 0, 0]))
