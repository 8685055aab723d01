# SPDX-License-Identifier: Apache-2.0
"""A Liberty file whose outputs have one power table an input, as old versions of OpenSTA need it.

Where an input has several tables, each under a condition, OpenSTA 2.0.17 adds half of each, so that
an exclusive-or or a complex gate is told two times its energy or more. The first table of each
input stays, for all conditions. Clock pins keep theirs: their conditions are weighed correctly.
"""

from __future__ import annotations

import re
from bisect import bisect

__all__ = ["group_end", "without_conditions"]

_GROUP = re.compile(r"\binternal_power\s*\(\s*\)\s*\{")
_PIN = re.compile(r"\bpin\s*\(")
_BRACE = re.compile(r"[{}]")
_WHEN = re.compile(r"^\s*when\s*:[^;]*;[ \t]*\n?", re.M)
_INPUT = re.compile(r"\brelated_pin\s*:\s*\"?([^\";]+)")
_SUPPLY = re.compile(r"\brelated_pg_pin\s*:\s*\"?([^\";\s]+)")


def group_end(text: str, start: int) -> int:
    """Behind the brace that closes the one before ``start``."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return len(text)


def without_conditions(text: str) -> str:
    """``text`` with at most one power table for each output, input and supply, unconditioned."""
    pins = [one.start() for one in _PIN.finditer(text)]
    seen: set[tuple[int, str, str]] = set()
    parts, at = [], 0
    for group in _GROUP.finditer(text):
        end = group_end(text, group.end())
        body = text[group.start() : end]
        source, supply = _INPUT.search(body), _SUPPLY.search(body)
        if source is None:
            continue
        key = bisect(pins, group.start()), source[1], supply[1] if supply else ""
        parts += [text[at : group.start()], "" if key in seen else _WHEN.sub("", body, count=1)]
        seen.add(key)
        at = end
    return "".join([*parts, text[at:]])
