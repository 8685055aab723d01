# SPDX-License-Identifier: Apache-2.0
"""Spin-orbit torque of in-plane polarisation: what does not reduce to one dimension.

A charge current along x sends spins polarised along y into the free layer. That axis is not the
symmetry axis of the layer in either geometry, so the energy and the torque share no axis, z alone
is no Markov process, and the Fokker-Planck core does not apply. Both laws here run stochastic
trajectories (:mod:`scaledrop.device.llg`), so P carries a sampling error, and they are slow: a
table or a fitted :class:`EmpiricalLaw` should stand between them and a co-simulation.

- Type y, in plane: the easy axis lies along y, the polarisation; the demagnetising field makes the
  orbit flat. As in the core the torque fights the damping, hence the same regimes (activation below
  a threshold, excess drive as 1 / t above), but the threshold is ``alpha (Hk + Hd / 2)`` and the
  barrier under drive follows neither n = 1 nor n = 2 throughout.
- Type z, perpendicular, with a field along x: the torque pulls the magnetisation towards the plane
  without any help from the damping, ``Hk / 2 - Hx / sqrt 2``. Beyond threshold it lies in the plane
  while the pulse lasts, and falls to either side afterwards: P tends to 1/2, nearly whatever the
  amplitude, and not to 1.

Both thresholds are those of no temperature and a long pulse. The first agrees with the trajectories
(tests). The second is from memory and for a current that rises slowly: unverified; an abrupt pulse
overshoots and switches from some 0.85 of it on at alpha = 0.03 (docs/device.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.constants import Boltzmann, e, hbar

from scaledrop.device.law import FloatArray
from scaledrop.device.llg import Spin, Trajectories, run
from scaledrop.device.macrospin import FreeLayer, WritePath
from scaledrop.device.temperature import TemperatureModel

__all__ = ["AssistedPerpendicularLaw", "InPlaneLaw"]

Real = FloatArray | float


@dataclass(frozen=True)
class _TrajectoryLaw(ABC):
    """A :class:`SwitchingLaw` by trajectories.

    Attributes:
        layer: The free layer; what its anisotropy means, the subclass says.
        path: The write path.
        model: How both follow temperature.
        how: Number of trajectories, time step, waits and seed.
    """

    layer: FreeLayer
    path: WritePath
    model: TemperatureModel = field(default_factory=TemperatureModel)
    how: Trajectories = field(default_factory=Trajectories)

    @abstractmethod
    def spin(self, temperature_k: float) -> Spin:
        """The macrospin at a temperature."""

    @abstractmethod
    def critical_t(self, temperature_k: float) -> float:
        """Damping-like field mu0 H_DL of the threshold, tesla."""

    def moment(self, temperature_k: float) -> float:
        """Ms V, A m2."""
        ms = self.layer.ms(temperature_k, self.model)
        return float(ms * self.layer.area_m2 * self.layer.thickness_m)

    def barrier(self, temperature_k: float) -> float:
        """Delta = Ms mu0Hk V / 2kT, without drive and assist field."""
        hk = float(self.layer.field_t(temperature_k, self.model))
        return float(self.moment(temperature_k) * hk / (2 * Boltzmann * temperature_k))

    def torque_t(self, drive: Real, temperature_k: float) -> FloatArray:
        """mu0 H_DL in tesla at ``drive`` volts: hbar theta J / (2 e Ms tF)."""
        ohm = self.path.resistance_ohm * self.model.channel(temperature_k)
        density = np.asarray(drive) / ohm / self.path.cross_section_m2
        sheet = self.layer.ms(temperature_k, self.model) * self.layer.thickness_m
        return np.asarray(hbar * self.path.efficiency * density / (2 * e * sheet))

    def critical_v(self, temperature_k: float) -> float:
        """Voltage of the threshold."""
        return self.critical_t(temperature_k) / float(self.torque_t(1.0, temperature_k))

    def probability(self, drive: Real, pulse_s: Real, temperature_k: Real) -> FloatArray:
        """Part of the trajectories that a pulse switches; see :class:`SwitchingLaw`.

        All points of one temperature are simulated for the longest of their pulses. The standard
        error is sqrt(P (1 - P) / count), common to the points.

        Raises:
            UserError: a temperature out of the model's range, or more than two million steps.
        """
        arrays = [np.asarray(one, dtype=np.float64) for one in (drive, pulse_s, temperature_k)]
        volts, pulse, kelvin = np.broadcast_arrays(*arrays)
        self.model.check(kelvin)
        out = np.empty(volts.shape)
        for one in np.unique(kelvin):
            here, spin = kelvin == one, self.spin(float(one))
            ends = run(spin, self.torque_t(volts[here], one), pulse[here], float(one), self.how)
            along = (ends * np.reshape(spin.easy, (3, 1, 1))).sum(axis=0)
            out[here] = (along < 0).mean(axis=-1)
        return out

    def repeated(self, seed: int) -> _TrajectoryLaw:
        """The same law with other noise."""
        return replace(self, how=replace(self.how, seed=seed))


@dataclass(frozen=True)
class InPlaneLaw(_TrajectoryLaw):
    """Type y: easy axis along the polarisation, in the plane.

    The layer's anisotropy field is that within the plane, towards y (shape).

    Attributes:
        demagnetising_t: Effective mu0 Hd that holds the magnetisation in the plane at the
            reference temperature, tesla: mu0 Ms less any perpendicular anisotropy.
    """

    demagnetising_t: float = 1.0

    def _hd(self, temperature_k: float) -> float:
        return self.demagnetising_t * float(self.model.magnetisation(temperature_k))

    def spin(self, temperature_k: float) -> Spin:
        """Starts along +y; a positive drive polarises along -y."""
        return Spin(
            moment_am2=self.moment(temperature_k),
            damping=self.layer.damping,
            anisotropy_t=float(self.layer.field_t(temperature_k, self.model)),
            easy=(0.0, 1.0, 0.0),
            polarisation=(0.0, -1.0, 0.0),
            demagnetising_t=self._hd(temperature_k),
        )

    def critical_t(self, temperature_k: float) -> float:
        """``alpha (Hk + Hd / 2)``."""
        hk = float(self.layer.field_t(temperature_k, self.model))
        return self.layer.damping * (hk + self._hd(temperature_k) / 2)


@dataclass(frozen=True)
class AssistedPerpendicularLaw(_TrajectoryLaw):
    """Type z: perpendicular easy axis, polarisation along y, constant field along x.

    Attributes:
        assist_t: mu0 Hx, tesla; a positive drive with a positive field favours reversal.
    """

    assist_t: float = 0.02

    def spin(self, temperature_k: float) -> Spin:
        """Starts along +z."""
        return Spin(
            moment_am2=self.moment(temperature_k),
            damping=self.layer.damping,
            anisotropy_t=float(self.layer.field_t(temperature_k, self.model)),
            easy=(0.0, 0.0, 1.0),
            polarisation=(0.0, -1.0, 0.0),
            applied_t=(self.assist_t, 0.0, 0.0),
        )

    def critical_t(self, temperature_k: float) -> float:
        """``Hk / 2 - Hx / sqrt 2``, from memory: unverified."""
        hk = float(self.layer.field_t(temperature_k, self.model))
        return hk / 2 - abs(self.assist_t) / float(np.sqrt(2))
