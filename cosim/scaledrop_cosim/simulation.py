# SPDX-License-Identifier: Apache-2.0
"""A built simulation: compiled once per source text, kept under the text's digest."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS
from scaledrop_cosim.toolchain import compile_verilator, keep_executable, toolchain_version

__all__ = [
    "DESIGN",
    "HDL",
    "NETLIST_ARGUMENTS",
    "NETLIST_OPTIMISE",
    "TOPLEVEL",
    "Simulation",
    "build",
    "sizes_package",
    "subject_of",
]

HDL = Path(str(files("scaledrop_cosim") / "hdl"))
TOPLEVEL = "scaledrop_cosim"
SHELL = ("spin_device.sv", "shell.sv", "cosim_top.sv")
DESIGN = "scaledrop"
"""The accelerator itself, for a bench that drives all of it from Python."""


NETLIST_OPTIMISE = "-O1"
"""The C++ compiler's flag for a netlist, whose text is ten times that of its RTL."""
NETLIST_ARGUMENTS = (
    *("--inline-mult", "-1", "--output-split", "100000", "--output-split-cfuncs", "2000"),
    *("--timescale-override", "1ns/1ns", "-Wno-fatal"),
)
"""Verilator's for a netlist: every cell is expanded where it stands, files and functions are small
enough for a compiler, the models' own units of time do not count, and what Verilator warns of in
models of others stops nothing."""


@dataclass(frozen=True)
class Simulation:
    """An executable simulation and the sidecar of the accelerator in it."""

    executable: Path
    sidecar: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """What is simulated: ``RTL``, or a kind of netlist."""
        return subject_of(self.sidecar)


def subject_of(sidecar: Mapping[str, Any]) -> str:
    """What a sidecar describes: ``RTL``, or ``ecp5 netlist``."""
    netlist = sidecar.get("netlist")
    return "RTL" if netlist is None else f"{netlist['kind']} netlist"


def sizes_package(sidecar: Mapping[str, Any]) -> str:
    """SystemVerilog package with the sizes that the shell needs to know of an accelerator."""
    width = {port["name"]: port["width"] for port in sidecar["ports"]}
    sizes = {
        "PIXEL_BITS": width["pixels__payload"],
        "PIXELS": sidecar["network"]["input_size"],
        "CLASSES": sidecar["network"]["classes"],
        "COUNTERS": len(sidecar["counters"]) * len(sidecar["network"]["layers"]),
        "COUNTER_BITS": width["counter_value"],
        "PASSES_BITS": width["passes"],
        "SELECT_BITS": width["counter_select"],
        "RESULT_BITS": width["results__payload"],
        "VISIT_BITS": width["trace__visit"],
        "DRAWN_BITS": width["trace__drawn"],
        "HIDDEN_BITS": width["trace__hidden"],
        "LOGIT_BITS": width["trace__logit"],
        "CUTOFF_BITS": width["cutoff"],
        "MIN_VOTES_BITS": width["min_votes"],
        "MIN_MARGIN_BITS": width["min_margin"],
        "INJECT_BITS": width["inject"],
        "STATUS_BITS": width["status"],
        "MONITOR_SELECT_BITS": width["monitor_select"],
    }
    lines = [f"  localparam int {name} = {value};" for name, value in sizes.items()]
    codes = sidecar["network"]["drive_codes"]
    value = sum(code << (DROP_BITS * at) for at, code in enumerate(codes))
    bits = width["drive_codes"]
    lines.append(f"  localparam logic [{bits - 1}:0] DRIVE_CODES = {bits}'h{value:x};")
    return "\n".join(["package scaledrop_sizes;", *lines, "endpackage", ""])


def _common(toplevel: str) -> list[str]:
    return [
        *("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
        *("-Wno-lint", "--timescale", "1ns/1ns", "--top-module", toplevel, "-o", "simulation"),
    ]


def _cocotb_arguments(toplevel: str) -> list[str]:
    import cocotb_tools.config

    libraries = cocotb_tools.config.libs_dir
    if any(character in " $#" for character in str(libraries)):
        raise UserError(f"{libraries}: make stands no space, $ or # here; move the environment")
    vpi = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [
        *_common(toplevel),
        *("--vpi", "--timing"),
        *(["--public-flat-rw", "-Wno-fatal"] if toplevel == DESIGN else []),
        *("-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"),
        str(vpi),
    ]


def _bare_arguments() -> list[str]:
    return [*_common("scaledrop_shell"), str(HDL / "bare.cpp")]


def build(
    verilog: Path,
    cache: Path,
    bare: bool = False,
    toplevel: str = TOPLEVEL,
    cells: Sequence[Path] | None = None,
) -> Simulation:
    """Compile the simulation of ``verilog`` (its ``.json`` lies beside it), or find it built.

    The key is the sha256 of every source text and of the tools' versions. An interrupted build
    leaves nothing behind that a later one would take for finished.

    Args:
        verilog: The RTL, or a netlist with the same top module and ports.
        cache: Where executables are kept.
        bare: A plain C++ loop instead of cocotb, to compare speeds with.
        toplevel: ``DESIGN`` leaves the shell away and every signal open to Python.
        cells: ``verilog`` is a netlist, and these are Verilog models of its cells: none where it
            has operators only. None says that it is RTL.

    Raises:
        UserError: a tool is missing or failed, or the cache cannot be written.
    """
    verilog, cache = verilog.resolve(), cache.resolve()
    sidecar = json.loads(verilog.with_suffix(".json").read_text())
    package = sizes_package(sidecar)
    arguments = _bare_arguments() if bare else _cocotb_arguments(toplevel)
    if cells is not None:
        arguments = [*NETLIST_ARGUMENTS, *arguments]
    shell = [HDL / name for name in (SHELL[:2] if bare else SHELL)]
    sources = [*(shell if toplevel == TOPLEVEL else []), verilog, *(cells or ())]
    optimise = "-O2" if cells is None else NETLIST_OPTIMISE
    folder = cache / _key([toolchain_version(), package, *arguments, optimise], sources)
    if not (folder / "simulation").exists():
        _compile(arguments, package, sources, folder, optimise)
    return Simulation(folder / "simulation", sidecar)


def _key(texts: list[str], sources: list[Path]) -> str:
    key = hashlib.sha256("\n".join(texts).encode())
    for source in sorted([*sources, HDL / "bare.cpp"]):
        key.update(source.read_bytes())
    return key.hexdigest()[:20]


def _compile(
    arguments: list[str], package: str, sources: list[Path], folder: Path, optimise: str
) -> None:
    """Build on copies in a temporary folder: make stands no spaces in paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="scaledrop-") as name:
            scratch = Path(name)
            (scratch / "sizes.sv").write_text(package)
            copies = [
                shutil.copy(source, scratch / f"{at}_{source.name}")
                for at, source in enumerate(sources)
            ]
            files = [str(scratch / "sizes.sv"), *map(str, copies)]
            compile_verilator([*arguments, *files], scratch, folder / "build.log", optimise)
            keep_executable(scratch / "simulation", folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None
