# SPDX-License-Identifier: Apache-2.0
"""Device cards: the law of a device and its parameters, checked against what each must be."""

from __future__ import annotations

import difflib
import math
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.device.parameter import Parameter, Trust
from scaledrop.device.quantities import CYCLE, NO_SPREAD, QUANTITIES, LawKind
from scaledrop.device.units import to_si
from scaledrop.names import check_name

__all__ = ["SIGMAS", "Card"]

SIGMAS = 4.0
"""Device-to-device draws stay within so many sigma; a card must be sound out to there."""


class Card(BaseModel):
    """A device: its law and its parameters.

    Attributes:
        name: Short name, printed with every figure made from the card.
        title, description: One line, and what is common to the parameters.
        law: ``empirical`` or ``macrospin``.
        reset_state: ``P`` or ``AP``: the state after a reset; the switched state is the other.
        parameters: By name; :data:`scaledrop.device.quantities.QUANTITIES` lists them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str = ""
    law: LawKind
    reset_state: str = "P"
    parameters: dict[str, Parameter]

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_name(self.name, "name")
        if self.reset_state not in {"P", "AP"}:
            raise ValueError(f"reset_state {self.reset_state!r} is unknown; give P or AP")
        for name in self.parameters:
            _check_parameter(self, name)
        missing = [n for n, q in QUANTITIES.items() if self.has(n) and q.neutral is None]
        for name in missing:
            if name not in self.parameters:
                unit = next(iter(QUANTITIES[name].dimension.value))
                raise ValueError(
                    f"parameters has no {name} ({QUANTITIES[name].text}); add it with its value "
                    f"in {unit}, unit, source and label"
                )
        if self.law is LawKind.MACROSPIN and not {"mu0_hk", "k_i"} & set(self.parameters):
            raise ValueError("parameters has neither mu0_hk nor k_i; add one of them")
        if self.si("stuck_reset") + self.si("stuck_switched") > 1:
            raise ValueError("stuck_reset and stuck_switched add up to more than 1; lower one")
        return self

    def has(self, name: str) -> bool:
        """Whether a parameter means anything for the card's law."""
        return QUANTITIES[name].law in {None, self.law}

    def si(self, name: str) -> float:
        """The value of a parameter in SI; the neutral one where the card does not give it."""
        if (one := self.parameters.get(name)) is None:
            neutral = QUANTITIES[name].neutral
            assert neutral is not None, name
            return neutral
        return to_si(one.value, one.unit, QUANTITIES[name].dimension, name)

    def device_sigma(self, name: str) -> float:
        """Standard deviation from device to device in SI."""
        return self._si_sigma(name, "device_sigma")

    def cycle_sigma(self, name: str) -> float:
        """Standard deviation from write to write in SI."""
        return self._si_sigma(name, "cycle_sigma")

    def _si_sigma(self, name: str, kind: str) -> float:
        one = self.parameters.get(name)
        if one is None:
            return 0.0
        return to_si(getattr(one, kind), one.unit, QUANTITIES[name].dimension, name)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Names of the parameters that are remembered or assumed."""
        return tuple(n for n, one in self.parameters.items() if one.label is Trust.UNVERIFIED)


def _check_parameter(card: Card, name: str) -> None:
    if name not in QUANTITIES:
        close = difflib.get_close_matches(name, QUANTITIES, 1)
        remedy = f"did you mean {close[0]}?" if close else "remove it"
        raise ValueError(f"parameters.{name}: unknown parameter; {remedy}")
    one, quantity = card.parameters[name], QUANTITIES[name]
    where = f"parameters.{name}"
    if quantity.law not in {None, card.law}:
        raise ValueError(f"{where}: belongs to law {quantity.law}, not {card.law}; remove it")
    unit = f" {one.unit}"
    value = to_si(one.value, one.unit, quantity.dimension, where)
    if not quantity.low <= value <= quantity.high:
        raise ValueError(f"{where}: value {one.value:g}{unit} {_range_of(name, one.unit)}")
    if math.isinf(value) and quantity.neutral != math.inf:
        raise ValueError(f"{where}: value {one.value:g} must be finite; measure it or leave it out")
    if name == "dac_bits" and value != int(value):
        raise ValueError(f"{where}: value {one.value:g} must be a whole number")
    if one.cycle_sigma and name not in CYCLE:
        allowed = ", ".join(sorted(CYCLE))
        raise ValueError(f"{where}: cycle is modelled for {allowed} only; remove it here")
    if one.device_sigma and name in NO_SPREAD:
        raise ValueError(f"{where}: spread is not modelled for it; remove it here")
    reach = card.device_sigma(name) * SIGMAS
    if not (quantity.low <= value - reach and value + reach <= quantity.high):
        raise ValueError(
            f"{where}: spread {one.device_sigma:g}{unit} is too wide: {SIGMAS:g} sigma from "
            f"{one.value:g}{unit} {_range_of(name, one.unit)}; give a smaller spread"
        )


def _range_of(name: str, unit: str) -> str:
    """What the value must be, in ``unit``."""
    quantity = QUANTITIES[name]
    factor = to_si(1.0, unit, quantity.dimension, name)
    low = "above 0" if quantity.low == math.ulp(0.0) else f"{quantity.low / factor:g} {unit}"
    if quantity.high == math.inf:
        return f"must be {low}" if low == "above 0" else f"must be {low} or more"
    return f"must be {low} to {quantity.high / factor:g} {unit}"
