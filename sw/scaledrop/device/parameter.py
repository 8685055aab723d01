# SPDX-License-Identifier: Apache-2.0
"""One parameter of a device card: value, unit, spreads, source and trust."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

__all__ = ["Parameter", "Trust"]


class Trust(StrEnum):
    """How far a figure is trusted."""

    S = "S"
    """Read in the source itself."""
    S_ABS = "S-abs"
    """Read in the source's abstract or first page only."""
    S_SEC = "S-sec"
    """Read in a secondary source."""
    RUN = "RUN"
    """Reproduced by running something."""
    CALC = "CALC"
    """Arithmetic on other figures, or a fit of given counts."""
    UNVERIFIED = "unverified"
    """Remembered or assumed. Not to be quoted as a fact."""


def _number(value: Any) -> float:
    # YAML 1.1 reads 1e-12, without a dot, as text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"must be a number, not {value!r}")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"must be a number; give the unit apart, not {value!r}") from None


Number = Annotated[float, BeforeValidator(_number)]
Text = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class Parameter(BaseModel):
    """One parameter of a card.

    Attributes:
        value, unit: The value and its unit, as printed in the source where there is one.
        spread, spread_relative: Standard deviation from device to device, in ``unit`` or as a part
            of the value.
        cycle, cycle_relative: The same from write to write of one device.
        interval: 95 % confidence interval of a fitted value, in ``unit``.
        source, page: Where the value comes from: paper and page, table or figure.
        label: Trust in the least trusted of these figures.
        note: How the value was made from the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Number
    unit: Text
    spread: Number | None = None
    spread_relative: Number | None = None
    cycle: Number | None = None
    cycle_relative: Number | None = None
    interval: tuple[Number, Number] | None = None
    source: str
    page: Text = ""
    label: Trust
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("spread", "cycle"):
            pair = [getattr(self, name), getattr(self, f"{name}_relative")]
            if None not in pair:
                raise ValueError(f"{name} is given twice; keep {name} or {name}_relative")
            for value in pair:
                if value is not None and not (math.isfinite(value) and value >= 0):
                    raise ValueError(f"{name} must be a finite number, 0 or more, not {value:g}")
        if math.isnan(self.value):
            raise ValueError("value is not a number; leave the parameter out or measure it")
        if not self.source.strip():
            raise ValueError("source is empty; name the paper, tool or calculation")
        return self

    def _sigma(self, name: str) -> float:
        relative = getattr(self, f"{name}_relative")
        if relative is not None:
            return float(relative * abs(self.value))
        return float(getattr(self, name) or 0.0)

    @property
    def device_sigma(self) -> float:
        """Device to device, in ``unit``."""
        return self._sigma("spread")

    @property
    def cycle_sigma(self) -> float:
        """Cycle to cycle, in ``unit``."""
        return self._sigma("cycle")
