# SPDX-License-Identifier: Apache-2.0
"""From measured counts to a device card: fitted parameters, the rest from another card."""

from __future__ import annotations

from typing import Any

from scaledrop.device.card import Card
from scaledrop.device.fit import Candidate, Fit, fit_counts
from scaledrop.device.measurements import Counts
from scaledrop.device.parameter import Parameter, Trust
from scaledrop.device.quantities import LawKind
from scaledrop.errors import UserError

__all__ = ["REJECTED", "fit_card", "verdict"]

REJECTED = 0.01
"""A law whose p is below this is called rejected."""

UNITS = {
    "v_th_1ns": "V",
    "v_th_log": "V",
    "v_th_per_k": "V/K",
    "slope": "1/V",
    "plateau_high": "1",
    "asymmetry": "1",
}
GIVEN = {"v_th_log": "v_th_log", "v_th_per_k": "v_th_per_k", "reference_k": "reference_temperature"}


def verdict(one: Candidate) -> str:
    """``"chi2 24.9 for 10 degrees of freedom, p = 0.0055: rejected"``."""
    text = f"chi2 {one.chi2:.1f} for {one.dof} degrees of freedom"
    if one.dof < 1:
        return f"{text}: nothing is left to test it by"
    return f"{text}, p = {one.p_value:.2g}: {'rejected' if one.p_value < REJECTED else 'holds'}"


def fit_card(counts: Counts, base: Card, name: str) -> tuple[Fit, Card]:
    """The law of ``counts``, and a card with it.

    Args:
        counts: Measured counts.
        base: An empirical card: gives resistances, pulses, the read path, and the coefficients of
            pulse width and temperature where the counts have only one of them.
        name: Of the new card.

    Raises:
        UserError: ``base`` is of another law, or the counts bound no slope.
    """
    if base.law is not LawKind.EMPIRICAL:
        raise UserError(f"base: card {base.name} has law {base.law}; choose an empirical one")
    fit = fit_counts(counts, {field: base.si(key) for field, key in GIVEN.items()})
    parameters = {
        key: one
        for key, one in base.parameters.items()
        if key not in {"plateau_low", "plateau_high", "asymmetry"}
    }
    for key in fit.chosen.values:
        parameters[key] = _parameter(fit, key, base.parameters.get(key))
    if len(counts.widths) == 1:
        source = f"the only width of {counts.name}"
        nanoseconds = float(counts.widths[0]) * 1e9
        parameters["pulse"] = Parameter(
            value=float(f"{nanoseconds:.6g}"), unit="ns", source=source, label=Trust.CALC
        )
    made: dict[str, Any] = {
        "name": name,
        "title": f"measured device, {len(counts)} points of {counts.name}",
        "description": f"Switching law fitted; what was not measured is from the card {base.name}.",
        "law": LawKind.EMPIRICAL,
        "reset_state": base.reset_state,
        "parameters": {
            key: one.model_dump(exclude_defaults=True) for key, one in parameters.items()
        },
    }
    return fit, Card.model_validate(made)


def _parameter(fit: Fit, key: str, old: Parameter | None) -> Parameter:
    low, high = fit.intervals[key]
    note = f"Law: {fit.chosen.model}; {verdict(fit.chosen)}."
    spread = None
    if old is not None and old.device_sigma and old.value:
        spread = float(f"{old.device_sigma / abs(old.value):.6g}")
        note += " Spread from the base card."
    digest = f", sha256 {fit.counts.digest[:16]}" if fit.counts.digest else ""
    return Parameter(
        value=float(f"{fit.chosen.values[key]:.6g}"),
        unit=UNITS[key],
        spread_relative=spread,
        interval=(float(f"{low:.6g}"), float(f"{high:.6g}")),
        source=f"maximum likelihood of {fit.counts.name}{digest}",
        label=Trust.CALC,
        note=note,
    )
