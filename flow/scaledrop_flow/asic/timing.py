# SPDX-License-Identifier: Apache-2.0
"""Step timing: the worst path and its slack, by OpenSTA or from the Liberty tables directly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from scaledrop_flow.asic.flat import Flat

__all__ = ["NOTE", "Timing", "worst_path"]

NOTE = (
    "from register or port to register or port, with setup; wires by the library's default wire "
    "load only; black boxes answer at the clock's edge and take at the next one; one ideal clock"
)
_PLAIN = re.compile(r"\b([gp]\d+)\b")
_END = {side: re.compile(rf"^{side}: (\S+)", re.M) for side in ("Startpoint", "Endpoint")}


@dataclass(frozen=True)
class Timing:
    """The worst path.

    Attributes:
        tool: What told it, with its version.
        note: What the figure is, and is not.
        path_ns: The clock period that it needs, in ns; None if there is no path.
        start, end: Where it begins and ends, by our names.
        clock_ns: The period that was asked for.
        report: The path, cell by cell.
    """

    tool: str
    note: str
    path_ns: float | None
    start: str
    end: str
    clock_ns: float
    report: str

    @property
    def slack_ns(self) -> float | None:
        return None if self.path_ns is None else self.clock_ns - self.path_ns

    @property
    def fmax_mhz(self) -> float | None:
        return 1e3 / self.path_ns if self.path_ns else None

    @property
    def met(self) -> bool | None:
        """Whether the clock is reached; None where that is not known."""
        return None if self.slack_ns is None else self.slack_ns >= 0

    def values(self) -> dict[str, object]:
        """As JSON has it."""
        told = {name: value for name, value in asdict(self).items() if name != "report"}
        rounded = {
            name: None if value is None else round(value, 4)
            for name, value in (
                ("path_ns", self.path_ns),
                ("slack_ns", self.slack_ns),
                ("fmax_mhz", self.fmax_mhz),
            )
        }
        return {**told, **rounded, "met": self.met}


def _named(text: str, names: Mapping[str, str]) -> str:
    return _PLAIN.sub(lambda one: names.get(one[1], one[1]), text)


def worst_path(flat: Flat, path_s: float | None, report: str, tool: str, clock_ns: float) -> Timing:
    """The worst path as a tool told it, with our names in it.

    Args:
        path_s: The period that it needs, in seconds.
        report: With lines "Startpoint: NAME" and "Endpoint: NAME".
    """
    ends = {side: pattern.search(report) for side, pattern in _END.items()}
    start, end = (_named(one[1], flat.names) if one else "" for one in ends.values())
    path = None if path_s is None else path_s * 1e9
    return Timing(tool, NOTE, path, start, end, clock_ns, _named(report, flat.names))
