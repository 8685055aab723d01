# SPDX-License-Identifier: Apache-2.0
"""The generated RTL, or a netlist of it, under cocotb and Verilator as a back end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.mapping import NetworkMapping
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop_cosim.capture import read_capture
from scaledrop_cosim.checker import CheckReport
from scaledrop_cosim.contract import Backend, Observation, Workload
from scaledrop_cosim.driver import Disturbance, plusargs
from scaledrop_cosim.monitor import observe
from scaledrop_cosim.run import BenchRun
from scaledrop_cosim.simulation import TOPLEVEL, Simulation
from scaledrop_cosim.toolchain import simulator_environment

__all__ = ["RtlBackend"]

BENCH = "scaledrop_cosim.bench"


class RtlBackend(Backend):
    """Runs a built simulation.

    Args:
        simulation: From :func:`scaledrop_cosim.simulation.build`.
        mapping: The mapping from which the RTL was generated.
        timing: Its pipeline latencies.
        folder: Where the run's files are kept.
        disturbance: Gaps and back-pressure.
        progress: Called with the number of finished images.
    """

    name = "RTL"

    def __init__(
        self,
        simulation: Simulation,
        mapping: NetworkMapping,
        timing: PipelineTiming,
        folder: Path,
        disturbance: Disturbance | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.simulation, self.mapping, self.timing = simulation, mapping, timing
        self.name = simulation.subject
        self.folder, self.progress = folder.resolve(), progress
        self.disturbance = disturbance or Disturbance()

    @property
    def folded(self) -> bool:
        """Whether the RTL has the folded datapath."""
        return bool(self.simulation.sidecar["parameters"]["datapath"] == "folded")

    def verify(self, workload: Workload) -> CheckReport:
        """Run the cocotb bench; the report is the one that it made inside the simulator.

        Raises:
            UserError: the simulator ended without a report; the message names its log.
        """
        sidecar = self.simulation.sidecar
        run = BenchRun(workload, self.mapping, self.timing, sidecar, self.disturbance, self.folded)
        run.save(self.folder)
        verdict = self.folder / "check.json"
        verdict.unlink(missing_ok=True)
        self._simulate(workload)
        if not verdict.exists():
            raise UserError(f"the simulator ended early; see {self.folder / 'simulation.log'}")
        return CheckReport(**json.loads(verdict.read_text()))

    def infer(self, workload: Workload) -> Observation:
        """Run the bench and return what was captured, right or wrong."""
        self.verify(workload)
        return self.observation(workload)

    def observation(self, workload: Workload) -> Observation:
        """What the last run captured."""
        capture = read_capture(self.folder, self.simulation.sidecar)
        return observe(capture, workload, self.mapping)

    def cycles_per_image(self, workload: Workload) -> int:
        """Predicted cycles of one undisturbed image."""
        layers = predict_cycles(self.mapping, workload.walks[:1], self.timing)
        return sum(sum(events.values()) for events in layers.values())

    def _simulate(self, workload: Workload) -> None:
        environment = simulator_environment(BENCH, TOPLEVEL, self.folder / "results.xml")
        environment["SCALEDROP_RUN"] = str(self.folder)
        command = [
            str(self.simulation.executable),
            *plusargs(workload, self.folder, self.disturbance, self.cycles_per_image(workload)),
        ]
        log = self.folder / "simulation.log"
        with (
            log.open("w") as file,
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("@images "):
                    if self.progress is not None:
                        self.progress(int(line.split()[1]))
                else:
                    file.write(line)
        if os.name == "posix" and process.returncode < 0:
            raise UserError(f"the simulator was ended by signal {-process.returncode}; see {log}")
