# SPDX-License-Identifier: Apache-2.0
"""Three pictures of a device: P against drive, P against temperature, energy against P."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from scaledrop.device.card import Card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.energy import bit_cost
from scaledrop.device.wafer import code_drive, dac_bits, long_run, trim
from scaledrop_flow.report.style import LIGHT, legend, plot

__all__ = ["draw_energy", "draw_probability", "draw_temperature", "pictures"]

DEVICES, SEED = 100, 1
PULSES = (0.5, 1.0, 2.0)
"""Widths to draw, over that of the card."""
TARGETS = (0.1, 0.5)


def _transition(card: Card) -> npt.NDArray[np.int64]:
    """(1, K) codes around the codes where the drawn curves rise."""
    one, last = nominal(card), 2 ** dac_bits(nominal(card)) - 1
    pulse = card.si("pulse")
    ends = [
        int(trim(one, p, Conditions(pulse_s=pulse * factor)).item())
        for p in (0.03, 0.97)
        for factor in PULSES
    ]
    margin = (max(ends) - min(ends)) // 4 + 1
    low, high = max(0, min(ends) - margin), min(last, max(ends) + margin)
    return np.unique(np.linspace(low, high, 200).astype(np.int64))[None, :]


def draw_probability(card: Card) -> Figure:
    """P(V) of the nominal device at three pulse widths, and of devices of a wafer at its own."""
    codes, one, pulse = _transition(card), nominal(card), card.si("pulse")
    volts = code_drive(one, codes)[0]
    with plot("device-probability", "write voltage, V", "P(bit = 1)", "y") as (
        figure,
        axes,
    ):
        wafer = draw(card, DEVICES, SEED)
        band = np.percentile(long_run(wafer, codes), (5, 95), axis=0)
        axes.fill_between(volts, *band, color=LIGHT.accent, alpha=0.15, linewidth=0)
        styles = ((0, (4, 2)), "-", (0, (1, 1.5)))
        for factor, dashes in zip(PULSES, styles, strict=True):
            p = long_run(one, codes, Conditions(pulse_s=pulse * factor))[0]
            label = f"{pulse * factor * 1e9:.3g} ns"
            axes.plot(volts, p, color=LIGHT.accent, linestyle=dashes, label=label)
        axes.set_ylim(0, 1)
        legend(axes, "90 % band")
    return figure


def draw_temperature(card: Card) -> Figure:
    """P(T) of the nominal device at codes that were trimmed at the reference temperature."""
    one, reference = nominal(card), card.si("reference_temperature")
    kelvin = reference + np.linspace(-40, 60, 21)
    with plot("device-temperature", "temperature, K", "P(bit = 1)", "y") as (figure, axes):
        for target, colour in zip(TARGETS, (LIGHT.accent, LIGHT.bad), strict=True):
            code = trim(one, target, Conditions(reference))
            p = [long_run(one, code, Conditions(float(t))).item() for t in kelvin]
            axes.plot(kelvin, p, color=colour, label=f"trimmed to {target:g}")
        axes.axvline(reference, color=LIGHT.soft, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set_ylim(0, 1)
        legend(axes)
    return figure


def draw_energy(card: Card) -> Figure:
    """Joules of one bit against its probability: reset, write and read, one on the other."""
    one = nominal(card)
    codes = np.unique([trim(one, p).item() for p in np.linspace(0.02, 0.98, 49)])[None, :]
    p = long_run(one, codes)
    cost = bit_cost(one, code_drive(one, codes), Conditions(), p)
    parts = [joules[0] * 1e12 for joules in (cost.reset_j, cost.write_j, cost.read_j)]
    colours = (LIGHT.grid, LIGHT.accent, LIGHT.bad)
    with plot("device-energy", "P(bit = 1)", "pJ per bit", "y") as (figure, axes):
        axes.stackplot(p[0], *parts, labels=("reset", "write", "read"), colors=colours)
        axes.set_xlim(p.min(), p.max())
        legend(axes, f"{cost.time_s * 1e9:.3g} ns")
    return figure


def pictures(card: Card) -> dict[str, Figure]:
    """All three by the name of their file."""
    return {
        "probability": draw_probability(card),
        "temperature": draw_temperature(card),
        "energy": draw_energy(card),
    }
