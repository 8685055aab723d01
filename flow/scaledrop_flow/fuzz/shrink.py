# SPDX-License-Identifier: Apache-2.0
"""Makes a failing case small, one greedy step after another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from scaledrop.errors import UserError
from scaledrop_flow.fuzz.build import Plan
from scaledrop_flow.fuzz.case import Case, Conv, Dense, Pool
from scaledrop_flow.fuzz.run import Outcome, run_case

__all__ = ["shrink", "simpler"]

SEEDS = 3
"""Other numbers may be needed to show the same fault in a smaller network."""
SLOWER = 1.5
HALF = 1 << 15

PLAIN: tuple[dict[str, Any], ...] = (
    {"engine": "amaranth"},
    {"images": 1},
    {"idle": 0, "stall": 0, "pause": 1},
    {"records": False},
    {"min_votes": 0, "min_margin": 0},
    {"converter": None},
    {"corners": 0.0},
    {"mode": "passes"},
    {"passes": 1},
    {"masks": 0},
    {"scale_bits": 8, "scale_frac_bits": 6, "gain_bits": 12},
    {"pulses": (2, 1, 1, 1)},
    {"depth": 16},
    {"max_passes": 255},
    {"datapath": "reference"},
    {"convolution": "auto"},
    {"rows": 1, "columns": 1, "lanes": 1},
    {"lanes": 1},
    {"input_bits": 1},
)
"""What is simplest, field by field."""


def _lower(value: int, least: int) -> list[int]:
    """The least, half, one less."""
    return [one for one in sorted({least, value // 2, value - 1}) if least <= one < value]


def _lower_code(code: int) -> list[int]:
    """Never dropped, then a fair coin, then anything else."""
    return {0: [], HALF: [0]}.get(code, [0, HALF])


def _simpler_node(node: Dense | Conv | Pool) -> Iterator[Dense | Conv | Pool]:
    least = {"channels": 1, "planes": 1, "size": 1, "stride": 1, "padding": 0}
    lower = {
        name: _lower(getattr(node, name), least[name]) for name in least if hasattr(node, name)
    }
    if not isinstance(node, Pool):
        lower["drop_code"] = _lower_code(node.drop_code)
    for name, values in lower.items():
        for value in values:
            yield node.model_copy(update={name: value})


def _simpler_nodes(case: Case) -> Iterator[Case]:
    nodes = case.nodes
    for at in range(len(nodes) - 1):
        yield case.but(nodes=nodes[:at] + nodes[at + 1 :])
    for at, node in enumerate(nodes):
        for other in _simpler_node(node):
            yield case.but(nodes=(*nodes[:at], other, *nodes[at + 1 :]))


def _simpler_shapes(case: Case) -> Iterator[Case]:
    shape = case.input_shape
    if len(shape) == 3:
        yield case.but(input_shape=shape[1:])
    for at, edge in enumerate(shape):
        for value in _lower(edge, 1):
            yield case.but(input_shape=(*shape[:at], value, *shape[at + 1 :]))
    for name in ("images", "passes", "input_bits", "masks"):
        for value in _lower(getattr(case, name), 1):
            yield case.but(**{name: value})
    for times, name in ((case.rows // case.lanes, "rows"), (case.columns // case.lanes, "columns")):
        for value in _lower(times, 1):
            yield case.but(**{name: value * case.lanes})


def simpler(case: Case) -> Iterator[Case]:
    """Cases that are simpler in one way, the boldest steps first. Not all of them exist."""
    for changes in PLAIN:
        changed = case.but(**changes)
        if changed != case:
            yield changed
    yield from _simpler_nodes(case)
    yield from _simpler_shapes(case)


def _exists(case: Case, cycles: int) -> bool:
    try:
        return Plan(case).cycles() <= cycles
    except UserError:
        return False


def _fails(case: Case, kind: str) -> Outcome | None:
    """The outcome, with one of a few seeds, if it is a failure of the same kind."""
    for seed in range(case.seed, case.seed + SEEDS):
        outcome = run_case(case.but(seed=seed))
        if outcome.kind == kind:
            return outcome
    return None


def shrink(outcome: Outcome, seconds: float = 120.0) -> Outcome:
    """The smallest failure of the same kind that is found in about so many seconds.

    A step that still fails is kept, and the next one goes on from there; so round and round, until
    no step is left that does.
    """
    end, smallest, at, since = time.monotonic() + seconds, outcome, 0, 0
    steps = list(simpler(outcome.case))
    cycles = int(SLOWER * outcome.cycles) + 1000
    while since < len(steps) and time.monotonic() < end:
        case = steps[at % len(steps)]
        failure = _fails(case, outcome.kind) if _exists(case, cycles) else None
        if failure is None:
            at, since = at + 1, since + 1
        else:
            smallest, since = failure, 0
            steps = list(simpler(failure.case))
    return smallest
