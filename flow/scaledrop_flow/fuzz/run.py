# SPDX-License-Identifier: Apache-2.0
"""Runs one case through the RTL and compares everything with the golden model."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from scaledrop_cosim.amaranth_bench import World
from scaledrop_cosim.amaranth_bench import run as simulate
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import CheckReport, check
from scaledrop_cosim.contract import Observation
from scaledrop_cosim.driver import Disturbance
from scaledrop_cosim.monitor import observe
from scaledrop_cosim.simulation import build
from scaledrop_flow.fuzz.build import Plan
from scaledrop_flow.fuzz.case import Case
from scaledrop_flow.fuzz.features import features, seen
from scaledrop_flow.fuzz.judge import add_fast_engine, add_records, without_abstention

__all__ = ["Outcome", "run_case"]

PATIENCE, AT_LEAST = 4, 4000
"""A run is taken for hung after so many times its predicted cycles, and some."""


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        kind: how it failed: ``differs``, ``hangs`` or ``raises``; empty when all is equal.
        first: the first difference, or what went wrong, in words.
        checked: kind of value -> values compared.
        layers: way in which a layer is mapped -> layers.
        features: what was in the case, and what was seen.
        cycles: about how many the run took.
        seconds: that it took.
    """

    case: Case
    kind: str = ""
    first: str = ""
    checked: dict[str, int] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    features: frozenset[str] = frozenset()
    cycles: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.kind

    def __str__(self) -> str:
        if self.ok:
            return f"{sum(self.checked.values()):,} values equal in {self.seconds:.1f} s"
        return f"{self.kind}: {self.first}"


Result = tuple[CheckReport, Observation | None]


def _in_amaranth(plan: Plan) -> Result:
    case, workload, mapping = plan.case, plan.workload, plan.mapping
    accelerator = plan.accelerator()
    limits = case.min_votes, case.min_margin
    world = World(case.idle / 256, case.stall / 256, case.pause, *limits, case.records)
    capture = simulate(accelerator, workload, world, PATIENCE * plan.cycles() + AT_LEAST)
    observation = observe(capture, workload, mapping)
    judged = without_abstention(case, observation)
    timing = accelerator.pipeline_timing if case.quiet else None
    report = check("RTL", workload, judged, mapping, timing, case.datapath == "folded")
    if case.records:
        add_records(report, workload, capture.records)
    return report, observation


def _in_verilator(plan: Plan) -> Result:
    from scaledrop_hw.export import export

    case, accelerator = plan.case, plan.accelerator()
    with tempfile.TemporaryDirectory(prefix="scaledrop-fuzz-") as name:
        folder = Path(name)
        verilog, _ = export(accelerator, folder)
        simulation = build(verilog, folder / "cache")
        disturbance = Disturbance(case.idle, case.stall)
        timing = accelerator.pipeline_timing
        backend = RtlBackend(simulation, plan.mapping, timing, folder / "run", disturbance)
        report = backend.verify(plan.workload)
        return report, backend.observation(plan.workload) if report.ok else None


def _attempt(plan: Plan, known: Outcome) -> Outcome:
    engine = {"amaranth": _in_amaranth, "verilator": _in_verilator}[plan.case.engine]
    try:
        report, observation = engine(plan)
        add_fast_engine(report, plan)
    except CaptureError as error:
        return replace(known, kind="differs", first=str(error))
    except TimeoutError as error:
        return replace(known, kind="hangs", first=str(error))
    return replace(
        known,
        kind="" if report.ok else "differs",
        first=report.first or "",
        checked=report.checked,
        features=known.features | (seen(observation) if observation is not None else set()),
    )


def _innermost(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return " ".join(f"{type(error).__name__}: {error} ({where})".split())


def run_case(case: Case) -> Outcome:
    """Run a case; whatever happens is an outcome."""
    start, outcome = time.perf_counter(), Outcome(case)
    try:
        plan = Plan(case)
        outcome = Outcome(
            case,
            layers=dict(Counter(str(entry.method) for entry in plan.mapping.layers)),
            features=frozenset(features(case, plan.mapping)),
            cycles=plan.cycles(),
        )
        outcome = _attempt(plan, outcome)
    except Exception as error:
        outcome = replace(outcome, kind="raises", first=_innermost(error))
    return replace(outcome, seconds=time.perf_counter() - start)
