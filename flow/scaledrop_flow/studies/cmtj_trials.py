# SPDX-License-Identifier: Apache-2.0
"""Count switched macrospins with cmtj; runs under a Python of its own that has cmtj, by its path.

Reads points as JSON from standard input, one dictionary a line; writes one line for each: the
number that switched and the version of cmtj, which is under the GPL: it runs beside this package
and is no part of it.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

__all__ = ["switched"]


def switched(point: dict[str, Any]) -> int:
    """How many of ``trials`` independent layers end at z < 0."""
    import cmtj  # type: ignore[import-not-found]

    constants = cmtj.constants.PhysicalConstants
    constants.set_gyromagnetic_ratio(point["gyro_m_as"])
    constants.set_magnetic_permeability(point["mu_0"])
    up, zero = cmtj.CVector(0, 0, 1), cmtj.CVector(0, 0, 0)
    layers = [
        cmtj.Layer.createSOTLayer(
            id=str(one),
            mag=cmtj.CVector(0.01, 0, 1),
            anis=up,
            Ms=point["ms_t"],
            thickness=point["thickness_m"],
            cellSurface=point["area_m2"],
            demagTensor=[zero, zero, zero],
            damping=point["damping"],
            fieldLikeTorque=0.0,
            dampingLikeTorque=1.0,
        )
        for one in range(point["trials"])
    ]
    junction = cmtj.Junction(layers)
    junction.setLayerReferenceLayer("all", cmtj.CVector(0, 0, -1))
    junction.setLayerTemperatureDriver("all", cmtj.constantDriver(point["temperature_k"]))
    junction.setLayerAnisotropyDriver("all", cmtj.constantDriver(point["k_j_m3"]))
    start, stop = point["settle_s"], point["settle_s"] + point["pulse_s"]
    pulse = cmtj.stepDriver(0.0, point["torque_a_m"], start, stop)
    junction.setLayerCurrentDriver("all", pulse)
    for one in range(point["trials"]):
        junction.setLayerSeed(str(one), point["seed"] + one)
    end = stop + point["relax_s"]
    junction.runSimulation(end, point["step_s"], end, solverMode=cmtj.Heun)
    return sum(junction.getLayerMagnetisation(str(one)).z < 0 for one in range(point["trials"]))


if __name__ == "__main__":
    for line in sys.stdin:
        print(switched(json.loads(line)), version("cmtj"), flush=True)
