# SPDX-License-Identifier: Apache-2.0
"""Our joules beside published ones: ratios with a band, and whether "100 times" holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scaledrop.energy.band import Band, format_band, format_joules
from scaledrop.energy.published import Published
from scaledrop.errors import UserError

__all__ = ["GOAL", "NOT_EQUAL_WORK", "Holds", "Ratio", "compare", "figure", "verdict"]

GOAL = 100.0
"""Times less energy than the state of the art, as arXiv 2311.15816 claims."""

NOT_EQUAL_WORK = (
    "Networks, data sets, passes and technologies of published figures are not ours: a ratio "
    "compares predictions, not equal work."
)
"""To be printed with every comparison."""


class Holds(StrEnum):
    """How much of our band fulfils a claim."""

    ALL = "over the whole band"
    VALUE = "at the value, not at the high end"
    LOW = "at the low end only"
    NONE = "nowhere in the band"


@dataclass(frozen=True)
class Ratio:
    """A published energy over ours.

    Attributes:
        row: What was published.
        ours: Joules per image.
        goal: Ratio that is asked for.
    """

    row: Published
    ours: Band
    goal: float = GOAL

    @property
    def times(self) -> Band:
        """Theirs over ours; its low end is ours at the high end."""
        return Band(
            self.row.joules / self.ours.value,
            self.row.joules / self.ours.high,
            self.row.joules / self.ours.low,
        )

    @property
    def allowed(self) -> float:
        """Joules per image at most, for ``goal`` to hold."""
        return self.row.joules / self.goal

    @property
    def holds(self) -> Holds:
        """Where in our band ``goal`` holds."""
        if self.ours.high <= self.allowed:
            return Holds.ALL
        if self.ours.value <= self.allowed:
            return Holds.VALUE
        return Holds.LOW if self.ours.low <= self.allowed else Holds.NONE

    @property
    def text(self) -> str:
        """One sentence, from the numbers alone."""
        times, high = self.times, self.ours.high / self.allowed
        text = (
            f"{self.row.title} takes {figure(times.value)} times ours ({figure(times.low)} to "
            f"{figure(times.high)}); {figure(self.goal)} times needs {format_joules(self.allowed)} "
            f"or less, which holds {self.holds}"
        )
        if self.holds is Holds.ALL:
            return f"{text}, with a factor of {figure(1 / high)} to spare at the high end"
        return f"{text}: the high end is {figure(high)} times too much"


def figure(ratio: float) -> str:
    """A ratio at two significant digits."""
    if ratio < 9.95:
        return f"{ratio:.1f}" if ratio >= 0.995 else f"{ratio:.2g}"
    return f"{float(f'{ratio:.1e}'):,.0f}"


def compare(ours: Band, rows: Iterable[Published], goal: float = GOAL) -> tuple[Ratio, ...]:
    """Every published row over ``ours``, verified ones first, each the largest first.

    Args:
        ours: Joules per image.
        rows: What was published.
        goal: Ratio that is asked for, above 0.

    Raises:
        UserError: an end of ``ours`` is not above 0, or ``goal`` is not.
    """
    if not 0 < ours.low <= ours.value <= ours.high:
        raise UserError(f"ours: must be above 0 and in order, not {ours}; estimate again")
    if not goal > 0:
        raise UserError(f"goal: must be above 0, not {goal!r}; 100 is the claim of the paper")
    ordered = sorted(rows, key=lambda row: (not row.verified, -row.uj_per_image))
    return tuple(Ratio(row, ours, goal) for row in ordered)


def verdict(ratios: Iterable[Ratio]) -> str:
    """Whether the goal holds against the verified row that is hardest to beat.

    Unverified rows decide nothing.

    Raises:
        UserError: no row is verified.
    """
    verified = [one for one in ratios if one.row.verified]
    if not verified:
        raise UserError("published: no row is verified; read one source and say verified: true")
    hardest = min(verified, key=lambda one: one.row.uj_per_image)
    word = {
        Holds.ALL: "holds",
        Holds.VALUE: "holds at the value but is not safe",
        Holds.LOW: "is not shown",
        Holds.NONE: "does not hold",
    }[hardest.holds]
    return (
        f"{figure(hardest.goal)} times less than verified figures {word}. "
        f"Ours: {format_band(hardest.ours)}. {hardest.text}."
    )
