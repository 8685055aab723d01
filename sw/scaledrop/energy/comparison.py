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


_WORDS = {
    Holds.ALL: "holds over our whole band",
    Holds.VALUE: "holds at our value, not at our high end",
    Holds.LOW: "holds at our low end only",
    Holds.NONE: "does not hold",
}


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


def verdict(ratios: Iterable[Ratio], against: str | None = None) -> str:
    """Whether the goal holds, in words made from the numbers.

    Args:
        ratios: From :func:`compare`.
        against: Name of the row to judge by. Without it, the verified baseline that is hardest to
            beat; rows that are unverified or no baseline then decide nothing.

    Raises:
        UserError: there is no such row, or no verified baseline.
    """
    ratios = tuple(ratios)
    if against is None:
        judged = [one for one in ratios if one.row.verified and one.row.baseline]
        if not judged:
            raise UserError(
                "published: no baseline is verified; read one source and say verified: true"
            )
        whom = "every verified baseline"
    else:
        judged = [one for one in ratios if one.row.name == against]
        if not judged:
            known = ", ".join(one.row.name for one in ratios)
            raise UserError(f"against: {against!r} is not a row; choose one of {known}")
        whom = judged[0].row.title
    hardest = min(judged, key=lambda one: one.row.uj_per_image)
    times, least = hardest.times, format_joules(hardest.allowed)
    text = (
        f"{figure(hardest.goal)} times less than {whom} {_WORDS[hardest.holds]}. "
        f"Ours is {format_band(hardest.ours)}; {hardest.row.name} takes {figure(times.value)} "
        f"times that ({figure(times.low)} to {figure(times.high)}). {figure(hardest.goal)} times "
        f"needs {least} or less: "
    )
    excess = hardest.ours.high / hardest.allowed
    if hardest.holds is Holds.ALL:
        return f"{text}the high end has a factor of {figure(1 / excess)} to spare."
    return f"{text}the high end is {figure(excess)} times too much."
