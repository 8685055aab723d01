# SPDX-License-Identifier: Apache-2.0
"""Builds a design whose every port cocotb sees, and runs a bench on it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cocotb_tools.config

from scaledrop.errors import UserError
from scaledrop_cosim.simulation import (
    HDL,
    NETLIST_ARGUMENTS,
    NETLIST_OPTIMISE,
    Simulation,
)
from scaledrop_cosim.toolchain import (
    compile_verilator,
    keep_executable,
    simulator_environment,
    toolchain_version,
)

__all__ = ["SYSTEM", "build_system", "build_top", "run_bench"]

SYSTEM = "scaledrop_system"
"""The shell around a system."""


def _arguments(toplevel: str) -> list[str]:
    """Only the ports of the top are visible: that is what keeps the rest fast."""
    libraries = cocotb_tools.config.libs_dir
    vpi = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [
        *("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
        *("-Wno-lint", "--timescale", "1ns/1ns", "--top-module", toplevel, "-o", "simulation"),
        *("--vpi", "--timing"),
        *("-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"),
        str(vpi),
    ]


def build_top(verilog: str, toplevel: str, cache: Path, netlist: bool = False) -> Path:
    """Compile a design, or find it built under the digest of its text; returns the executable.

    Args:
        netlist: It is one of many small cells.

    Raises:
        UserError: a tool is missing or failed, or the cache cannot be written.
    """
    arguments, optimise = _arguments(toplevel), "-O2"
    if netlist:
        arguments, optimise = [*NETLIST_ARGUMENTS, *arguments], NETLIST_OPTIMISE
    key = hashlib.sha256("\n".join([toolchain_version(), *arguments, verilog]).encode())
    folder = cache.resolve() / key.hexdigest()[:20]
    if (folder / "simulation").exists():
        return folder / "simulation"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="scaledrop-") as name:
            scratch = Path(name)
            (scratch / "top.v").write_text(verilog)
            (scratch / "ports.vlt").write_text(_visible(toplevel))
            sources = [str(scratch / "ports.vlt"), str(scratch / "top.v")]
            compile_verilator([*arguments, *sources], scratch, folder / "build.log", optimise)
            keep_executable(scratch / "simulation", folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None
    return folder / "simulation"


def build_system(verilog: Path, cache: Path, cells: Sequence[Path] | None = None) -> Simulation:
    """Compile a generated system (its ``.json`` lies beside it) in its shell, or find it built.

    Args:
        cells: As in :func:`scaledrop_cosim.simulation.build`: ``verilog`` is a netlist, and these
            are models of its cells.

    Raises:
        UserError: a file cannot be read or describes no system, a tool is missing or failed, or the
            cache cannot be written.
    """
    try:
        text = verilog.read_text()
        sidecar = json.loads(verilog.with_suffix(".json").read_text())
        models = [path.read_text() for path in cells or ()]
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None
    if "bus" not in sidecar:
        raise UserError(f"{verilog}: is no system; generate it with --bus axi")
    macros = {
        "SCALEDROP_SYSTEM": sidecar["module"],
        "SCALEDROP_PIXEL_BITS": sidecar["bus"]["pixel_bits"],
    }
    lines = [f"`define {name} {value}" for name, value in macros.items()]
    shell = [(HDL / name).read_text() for name in ("spin_device.sv", "system_shell.sv")]
    whole = "\n".join([*lines, *shell, text, *models])
    return Simulation(build_top(whole, SYSTEM, cache, cells is not None), sidecar)


def _visible(toplevel: str) -> str:
    lines = ["`verilator_config", f'public_flat_rw -module "{toplevel}" -var "*"']
    return "\n".join([*lines, ""])


def run_bench(
    executable: Path,
    toplevel: str,
    module: str,
    folder: Path,
    settings: Mapping[str, str],
    arguments: Sequence[str] = (),
) -> str:
    """Run the cocotb tests of ``module`` and return what they printed.

    Args:
        executable: From :func:`build_top`.
        toplevel: Name of the design.
        module: Importable from ``sys.path``.
        folder: Where ``results.xml`` and ``simulation.log`` are written.
        settings: Environment variables that the bench reads.
        arguments: Of the simulator.

    Raises:
        UserError: the simulator ended without a verdict, or a test failed; names the log.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    verdict, log = folder / "results.xml", folder / "simulation.log"
    verdict.unlink(missing_ok=True)
    environment = {**simulator_environment(module, toplevel, verdict), **settings}
    command = [str(executable), *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    log.write_text(result.stdout + result.stderr)
    if not verdict.exists() or "<testcase" not in verdict.read_text():
        raise UserError(f"the simulator ended without a verdict; see {log}")
    if "<failure" in verdict.read_text() or "<error" in verdict.read_text():
        raise UserError(f"{module}: a test failed; see {log}")
    return result.stdout
