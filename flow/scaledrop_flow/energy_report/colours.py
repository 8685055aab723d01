# SPDX-License-Identifier: Apache-2.0
"""Colours that stay apart for colour-blind eyes and in grey, and what is hatched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from scaledrop_flow.energy_report.data import OTHER

__all__ = ["PARTS", "UNVERIFIED_HATCH", "part_styles"]

PARTS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#80828a")
"""Okabe and Ito 2008, from dark to light and back, so that neighbours also differ in grey."""

OTHER_COLOUR = "#b4b2aa"
UNVERIFIED_HATCH = "//////"
HATCHES = ("", "....", "\\\\\\\\", "xxxx")


def part_styles(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and hatch of each part, by its place; "other" is grey. Hatches tell parts apart that
    share a colour, where there are more than eight."""
    named = [name for name in names if name != OTHER]
    places = enumerate(zip(named, cycle(PARTS)))
    styles = {
        name: (colour, HATCHES[at // len(PARTS) % len(HATCHES)]) for at, (name, colour) in places
    }
    return styles | {OTHER: (OTHER_COLOUR, "")}
