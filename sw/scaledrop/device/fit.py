# SPDX-License-Identifier: Apache-2.0
"""Maximum likelihood of switching counts: which law, how certain, and whether it holds at all.

Counts are binomial. Four nested laws are fitted: the logistic, with a plateau, with asymmetry,
with both. The one with the fewest parameters that no larger one rejects (likelihood ratio, 5 %) is
chosen; Pearson's chi2 then says whether even that one describes the counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2 as chi2_law

from scaledrop.device.empirical import EmpiricalLaw
from scaledrop.device.law import FloatArray
from scaledrop.device.likelihood import LOGARITHMIC, Problem, profile_end, starting_points
from scaledrop.device.measurements import Counts

__all__ = ["MODELS", "Candidate", "Fit", "fit_counts"]

MODELS: dict[str, tuple[str, ...]] = {
    "logistic": (),
    "plateau": ("plateau_high",),
    "asymmetric": ("asymmetry",),
    "plateau and asymmetry": ("plateau_high", "asymmetry"),
}
"""The laws that are compared, by the parameters that each adds to the logistic."""

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Candidate:
    """One law, fitted.

    Attributes:
        model: A key of :data:`MODELS`.
        values: Fitted parameters of :class:`EmpiricalLaw`, SI.
        deviance: -2 ln of the likelihood, relative to one that reproduces every count.
        chi2, dof, p_value: Pearson's test of the law; p is NaN without degrees of freedom.
    """

    model: str
    values: dict[str, float]
    deviance: float
    chi2: float
    dof: int
    p_value: float

    def rejected_by(self, larger: Candidate) -> float:
        """p of the likelihood ratio against a law that contains this one."""
        extra = len(larger.values) - len(self.values)
        return float(chi2_law.sf(max(self.deviance - larger.deviance, 0.0), extra))


@dataclass(frozen=True)
class Fit:
    """The chosen law of some counts, and all that were compared with it.

    Attributes:
        counts: What was fitted.
        fixed: Parameters that were given, not fitted.
        chosen: The candidate with the fewest parameters that no larger one rejects.
        candidates: All, the logistic first.
        intervals: 95 % profile-likelihood intervals of the chosen one's parameters, SI; an end at
            the limit of a parameter's range means that the counts do not bound it.
    """

    counts: Counts
    fixed: dict[str, float]
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    intervals: dict[str, tuple[float, float]]

    @property
    def law(self) -> EmpiricalLaw:
        return EmpiricalLaw(**{**self.fixed, **self.chosen.values})


def _fit(problem: Problem, model: str) -> tuple[Candidate, FloatArray]:
    x, deviance = problem.minimise(starting_points(problem))
    c, p = problem.counts, problem.probability(x)
    chi2 = float(np.sum((c.switched - c.trials * p) ** 2 / (c.trials * p * (1 - p))))
    dof = len(c) - len(x)
    p_value = float(chi2_law.sf(chi2, dof)) if dof > 0 else float("nan")
    return Candidate(model, problem.values(x), deviance, chi2, dof, p_value), x


def fit_counts(counts: Counts, fixed: Mapping[str, float] | None = None) -> Fit:
    """The law of ``counts``.

    The threshold and the slope are always fitted, ``v_th_log`` where there are several pulse
    widths, ``v_th_per_k`` where there are several temperatures.

    Args:
        counts: At least 3 points with a transition.
        fixed: Values of :class:`EmpiricalLaw`, SI, for what the counts cannot say.

    Raises:
        UserError: the counts bound no slope; the message says what to measure.
    """
    counts.require_transition()
    base = ["v_th_1ns", "slope"]
    base += ["v_th_log"] * (len(counts.widths) > 1) + ["v_th_per_k"] * (
        len(counts.temperatures) > 1
    )
    fitted = {}
    for model, extra in MODELS.items():
        names = (*base, *extra)
        if extra and len(names) >= len(counts):  # nothing would be left to test it by
            continue
        given = {k: v for k, v in (fixed or {}).items() if k not in {*names, *LOGARITHMIC}}
        given = {k: v for k, v in given.items() if k != "plateau_high"}
        problem = Problem(counts, names, given)
        fitted[model] = (*_fit(problem, model), problem)
    chosen = _choose({model: one for model, (one, _, _) in fitted.items()})
    candidate, x, problem = fitted[chosen]
    intervals = {}
    for index, name in enumerate(problem.names):
        ends = np.array(
            [profile_end(problem, x, index, candidate.deviance, way) for way in (-1, 1)]
        )
        low, high = np.exp(ends) if name in LOGARITHMIC else ends
        intervals[name] = (float(low), float(high))
    candidates = tuple(one for one, _, _ in fitted.values())
    return Fit(counts, problem.fixed, candidate, candidates, intervals)


def _choose(found: dict[str, Candidate]) -> str:
    """The fewest parameters that no larger law rejects; the best of those."""
    acceptable = [
        model
        for model, one in found.items()
        if not any(
            set(MODELS[model]) < set(MODELS[other]) and one.rejected_by(larger) < SIGNIFICANT
            for other, larger in found.items()
        )
    ]
    return min(acceptable, key=lambda m: (len(found[m].values), found[m].deviance))
