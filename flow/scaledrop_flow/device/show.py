# SPDX-License-Identifier: Apache-2.0
"""Device cards and fits as tables on the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from scaledrop.device.card import Card
from scaledrop.device.card_file import card_names, load_card
from scaledrop.device.fit import Candidate, Fit
from scaledrop.device.fit_card import REJECTED, UNITS, verdict
from scaledrop.device.parameter import Parameter, Trust
from scaledrop.device.quantities import QUANTITIES
from scaledrop_flow.console import console

__all__ = ["fit_report", "show_card", "show_cards", "show_fit"]


UNBOUNDED = 0.999 * QUANTITIES["asymmetry"].high


def show_cards() -> None:
    """One line for each card that ships."""
    table = Table("card", "law", "what it is", "unverified")
    for name in card_names():
        card = load_card(name)
        table.add_row(
            name, card.law, card.title, f"{len(card.unverified)} of {len(card.parameters)}"
        )
    console.print(table)


def _spread(one: Parameter) -> str:
    shown = []
    for kind, sigma in (("device", one.device_sigma), ("cycle", one.cycle_sigma)):
        if sigma:
            part = f" ({sigma / abs(one.value):.2g} of it)" if one.value else ""
            shown.append(f"{kind} {sigma:.3g}{part}")
    if one.interval is not None:
        shown.append(f"95 %: {one.interval[0]:.4g} to {one.interval[1]:.4g}")
    return ", ".join(shown)


def show_card(card: Card) -> None:
    """Every parameter with unit, spread, trust and source; what is unverified once more below."""
    console.print(f"{card.name}: {card.title}", markup=False)
    console.print(card.description, markup=False)
    console.print(f"law {card.law}, reset to {card.reset_state}", markup=False)
    table = Table("parameter", "value", "spread", "trust", "source")
    for name, one in card.parameters.items():
        source = f"{one.source}; {one.page}" if one.page else one.source
        table.add_row(name, f"{one.value:g} {one.unit}", _spread(one), one.label, source)
    console.print(table)
    names = [name for name, one in QUANTITIES.items() if card.has(name)]
    off = [name for name in names if name not in card.parameters]
    console.print(f"not given, so without effect: {', '.join(off)}", markup=False)
    if card.unverified:
        console.print(f"{Trust.UNVERIFIED}: {', '.join(card.unverified)}", markup=False)


def _ratio(fit: Fit, one: Candidate) -> str:
    rejected = [
        f"{larger.model} (p = {p:.2g})"
        for larger in fit.candidates
        if len(larger.values) > len(one.values)
        and set(one.values) < set(larger.values)
        and (p := one.rejected_by(larger)) < 0.05
    ]
    return ", ".join(rejected) or "none"


def show_fit(fit: Fit) -> None:
    """The laws that were compared, the chosen one's parameters, and whether it holds."""
    table = Table("law", "chi2 / dof", "p", "likelihood ratio prefers")
    for one in fit.candidates:
        reduced = f"{one.chi2:.1f} / {one.dof}"
        if one.dof:
            reduced += f" = {one.chi2 / one.dof:.2f}"
        table.add_row(one.model, reduced, f"{one.p_value:.2g}", _ratio(fit, one))
    console.print(table)
    for name, value in fit.chosen.values.items():
        low, high = fit.intervals[name]
        unit = "" if UNITS[name] == "1" else f" {UNITS[name]}"
        reach = "no bound" if name == "asymmetry" and high > UNBOUNDED else f"{high:.5g}"
        text = f"{name:<12} {value:.5g}{unit} (95 %: {low:.5g} to {reach})"
        console.print(text, markup=False)
    plain = fit.candidates[0]
    if plain is not fit.chosen:
        console.print(f"logistic     {verdict(plain)}", markup=False)
    console.print(f"chosen       {fit.chosen.model}: {verdict(fit.chosen)}", markup=False)
    if fit.chosen.p_value < REJECTED:
        console.print(
            "warning      no law tried describes these counts; the intervals are too narrow. "
            "Look for drift, back-hopping or a step of the drive between the points",
            markup=False,
        )


def fit_report(fit: Fit) -> dict[str, Any]:
    """What ``device fit`` leaves beside the card, for programs."""
    return {
        "counts": fit.counts.name,
        "sha256": fit.counts.digest,
        "points": len(fit.counts),
        "chosen": fit.chosen.model,
        "rejected": bool(fit.chosen.p_value < REJECTED),
        "fixed": fit.fixed,
        "intervals_95": fit.intervals,
        "laws": [
            {
                "law": one.model,
                "values": one.values,
                "deviance": one.deviance,
                "chi2": one.chi2,
                "dof": one.dof,
                "p": one.p_value if one.dof else None,
            }
            for one in fit.candidates
        ],
    }
