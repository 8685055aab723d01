# SPDX-License-Identifier: Apache-2.0
"""Switching law of a perpendicular macrospin from material and geometry.

The free layer is one spin whose anisotropy axis, demagnetising axis and spin polarisation are one:
spin transfer through the junction, or a spin-orbit torque of out-of-plane polarisation. Then

    Eb = Ms mu0Hk V / 2,  tau_D = (1 + alpha**2) / (alpha gamma mu0Hk),
    Jc0 = 2 e alpha Ms mu0Hk tF / (hbar theta)   [the damping-like field H_DL equals alpha Hk],

and P is that of :mod:`scaledrop.device.fokker_planck` at i = I / Ic0, Delta = Eb / kT, t / tau_D.
The usual spin-orbit torque of in-plane polarisation has no such reduction: see
:mod:`scaledrop.device.variants`. Layers much wider than some 50 nm reverse by a domain wall, not as
one spin; there Eb and Ic0 are fit parameters, and a measured law serves better.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.constants import Boltzmann, e, hbar, mu_0, physical_constants

from scaledrop.device.fokker_planck import MAX_DRIVE, Resolution, switching_probability
from scaledrop.device.law import FloatArray
from scaledrop.device.temperature import SelfHeating, TemperatureModel
from scaledrop.errors import UserError

__all__ = ["GYROMAGNETIC", "FreeLayer", "MacrospinLaw", "WritePath"]

Real = FloatArray | float
GYROMAGNETIC: float = physical_constants["electron gyromag. ratio"][0]
"""rad / (s T)."""


def _positive(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if value is not None and not value > 0:
            raise UserError(f"{name}: must be above 0, not {value:g}")


@dataclass(frozen=True)
class FreeLayer:
    """Material and geometry at the temperature model's reference.

    Attributes:
        ms_a_m: Saturation magnetisation, A/m.
        thickness_m: tF, metres.
        area_m2: Area of the junction, square metres.
        damping: Gilbert alpha.
        anisotropy_t: mu0 Hk, tesla, demagnetisation already taken off; or instead
        interface_j_m2: Ki, J/m2, from which mu0 Hk = 2 Ki / (Ms tF) - N mu0 Ms.
        demagnetisation: N of the second form: Nz - Nx, 1 for a thin film.
    """

    ms_a_m: float
    thickness_m: float
    area_m2: float
    damping: float
    anisotropy_t: float | None = None
    interface_j_m2: float | None = None
    demagnetisation: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "ms_a_m", "thickness_m", "area_m2", "damping")
        _positive(self, "anisotropy_t", "interface_j_m2")
        if (self.anisotropy_t is None) == (self.interface_j_m2 is None):
            raise UserError("anisotropy_t, interface_j_m2: give one of them, not both or none")

    def ms(self, temperature_k: Real, model: TemperatureModel) -> FloatArray:
        """Ms(T), A/m."""
        return np.asarray(self.ms_a_m * model.magnetisation(temperature_k))

    def field_t(self, temperature_k: Real, model: TemperatureModel) -> FloatArray:
        """mu0 Hk(T), tesla.

        Raises:
            UserError: it is not above 0: the layer is not perpendicular at that temperature.
        """
        if self.anisotropy_t is not None:
            return np.asarray(self.anisotropy_t * model.anisotropy_field(temperature_k))
        assert self.interface_j_m2 is not None
        ms = self.ms(temperature_k, model)
        ki = self.interface_j_m2 * model.interface_anisotropy(temperature_k)
        found = 2 * ki / (ms * self.thickness_m) - self.demagnetisation * mu_0 * ms
        if np.any(found <= 0):
            raise UserError(
                f"interface_j_m2: {self.interface_j_m2:g} leaves mu0 Hk = {np.min(found):.3g} T; "
                "a perpendicular layer needs more, or a thinner film"
            )
        return np.asarray(found)


@dataclass(frozen=True)
class WritePath:
    """What turns volts into a torque.

    Attributes:
        resistance_ohm: Between the write terminals, all in series.
        cross_section_m2: That the current flows through: width times thickness of the heavy metal,
            or the junction's area for spin transfer.
        efficiency: theta_SH of the channel, or the spin-transfer efficiency.
    """

    resistance_ohm: float
    cross_section_m2: float
    efficiency: float

    def __post_init__(self) -> None:
        _positive(self, "resistance_ohm", "cross_section_m2", "efficiency")


@dataclass(frozen=True)
class MacrospinLaw:
    """P(V, t, T) of one write pulse, in every regime; a :class:`SwitchingLaw`.

    Attributes:
        layer: The free layer.
        path: The write path.
        model: How both follow temperature.
        heating: The pulse warms the layer for its own duration; None is no self-heating.
        bias_t: Stray or applied field along the axis, tesla; positive holds the initial state.
        relax_s: Time without drive before the state counts; None is 10 tau_D.
        resolution: How finely to solve.
    """

    layer: FreeLayer
    path: WritePath
    model: TemperatureModel = field(default_factory=TemperatureModel)
    heating: SelfHeating | None = None
    bias_t: float = 0.0
    relax_s: float | None = None
    resolution: Resolution = field(default_factory=Resolution)

    def barrier(self, temperature_k: Real) -> FloatArray:
        """Delta(T) = Eb(T) / kT."""
        t = self.model.check(temperature_k)
        energy = self.layer.ms(t, self.model) * self.layer.field_t(t, self.model) / 2
        volume = self.layer.area_m2 * self.layer.thickness_m
        return np.asarray(energy * volume / (Boltzmann * t))

    def relaxation_s(self, temperature_k: Real) -> FloatArray:
        """tau_D(T), seconds."""
        a = self.layer.damping
        field_t = self.layer.field_t(temperature_k, self.model)
        return np.asarray((1 + a**2) / (a * GYROMAGNETIC * field_t))

    def critical_a(self, temperature_k: Real) -> FloatArray:
        """Ic0(T), ampere."""
        moment = self.layer.ms(temperature_k, self.model) * self.layer.thickness_m
        torque = self.layer.damping * self.layer.field_t(temperature_k, self.model) * moment
        density = 2 * e * torque / (hbar * self.path.efficiency)
        return np.asarray(density * self.path.cross_section_m2)

    def critical_v(self, temperature_k: Real) -> FloatArray:
        """Voltage of Ic0 at the write terminals."""
        ohm = self.path.resistance_ohm * self.model.channel(temperature_k)
        return np.asarray(self.critical_a(temperature_k) * ohm)

    def warmed_k(self, drive: Real, pulse_s: Real, temperature_k: Real) -> FloatArray:
        """Mean temperature of the layer during the pulse, kelvin."""
        t = self.model.check(temperature_k)
        if self.heating is None:
            return t
        ohm = self.path.resistance_ohm * self.model.channel(t)
        return self.model.check(t + self.heating.mean_rise(np.square(drive) / ohm, pulse_s))

    def probability(self, drive: Real, pulse_s: Real, temperature_k: Real) -> FloatArray:
        """Probability that one pulse switches a device that was reset and left to settle.

        Args:
            drive: Volts at the write terminals; positive drives towards the switched state.
            pulse_s: Width, seconds.
            temperature_k: Ambient temperature, kelvin.

        Returns:
            float64 in [0, 1]; the arguments broadcast.

        Raises:
            UserError: a pulse is negative or beyond 1e9 tau_D, a drive beyond 100 Ic0, or a
                temperature out of the model's range.
        """
        volts, pulse, ambient = np.broadcast_arrays(
            *[np.asarray(one, dtype=np.float64) for one in (drive, pulse_s, temperature_k)]
        )
        hot = self.warmed_k(volts, pulse, ambient)
        i = volts / self.critical_v(hot)
        if np.any(np.abs(i) > MAX_DRIVE):
            worst = volts.flat[np.argmax(np.abs(i))]
            raise UserError(f"drive: {worst:g} V is beyond {MAX_DRIVE:g} times the critical one")
        calm = 10.0 if self.relax_s is None else self.relax_s / self.relaxation_s(ambient)
        return switching_probability(
            i - self.bias_t / self.layer.field_t(hot, self.model),
            self.barrier(hot),
            pulse / self.relaxation_s(hot),
            relax=calm,
            rest_drive=-self.bias_t / self.layer.field_t(ambient, self.model),
            rest_delta=self.barrier(ambient),
            resolution=self.resolution,
        )
