# SPDX-License-Identifier: Apache-2.0
"""Draws a case from a seed: topology, array, mode, and all that may disturb a run."""

from __future__ import annotations

import random
from typing import Any

from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.record import PassRecord
from scaledrop_flow.fuzz.build import Plan
from scaledrop_flow.fuzz.case import Case
from scaledrop_flow.fuzz.topology import draw_counts, draw_topology

__all__ = ["draw"]

BUDGETS = {
    "amaranth": (600, 1200, 1200, 2400, 2400, 4800),
    "verilator": (10_000, 50_000, 200_000),
}
"""Cycles of a run, at most: one of these."""
EDGE = {"amaranth": 9, "verilator": 20}
"""Longest edge of a map."""
FEW_LEAVES = 5


def _array(rng: random.Random, engine: str) -> dict[str, int]:
    lanes = rng.choice([1, 1, 2, 2, 3, 4, 4, 5, 7])
    large = 2 if engine == "verilator" else 1
    rows = lanes * rng.randint(1, max(1, large * 24 // lanes))
    columns = lanes * rng.randint(1, max(1, large * 12 // lanes))
    return {"rows": rows, "columns": columns, "lanes": lanes}


def _converter(seed: int, rows: int) -> tuple[int, int, bool] | None:
    """Of a stream of its own: whatever else a seed draws stays as it was."""
    rng = random.Random(f"converter {seed}")
    if rng.random() < 0.75:
        return None
    mid_rise = rng.random() < 0.3
    bits = rng.randint(1 if mid_rise else 2, 5)
    return bits, 1 << rng.randint(1 if mid_rise else 0, max(1, rows.bit_length() - 1)), mid_rise


def _formats(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {}
    scale_bits = rng.randint(1, 12)
    frac_bits = rng.randrange(scale_bits)
    gain_bits = rng.randint(4, 16)
    return {"scale_bits": scale_bits, "scale_frac_bits": frac_bits, "gain_bits": gain_bits}


def _inference(rng: random.Random, layers: int) -> dict[str, Any]:
    mode, passes = rng.choice(["passes", "shared", "exact"]), rng.randint(1, 8)
    limited = mode == "exact" and rng.random() < 0.5
    return {
        "mode": mode,
        "passes": passes,
        "masks": rng.randint(1, 2**layers) if limited else 0,
        "max_passes": rng.choice([passes, rng.randint(passes, 300), 255, 255, 65535]),
    }


def _pulses(rng: random.Random) -> tuple[int, ...]:
    kind = rng.random()
    if kind < 0.5:
        return 2, 1, 1, 1
    if kind < 0.65:
        return 1, 0, 1, 1
    slow = rng.choice([1, 1, 10])
    return (*(rng.randint(0 if at == 1 else 1, 4 * slow) for at in range(4)),)


def _disturbance(rng: random.Random, engine: str) -> dict[str, int]:
    if rng.random() < 0.6:
        return {}
    idle, stall = rng.choice([(1, 0), (0, 1), (1, 1)])
    pause = rng.choice([1, 1, 5, 40]) if engine == "amaranth" else 1
    top = 200 if pause == 1 else 25
    return {
        "idle": idle * rng.randint(1, top),
        "stall": stall * rng.randint(1, top),
        "pause": pause,
    }


def _draw_once(
    rng: random.Random, seed: int, engine: str, counts: tuple[int, int], most: int
) -> Case:
    shape, nodes = draw_topology(rng, *counts, most)
    bits = rng.choice([1, 2, 3, 4, rng.randint(5, 8)])
    values = {
        "seed": seed,
        "engine": engine,
        "input_shape": shape,
        "input_bits": bits,
        "nodes": nodes,
        **_formats(rng),
        **_array(rng, engine),
        "corners": rng.choice([0.0, 0.0, 0.2, 0.6]),
        "convolution": rng.choice(["unrolled", "taps", "auto"]),
        "datapath": rng.choice(["reference", "folded"]),
        "pulses": _pulses(rng),
        "depth": rng.choice([2, 2, 3, 4, 16, 16, 16, rng.randint(2, 64)]),
        "images": rng.choice([1, 2, 2, 3, 4] if engine == "amaranth" else [4, 8, 12]),
        **_disturbance(rng, engine),
        "records": engine == "amaranth" and rng.random() < 0.25,
    }
    case = Case.model_validate(values)
    converter = _converter(seed, case.rows)
    return case.but(**_inference(rng, len(case.layers)), converter=converter)


def _margin(record: PassRecord, image: int) -> tuple[int, int]:
    """Votes of the predicted class, and how far its sum is above the others."""
    sums = record.sums[image].tolist()
    best = sums.index(max(sums))
    others = sums[:best] + sums[best + 1 :]
    return int(record.votes[image][best]), sums[best] - max(others, default=sums[best])


def _limits(rng: random.Random, case: Case, plan: Plan) -> Case:
    """Limits below which to abstain, where results really fall: just met, or just missed."""
    if case.engine == "verilator" or rng.random() < 0.5:
        return case
    workload = plan.workload
    golden = infer(workload.network, workload.images, workload.masks, workload.crossbar_sum)
    record = PassRecord.of_passes(workload.masks, golden.hidden, golden.logits, workload.weights)
    votes, margin = _margin(record, rng.randrange(case.images))
    kind, more = rng.randrange(3), rng.randrange(2)
    return case.but(
        min_votes=votes + more if kind != 1 else 0, min_margin=margin + more if kind != 0 else 0
    )


def _smaller(case: Case) -> list[Case]:
    """The case, and what takes fewer cycles."""
    two = case.but(images=-(-case.images // 2))
    few = min(case.masks or FEW_LEAVES, FEW_LEAVES) if case.mode == "exact" else 0
    return [case, two, two.but(passes=-(-case.passes // 2), masks=few)]


def draw(seed: int, engine: str = "amaranth") -> Case:
    """The case of a seed; the same seed and engine always give the same."""
    rng = random.Random(seed)
    budget, counts, attempt = rng.choice(BUDGETS[engine]), draw_counts(rng), 0
    while True:
        most = max(2, EDGE[engine] - attempt // 4)
        attempt += 1
        for case in _smaller(_draw_once(rng, seed, engine, counts, most)):
            try:
                plan = Plan(case)
            except UserError:
                break
            if plan.cycles() <= budget:
                return _limits(rng, case, plan)
