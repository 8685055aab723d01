# SPDX-License-Identifier: Apache-2.0
"""What every block sees and does in a co-simulation, cycle by cycle, from the reset on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.events import EventCounts
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance, plusargs
from scaledrop_cosim.run import BenchRun
from scaledrop_cosim.simulation import HDL, Simulation, sizes_package
from scaledrop_cosim.toolchain import compile_verilator
from scaledrop_flow.netlist.design import Module
from scaledrop_flow.steps.generate import Generated

__all__ = ["Recording", "record", "recorder"]

TOP = "scaledrop_recorder"
SHELL = ("spin_device.sv", "shell.sv")


@dataclass(frozen=True)
class Recording:
    """A run with the traffic of some modules.

    Attributes:
        files: Module to a file with one line of hexadecimal digits a clock edge: all its ports but
            the clock, in the module's order, the first in the highest bits.
        cycles: Lines of each.
        counts: What the event counters of the RTL counted in the run.
    """

    files: Mapping[str, Path]
    cycles: int
    counts: EventCounts


def _reference(module: str, port: str) -> str:
    path = module.partition(".")[2]
    return f"shell.dut.{path}{'.' if path else ''}{port} "


def recorder(chosen: Sequence[Module]) -> str:
    """SystemVerilog of a top that runs the shell and writes the ports of ``chosen``."""
    opens, writes = [], []
    for at, module in enumerate(chosen):
        ports = (_reference(module.name, one.name) for one in module.ports if one.name != "clk")
        opens.append(f'    file_{at} = $fopen({{folder, "/{module.name}.hex"}}, "w");')
        writes.append(f'      $fwrite(file_{at}, "%h\\n", {{{", ".join(ports)}}});')
    return "\n".join(
        (
            f"module {TOP} (input wire clk, input wire go, output wire [31:0] images_done,",
            "                           output wire done, output wire hung);",
            "  scaledrop_shell shell (.*);",
            "  string folder;",
            *(f"  int file_{at};" for at in range(len(chosen))),
            "  initial begin",
            '    if (!$value$plusargs("record=%s", folder)) folder = ".";',
            *opens,
            "  end",
            "  always @(posedge clk)",
            "    if (go && !done) begin",
            *writes,
            "    end",
            "endmodule",
            "",
        )
    )


def _build(generated: Generated, chosen: Sequence[Module], folder: Path) -> Simulation:
    sidecar = json.loads(generated.sidecar.read_text())
    (folder / "sizes.sv").write_text(sizes_package(sidecar))
    (folder / "recorder.sv").write_text(recorder(chosen))
    sources = [folder / "sizes.sv", *(HDL / name for name in SHELL), generated.verilog.resolve()]
    arguments = [
        *("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
        *("-Wno-lint", "--timescale", "1ns/1ns", "--top-module", TOP, "-o", "simulation"),
        *map(str, (HDL / "bare.cpp", *sources, folder / "recorder.sv")),
    ]
    compile_verilator(arguments, folder, folder / "build.log", "-O0")
    return Simulation(folder / "simulation", sidecar)


def record(
    generated: Generated, workload: Workload, chosen: Sequence[Module], folder: Path
) -> Recording:
    """Build the RTL with a recorder, run ``workload`` and keep the ports of the modules ``chosen``.

    Raises:
        UserError: a tool is missing or failed, or the run did not end.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    simulation = _build(generated, chosen, folder)
    backend = RtlBackend(simulation, generated.mapping, generated.timing, folder)
    quiet = Disturbance()
    run = BenchRun(
        workload,
        generated.mapping,
        generated.timing,
        simulation.sidecar,
        quiet,
        backend.folded,
    )
    run.save(folder)
    limit = backend.cycles_per_image(workload)
    command = [str(simulation.executable), *plusargs(workload, folder, quiet, limit)]
    command.append(f"+record={folder}")
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"the recorded simulation failed: {result.stderr.strip() or result.stdout}")
    files = {module.name: folder / f"{module.name}.hex" for module in chosen}
    with next(iter(files.values())).open() as lines:
        cycles = sum(1 for _ in lines)
    counts = backend.observation(workload).counters
    assert counts is not None
    return Recording(files, cycles, counts)
