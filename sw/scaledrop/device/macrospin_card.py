# SPDX-License-Identifier: Apache-2.0
"""The macrospin law of a card's devices, fast enough for a wafer.

P depends on three numbers only, i = V / V_c0, Delta and t / tau_D. Where many drives or devices
are asked for, it is solved once on a grid that covers them and interpolated: in i by monotone
cubics between nodes that are laid until P changes by less than 0.02 from one to the next; in
ln Delta and ln(t / tau_D) by polynomials of degree 4 through Chebyshev nodes, of logit P. The
result agrees with the direct solution to 1e-3, as the test shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import expit, logit

from scaledrop.device.devices import Devices
from scaledrop.device.fokker_planck import switching_probability
from scaledrop.device.law import FloatArray
from scaledrop.device.macrospin import FreeLayer, MacrospinLaw, WritePath
from scaledrop.device.temperature import TemperatureModel

__all__ = ["CardMacrospin", "device_law", "macrospin_law"]

NODES, FIRST, FINEST, STEP = 5, 33, 7, 0.02
LOW_I = -2.0
CERTAIN = 1e-9


def device_law(devices: Devices, index: int = 0) -> MacrospinLaw:
    """The law of one device, solved directly, from its parameters in the card."""

    def value(name: str) -> float:
        found = np.ravel(devices[name])
        return float(found[index] if found.size > 1 else found[0])

    anisotropy = value("mu0_hk")
    by_field = not np.isnan(anisotropy)
    layer = FreeLayer(
        value("ms"),
        value("t_f"),
        np.pi / 4 * value("diameter") ** 2,
        value("alpha"),
        anisotropy_t=anisotropy if by_field else None,
        interface_j_m2=None if by_field else value("k_i"),
        demagnetisation=value("demagnetisation"),
    )
    section = value("channel_width") * value("channel_thickness")
    path = WritePath(value("write_resistance"), section, value("theta_sh"))
    model = TemperatureModel(
        reference_k=value("reference_temperature"),
        curie_k=value("curie"),
        channel_per_k=value("write_tcr"),
    )
    return MacrospinLaw(layer, path, model)


def _chebyshev(low: float, high: float) -> FloatArray:
    """Nodes over [low, high]; a single one where both are the same."""
    if high - low < 1e-9:
        return np.array([low])
    angles = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    return np.asarray((low + high) / 2 - (high - low) / 2 * np.cos(angles))


def _weights(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """(len(x), nodes): Lagrange's polynomials at ``x``."""
    parts = [
        np.prod([(x - other) / (node - other) for other in nodes if other != node], axis=0)
        * np.ones_like(x)
        for node in nodes
    ]
    return np.stack(parts, axis=-1)


@lru_cache(maxsize=32)
def _curves(
    deltas: tuple[float, float], times: tuple[float, float], top: float
) -> tuple[FloatArray, FloatArray, PchipInterpolator]:
    """Nodes of ln Delta and of ln(t / tau_D), and logit P over i for each pair of them."""
    a, b = _chebyshev(*deltas), _chebyshev(*times)
    first, second = (np.exp(one).ravel() for one in np.meshgrid(a, b, indexing="ij"))

    def solve(i: FloatArray) -> FloatArray:
        return switching_probability(i[:, None], first, second)

    i = np.linspace(LOW_I, top, FIRST)
    p = solve(i)
    for _ in range(FINEST):
        wide = np.flatnonzero(np.abs(np.diff(p, axis=0)).max(axis=1) > STEP)
        if not wide.size:
            break
        middle = (i[wide] + i[wide + 1]) / 2
        i, p = np.concatenate([i, middle]), np.concatenate([p, solve(middle)])
        order = np.argsort(i)
        i, p = i[order], p[order]
    return a, b, PchipInterpolator(i, logit(np.clip(p, CERTAIN, 1 - CERTAIN)))


@dataclass(frozen=True)
class CardMacrospin:
    """The macrospin law of N devices, interpolated; a :class:`SwitchingLaw`.

    Attributes:
        laws: One for each device.
        top_v: Largest drive in volts that the grid covers; beyond it P is that at the end.
    """

    laws: tuple[MacrospinLaw, ...]
    top_v: float

    def probability(
        self,
        drive: FloatArray | float,
        pulse_s: FloatArray | float,
        temperature_k: FloatArray | float,
    ) -> FloatArray:
        """P (N, K) of drives (N or 1, K), for one pulse width and one temperature."""
        pulse, t = float(np.asarray(pulse_s).item()), float(np.asarray(temperature_k).item())
        critical, delta, tau = (
            np.array([float(getattr(law, name)(t)) for law in self.laws])
            for name in ("critical_v", "barrier", "relaxation_s")
        )
        x, y = np.log(delta), np.log(pulse / tau)
        top = max(2.0, float(np.ceil(self.top_v / critical.min())))
        a, b, curves = _curves((x.min(), x.max()), (y.min(), y.max()), top)
        i = np.clip(np.asarray(drive) / critical[:, None], LOW_I, top)
        weights = np.einsum("na,nb->nab", _weights(a, x), _weights(b, y)).reshape(len(x), -1)
        return np.asarray(expit(np.einsum("nkc,nc->nk", curves(i), weights)))


def macrospin_law(devices: Devices) -> CardMacrospin:
    """The law of the devices of a card with ``law: macrospin``.

    Raises:
        UserError: a device's layer is not perpendicular.
    """
    laws = tuple(device_law(devices, index) for index in range(len(devices)))
    return CardMacrospin(laws, 1.5 * devices.card.si("dac_full_scale"))
