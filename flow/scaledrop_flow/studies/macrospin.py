# SPDX-License-Identifier: Apache-2.0
"""The macrospin law against stochastic trajectories of cmtj, an independent simulator.

Temperature, drive and width vary together; the widths are those where the law says 0.2, 0.5 and
0.8. cmtj gets fields and energies in SI units, worked out here from the material and not from the
law's reduced quantities, and integrates the three-dimensional stochastic LLG equation.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.constants import e, hbar, mu_0
from scipy.optimize import brentq
from scipy.stats import binomtest

from scaledrop.device.macrospin import GYROMAGNETIC, FreeLayer, MacrospinLaw, WritePath
from scaledrop.errors import UserError
from scaledrop_flow.studies import cmtj_trials

__all__ = ["PYTHON", "macrospin_study", "points"]

PYTHON = "SCALEDROP_CMTJ"
"""Environment variable with the path of a Python that has cmtj."""
TRIALS, SEED = 2000, 1
SETTLE, RELAX = 6.0, 4.0
"""Time before and after the pulse in units of tau_D; the law relaxes as long."""
STEP_S = 5e-13
TARGETS = (0.2, 0.5, 0.8)
LAYERS = {
    "fast": FreeLayer(1e6, 1.3e-9, 2.55e-16, 0.1, anisotropy_t=0.5),
    "steady": FreeLayer(1.2e6, 1.1e-9, 5e-16, 0.03, anisotropy_t=0.5),
}
GRID = [
    *product(["fast"], [0.8, 0.95, 1.1, 1.3, 1.6, 2.0, 3.0, 5.0], [250.0, 350.0], TARGETS),
    *product(["steady"], [1.2, 2.0, 4.0], [300.0], TARGETS),
]
PATH = WritePath(resistance_ohm=800.0, cross_section_m2=1.8e-16, efficiency=0.3)


def _law(name: str, temperature_k: float) -> MacrospinLaw:
    layer = LAYERS[name]
    plain = MacrospinLaw(layer, PATH)
    return MacrospinLaw(layer, PATH, relax_s=RELAX * float(plain.relaxation_s(temperature_k)))


def _width(law: MacrospinLaw, volts: float, temperature_k: float, target: float) -> float:
    """Width in seconds at which the law says ``target``."""
    tau = float(law.relaxation_s(temperature_k))

    def excess(log: float) -> float:
        return float(law.probability(volts, tau * np.exp(log), temperature_k)) - target

    return tau * float(np.exp(brentq(excess, np.log(0.05), np.log(500.0), xtol=1e-3)))


def points() -> Iterator[dict[str, Any]]:
    """What cmtj is to simulate, with the law's ``probability`` of each."""
    for number, (name, i, temperature, target) in enumerate(GRID):
        law, layer = _law(name, temperature), LAYERS[name]
        volts, tau = i * float(law.critical_v(temperature)), float(law.relaxation_s(temperature))
        pulse = _width(law, volts, temperature, target)
        ms = float(layer.ms(temperature, law.model))
        density = volts / PATH.resistance_ohm / PATH.cross_section_m2
        yield {
            "layer": name,
            "drive": i,
            "volts": volts,
            "pulse_s": pulse,
            "temperature_k": temperature,
            "delta": float(law.barrier(temperature)),
            "pulse_tau": pulse / tau,
            "probability": float(law.probability(volts, pulse, temperature)),
            "trials": TRIALS,
            "seed": SEED + number * TRIALS,
            "ms_t": mu_0 * ms,
            "k_j_m3": ms * float(layer.field_t(temperature, law.model)) / 2,
            "thickness_m": layer.thickness_m,
            "area_m2": layer.area_m2,
            "damping": layer.damping,
            "torque_a_m": hbar
            * PATH.efficiency
            * density
            / (2 * e * mu_0 * ms * layer.thickness_m),
            "settle_s": SETTLE * tau,
            "relax_s": RELAX * tau,
            "step_s": STEP_S,
            "gyro_m_as": GYROMAGNETIC * mu_0,
            "mu_0": mu_0,
        }


KEPT = ("layer", "drive", "volts", "pulse_s", "temperature_k", "delta", "pulse_tau", "probability")


def macrospin_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each point: counts of cmtj, z-score under the law, two-sided exact p-value."""
    python = os.environ.get(PYTHON, "")
    if not python:
        raise UserError(f"{PYTHON}: not set; give the path of a Python that has cmtj")
    for number, point in enumerate(points()):
        progress(f"point {number + 1} of {len(GRID)}")
        (count, version), p = _count(python, point), point["probability"]
        yield {
            **{name: point[name] for name in KEPT},
            "trials": TRIALS,
            "switched": count,
            "z": (count / TRIALS - p) / float(np.sqrt(p * (1 - p) / TRIALS)),
            "p_value": float(binomtest(count, TRIALS, p).pvalue),
            "seed": point["seed"],
            "cmtj": version,
        }


def _count(python: str, point: dict[str, Any]) -> tuple[int, str]:
    command = [python, str(Path(cmtj_trials.__file__))]
    try:
        done = subprocess.run(
            command, input=json.dumps(point) + "\n", capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UserError(f"{PYTHON}: {python} does not run ({error.strerror})") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{PYTHON}: {python} failed: {last}; pip install cmtj there")
    count, version = done.stdout.split()
    return int(count), version
