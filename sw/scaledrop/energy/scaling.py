# SPDX-License-Identifier: Apache-2.0
"""From one technology node to another: what is known, and where it ends.

Logic: Stillmaker and Baas, "Scaling equations for the accurate prediction of CMOS device
performance from 180 nm to 7 nm", Integration 58 (2017), with the coefficients that hwcomponents
codes (``techscaling.py``): the energy of a gate is ``a V^2 + b V + c`` relative to one reference.
Converters: the slope of the survey regression of Andrulis et al., arXiv 2404.06553.
"""

from __future__ import annotations

import math
from itertools import pairwise

from scaledrop.errors import UserError

__all__ = [
    "NODES_NM",
    "SUPPLIES_V",
    "converter_energy_factor",
    "logic_area_factor",
    "logic_energy_factor",
]

ENERGY = {
    130.0: (7.171, -6.709, 2.904),
    90.0: (4.762, -4.781, 2.092),
    65.0: (3.755, -4.398, 1.975),
    45.0: (1.103, -0.362, 0.2767),
    32.0: (0.9559, -0.7823, 0.471),
    20.0: (0.373, -0.1582, 0.04104),
    16.0: (0.2958, -0.1241, 0.03024),
    14.0: (0.2363, -0.09675, 0.02239),
    10.0: (0.2068, -0.09311, 0.02375),
    7.0: (0.1776, -0.09097, 0.02447),
}
"""Node in nm to a, b, c."""
AREA = {45.0: 1.0, 32.0: 0.46, 20.0: 0.21, 16.0: 0.19}
"""Node in nm to area relative to 45 nm; other nodes are not at hand."""
CONVERTER_SLOPE = 1.88
NODES_NM = (min(ENERGY), max(ENERGY))
SUPPLIES_V = (0.4, 1.8)


def _between(node_nm: float, known: dict[float, float]) -> float:
    """Linear between the two nodes around it."""
    if node_nm in known:
        return known[node_nm]
    for high, low in pairwise(sorted(known, reverse=True)):
        if low < node_nm < high:
            part = (node_nm - low) / (high - low)
            return known[low] + part * (known[high] - known[low])
    raise AssertionError(node_nm)


def _check(name: str, value: float, limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    if not (math.isfinite(value) and low <= value <= high):
        raise UserError(
            f"{name}: {value:g} {unit} is outside of the scaling table, "
            f"{low:g} to {high:g} {unit}; "
            "stay inside, or write a table for it"
        )


def logic_energy_factor(node_nm: float, supply_v: float) -> float:
    """Energy of a logic gate relative to the reference of the scaling equations.

    Ratios of two factors scale an energy: 45 to 28 nm at 0.9 V is x0.507.

    Args:
        node_nm: 7 to 130.
        supply_v: 0.4 to 1.8.

    Raises:
        UserError: a node or supply outside of the table.
    """
    _check("node_nm", node_nm, NODES_NM, "nm")
    _check("supply_v", supply_v, SUPPLIES_V, "V")
    at = {node: a * supply_v**2 + b * supply_v + c for node, (a, b, c) in ENERGY.items()}
    return _between(node_nm, at)


def logic_area_factor(node_nm: float) -> float:
    """Area of logic relative to 45 nm.

    Args:
        node_nm: 16 to 45: larger and smaller nodes were not at hand.

    Raises:
        UserError: a node outside of the table.
    """
    _check("node_nm", node_nm, (min(AREA), max(AREA)), "nm")
    return _between(node_nm, AREA)


def converter_energy_factor(node_nm: float) -> float:
    """Energy of a converter relative to 1 nm: it falls with the power 1.88 of the node.

    Raises:
        UserError: a node outside of 7 to 130 nm.
    """
    _check("node_nm", node_nm, NODES_NM, "nm")
    return float(node_nm**CONVERTER_SLOPE)
