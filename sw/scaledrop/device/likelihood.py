# SPDX-License-Identifier: Apache-2.0
"""The likelihood of switching counts under an empirical law with some parameters free.

Slope and asymmetry are free as logarithms: "internal units" below.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import least_squares
from scipy.special import xlogy
from scipy.stats import chi2 as chi2_law

from scaledrop.device.empirical import EmpiricalLaw
from scaledrop.device.law import FloatArray
from scaledrop.device.measurements import Counts

__all__ = ["LOGARITHMIC", "Problem", "profile_end", "starting_points"]

LOGARITHMIC = frozenset({"slope", "asymmetry"})
EDGE = 1e-9
FIRST_STEP = 0.01
"""Of the way to the end of an interval, as a part of the value."""


class Problem:
    """Deviance residuals of the counts under a law with some parameters free."""

    def __init__(self, counts: Counts, names: tuple[str, ...], fixed: Mapping[str, float]) -> None:
        self.counts, self.names, self.fixed = counts, names, dict(fixed)
        span = float(np.ptp(counts.drive_v))
        limits = {
            "slope": (np.log(0.1 / span), np.log(1e4 / span)),
            "asymmetry": (np.log(0.05), np.log(20.0)),
            "plateau_high": (0.5, 1.0),
        }
        self.bounds = [limits.get(name, (-np.inf, np.inf)) for name in names]

    def law(self, x: FloatArray) -> EmpiricalLaw:
        return EmpiricalLaw(**{**self.fixed, **self.values(x)})

    def values(self, x: FloatArray) -> dict[str, float]:
        return {
            name: float(np.exp(one) if name in LOGARITHMIC else one)
            for name, one in zip(self.names, x, strict=True)
        }

    def probability(self, x: FloatArray) -> FloatArray:
        c = self.counts
        p = self.law(x).probability(c.drive_v, c.pulse_s, c.temperature_k)
        return np.clip(p, EDGE, 1 - EDGE)

    def residuals(self, x: FloatArray) -> FloatArray:
        """Signed roots whose squares add up to the deviance: least squares is then the ML fit."""
        c, p = self.counts, self.probability(x)
        k, n = c.switched, c.trials
        half = xlogy(k, k / (n * p)) + xlogy(n - k, (n - k) / (n * (1 - p)))
        return np.asarray(np.sign(k - n * p) * np.sqrt(2 * np.maximum(half, 0.0)))

    def minimise(
        self, starts: list[FloatArray], hold: int | None = None
    ) -> tuple[FloatArray, float]:
        """The best point over ``starts``, with parameter ``hold`` held, and its deviance."""
        free = [i for i in range(len(self.names)) if i != hold]
        low, high = (np.array([self.bounds[i][end] for i in free]) for end in (0, 1))
        best, least = starts[0], np.inf
        for start in starts:
            if not free:
                found, cost = start, float(np.sum(self.residuals(start) ** 2))
            else:
                found, cost = self._descend(start, free, low, high)
            if cost < least:
                best, least = found, cost
        return best, least

    def _descend(
        self, start: FloatArray, free: list[int], low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, float]:
        def residuals(y: FloatArray) -> FloatArray:
            x = start.copy()
            x[free] = y
            return self.residuals(x)

        inside = np.clip(start[free], low + 1e-6, high - 1e-6)
        result = least_squares(
            residuals, inside, bounds=(low, high), x_scale="jac", xtol=1e-11, ftol=1e-11, gtol=1e-11
        )
        found = start.copy()
        found[free] = result.x
        return found, float(2 * result.cost)


def starting_points(problem: Problem) -> list[FloatArray]:
    """From the counts: half height by weights that peak there, three steepnesses and shapes."""
    c = problem.counts
    fraction = (c.switched + 0.5) / (c.trials + 1)
    weight = (fraction * (1 - fraction)) ** 2
    middle = float(np.sum(weight * c.drive_v) / np.sum(weight))
    spread = float(np.sqrt(np.sum(weight * (c.drive_v - middle) ** 2) / np.sum(weight)))
    width = float(np.exp(np.sum(weight * np.log(c.pulse_s / 1e-9)) / np.sum(weight)))
    steep = 2.0 / max(spread, 1e-3 * float(np.ptp(c.drive_v)))
    fall = problem.fixed.get("v_th_log", 0.2 * middle)
    given = {"v_th_1ns": middle + fall * np.log(width), "v_th_log": fall, "v_th_per_k": 0.0}
    starts = []
    for shape in (0.0, -1.2, 1.2) if "asymmetry" in problem.names else (0.0,):
        for factor in (1.0, 3.0):
            values = {**given, "slope": np.log(steep * factor), "asymmetry": shape}
            values["plateau_high"] = min(float(fraction.max()), 0.99)
            starts.append(np.array([values[name] for name in problem.names]))
    return starts


def profile_end(problem: Problem, x: FloatArray, index: int, least: float, way: int) -> float:
    """Where the profile deviance has risen by 3.84 above ``least``, in internal units.

    The limit of the parameter's range where it has not.
    """
    limit = float(problem.bounds[index][(way + 1) // 2])
    rise = float(chi2_law.ppf(0.95, 1))
    point, step = x, FIRST_STEP * max(abs(float(x[index])), 0.1)

    def inside(at: float) -> bool:
        nonlocal point
        held = point.copy()
        held[index] = at
        found, deviance = problem.minimise([held], index)
        if deviance - least >= rise:
            return False
        point = found
        return True

    inner = outer = float(x[index])
    while outer == inner:
        trial = min(max(inner + way * step, problem.bounds[index][0]), problem.bounds[index][1])
        if not inside(trial):
            outer = trial
        elif trial == limit or step > 1e6:
            return limit
        else:
            inner = outer = trial
            step *= 2
    while abs(outer - inner) > 2e-3 * abs(outer - float(x[index])):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if inside(middle) else (inner, middle)
    return (inner + outer) / 2
