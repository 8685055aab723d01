# SPDX-License-Identifier: Apache-2.0
"""Step timing: the worst path and its slack, by OpenSTA, or what ABC says of single blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scaledrop_flow.asic.flat import Flat
from scaledrop_flow.netlist.sta import StaReport

__all__ = ["ABC_NOTE", "STA_NOTE", "Timing", "abc_timing", "sta_timing"]

STA_NOTE = (
    "from register or port to register or port, with setup; wires by the library's default wire "
    "load only; black boxes answer at the clock's edge and take at the next one; one ideal clock"
)
ABC_NOTE = (
    "ABC's own delay of the gates within one block, without flip-flops, setup and wires; a path "
    "through several blocks is longer; install OpenSTA (Debian: apt install opensta) for a figure "
    "that counts"
)

_DELAY = re.compile(r"ABC: .*?Delay = +([0-9.]+) ps")
_MODULE = re.compile(r"Extracting gate netlist of module `\\(\S+)'")
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
        whole: It is the whole path, and not a part that can only be too short.
    """

    tool: str
    note: str
    path_ns: float | None
    start: str
    end: str
    clock_ns: float
    report: str
    whole: bool = True

    @property
    def slack_ns(self) -> float | None:
        return None if self.path_ns is None else self.clock_ns - self.path_ns

    @property
    def fmax_mhz(self) -> float | None:
        return 1e3 / self.path_ns if self.path_ns else None

    @property
    def met(self) -> bool | None:
        """Whether the clock is reached; None where that is not known."""
        if self.slack_ns is None:
            return None
        return (True if self.whole else None) if self.slack_ns >= 0 else False

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


def sta_timing(flat: Flat, report: StaReport, clock_ns: float) -> Timing:
    """The worst path as OpenSTA told it, with our names in it."""
    ends = {side: pattern.search(report.path) for side, pattern in _END.items()}
    start, end = (_named(one[1], flat.names) if one else "" for one in ends.values())
    path = None if report.path_s is None else report.path_s * 1e9
    return Timing(
        report.tool, STA_NOTE, path, start, end, clock_ns, _named(report.path, flat.names)
    )


def abc_timing(log: Path, tool: str, clock_ns: float) -> Timing:
    """The largest delay within a block, from the log of the mapping."""
    text = log.read_text()
    found = [(one.start(), one[1]) for one in _MODULE.finditer(text)]
    delays = []
    for at, (start, name) in enumerate(found):
        stop = found[at + 1][0] if at + 1 < len(found) else len(text)
        told = _DELAY.findall(text, start, stop)
        if told:
            delays.append((float(told[-1]) / 1e3, name))
    worst = max(delays, default=None)
    path, block = worst if worst else (None, "")
    lines = "\n".join(f"{delay:10.3f} ns  {name}" for delay, name in sorted(delays, reverse=True))
    return Timing(f"ABC in {tool}", ABC_NOTE, path, block, block, clock_ns, lines, False)
