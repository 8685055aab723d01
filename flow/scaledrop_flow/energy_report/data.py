# SPDX-License-Identifier: Apache-2.0
"""What the energy pictures are drawn from: plain figures, in joules per image unless said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from scaledrop.energy import Band, EnergyEstimate, Label, total
from scaledrop.energy.published import Published
from scaledrop.energy.references import Reference
from scaledrop.errors import UserError

__all__ = [
    "OTHER",
    "Bar",
    "Ceiling",
    "Kind",
    "Level",
    "RooflinePoint",
    "Step",
    "bar_of",
    "folded",
    "level_of",
    "reference_level",
]

OTHER = "other"

GROUPS = (
    ("array", ("crossbar", "row drivers")),
    ("converters", ("column converters",)),
    ("accumulators", ("accumulator",)),
    ("output stage", ("scale", "threshold", "head", "sum pool", "pass accum", "verdict")),
    ("residual streams", ("stream multipliers", "stream adders", "stream gains", "stream comp")),
    ("buffers", ("activation buffer", "window registers", "image buffer", "stream buffer")),
    ("spin unit", ("spin unit",)),
    ("control and interface", ("controller", "stage registers", "interface")),
    ("leakage", ("leakage",)),
)
"""Part of a bar to how the names of its components begin; any other component is its own part."""


@dataclass(frozen=True)
class Bar:
    """One configuration, by component.

    Attributes:
        name: Of the configuration.
        parts: Component to joules, in the order of the datapath.

    Raises:
        UserError: it has no parts.
    """

    name: str
    parts: Mapping[str, Band]

    def __post_init__(self) -> None:
        if not self.parts:
            raise UserError(f"bar {self.name}: has no parts; give one component at least")

    @property
    def joules(self) -> Band:
        return total(self.parts.values())


class Kind(StrEnum):
    """Whose figure it is, and how far it is trusted."""

    OURS = "ours"
    VERIFIED = "published"
    UNVERIFIED = "unverified"
    TOOL = "other tool"


@dataclass(frozen=True)
class Level:
    """One figure of the band chart; ``joules`` of one value has equal ends."""

    name: str
    joules: Band
    kind: Kind


@dataclass(frozen=True)
class Step:
    """A total after a change; the first one is where the waterfall begins."""

    name: str
    joules: Band


@dataclass(frozen=True)
class RooflinePoint:
    """One layer: what it asks for and what it reaches.

    Attributes:
        name: Of the layer.
        intensity: Operations per result beat.
        rate: Operations per cycle.
        limits: Bounds of this layer alone, by name, in operations per cycle.
    """

    name: str
    intensity: float
    rate: float
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ceiling:
    """A bound on operations per cycle: ``rate``, or ``beats`` per cycle times the intensity.

    Raises:
        UserError: both are given, or neither, or one that is not above 0.
    """

    name: str
    rate: float | None = None
    beats: float | None = None

    def __post_init__(self) -> None:
        given = [one for one in (self.rate, self.beats) if one is not None]
        if len(given) != 1 or not given[0] > 0:
            raise UserError(
                f"ceiling {self.name}: needs rate or beats, one of them above 0, not "
                f"{self.rate!r} and {self.beats!r}"
            )

    def at(self, intensity: float) -> float:
        """Operations per cycle at ``intensity`` operations per beat."""
        return self.rate if self.rate is not None else (self.beats or 0.0) * intensity


def bar_of(name: str, estimate: EnergyEstimate) -> Bar:
    """An estimate by groups of components, in the order of the datapath; groups without joules are
    left out."""
    nothing = Band(0.0, 0.0, 0.0)
    parts = {group: nothing for group, _ in GROUPS}
    for one in estimate.components:
        group = next((g for g, begins in GROUPS if one.name.startswith(begins)), one.name)
        parts[group] = parts.get(group, nothing) + one.joules
    return Bar(name, {group: band for group, band in parts.items() if band.high} or parts)


def folded(bars: Sequence[Bar], most: int) -> list[Bar]:
    """The same bars with at most ``most`` parts over all; the smallest are added up as "other".

    Every bar gets the same parts in the same order; missing ones are 0.
    """
    names = list(dict.fromkeys(name for bar in bars for name in bar.parts))
    nothing = Band(0.0, 0.0, 0.0)
    shares = {
        name: max(bar.parts.get(name, nothing).value / (bar.joules.value or 1.0) for bar in bars)
        for name in names
    }
    kept = names
    if len(names) > most:
        largest = sorted(names, key=lambda name: -shares[name])[: most - 1]
        kept = [name for name in names if name in largest]
    result = []
    for bar in bars:
        parts = {name: bar.parts.get(name, nothing) for name in kept}
        if len(kept) < len(names):
            parts[OTHER] = total(band for name, band in bar.parts.items() if name not in kept)
        result.append(Bar(bar.name, parts))
    return result


def level_of(row: Published) -> Level:
    """A published figure, without a band of its own."""
    kind = Kind.VERIFIED if row.verified else Kind.UNVERIFIED
    return Level(row.name, Band(row.joules, row.joules, row.joules), kind)


def reference_level(row: Reference, passes: int) -> Level:
    """Another tool's figure times ``passes``, without a band of its own."""
    joules = row.joules * passes
    kind = Kind.UNVERIFIED if row.label is Label.MEM else Kind.TOOL
    return Level(f"{row.name}, {passes} passes", Band(joules, joules, joules), kind)
