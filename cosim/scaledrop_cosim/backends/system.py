# SPDX-License-Identifier: Apache-2.0
"""The generated system behind its buses, under cocotb and Verilator, as a back end."""

from __future__ import annotations

import json
from pathlib import Path

from scaledrop.driver import sizes_from_sidecar
from scaledrop.mapping import NetworkMapping
from scaledrop.packets import PacketType, packet_length
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop_cosim import system_bench
from scaledrop_cosim.axi.build import SYSTEM, run_bench
from scaledrop_cosim.axi.frames import DeviceRun, observe_run
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import CheckReport, check, failed
from scaledrop_cosim.contract import Backend, Observation, Workload
from scaledrop_cosim.driver import Disturbance, spin_plusargs
from scaledrop_cosim.run import BenchRun
from scaledrop_cosim.simulation import Simulation

__all__ = ["AxiBackend"]


class AxiBackend(Backend):
    """Runs a built system through :class:`scaledrop.driver.Device`, logits of every leaf included.

    Hidden layers do not leave a device; the check says so. Cycle counters are not predicted: the
    buses hold the accelerator up.

    Args:
        simulation: From :func:`scaledrop_cosim.axi.build.build_system`.
        mapping: The mapping from which the system was generated.
        timing: Its pipeline latencies.
        folder: Where the run's files are kept.
        disturbance: Cycles that the source of pixels (``idle``) and the sink of results (``stall``)
            leave out; the control port's master leaves out the larger share.
    """

    name = "RTL over AXI"

    def __init__(
        self,
        simulation: Simulation,
        mapping: NetworkMapping,
        timing: PipelineTiming,
        folder: Path,
        disturbance: Disturbance | None = None,
    ) -> None:
        self.simulation, self.mapping, self.timing = simulation, mapping, timing
        self.name = f"{simulation.subject} over AXI"
        self.folder, self.disturbance = folder.resolve(), disturbance or Disturbance()

    @property
    def folded(self) -> bool:
        """Whether the system has the folded datapath."""
        return bool(self.simulation.sidecar["parameters"]["datapath"] == "folded")

    def infer(self, workload: Workload) -> Observation:
        """Run the bench and return what came over the buses.

        Raises:
            UserError: the driver was refused, or the buses' rules were broken; names the log.
            CaptureError: the frames are not whole.
        """
        sidecar = self.simulation.sidecar
        run = BenchRun(workload, self.mapping, self.timing, sidecar, self.disturbance, self.folded)
        run.save(self.folder)
        settings = {
            system_bench.RUN_VARIABLE: str(self.folder),
            system_bench.LIMIT_VARIABLE: str(self._limit(workload)),
        }
        arguments = spin_plusargs(workload, self.folder)
        bench, output = system_bench.__name__, self.folder / system_bench.OUTPUT
        output.unlink(missing_ok=True)
        run_bench(self.simulation.executable, SYSTEM, bench, self.folder, settings, arguments)
        return self.observation(workload)

    def observation(self, workload: Workload) -> Observation:
        """What came over the buses in the last run.

        Raises:
            CaptureError: there is none, or the frames are not whole.
        """
        output = self.folder / system_bench.OUTPUT
        if not output.exists():
            raise CaptureError(f"{output}: the bench has not written it")
        return observe_run(DeviceRun.from_json(json.loads(output.read_text())), workload)

    def verify(self, workload: Workload) -> CheckReport:
        """Compare a run with the golden model.

        Raises:
            UserError: as :meth:`infer`.
        """
        try:
            observation = self.infer(workload)
        except CaptureError as error:
            return failed(self.name, str(error))
        return check(self.name, workload, observation, self.mapping, None, self.folded)

    def _limit(self, workload: Workload) -> int:
        """Cycles without an answer that are taken for a hang: ten times those of an image."""
        sizes = sizes_from_sidecar(self.simulation.sidecar)
        layers = predict_cycles(self.mapping, workload.walks[:1], self.timing)
        cycles = sum(sum(events.values()) for events in layers.values())
        words = workload.leaves_per_image * packet_length(PacketType.LEAF, sizes)
        slowest = 256 / (256 - max(self.disturbance.idle, self.disturbance.stall))
        return int(10 * (cycles + (words + sizes.pixels) * slowest)) + 10_000
