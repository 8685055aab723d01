# SPDX-License-Identifier: Apache-2.0
"""A built simulation: compiled once per source text, kept under the text's digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop_cosim.toolchain import compile_verilator, toolchain_version

__all__ = ["HDL", "TOPLEVEL", "Simulation", "build", "shell_parameters"]

HDL = Path(str(files("scaledrop_cosim") / "hdl"))
TOPLEVEL = "scaledrop_cosim"


@dataclass(frozen=True)
class Simulation:
    """An executable simulation and the sidecar of the accelerator in it."""

    executable: Path
    sidecar: Mapping[str, Any]


def shell_parameters(sidecar: Mapping[str, Any]) -> dict[str, int]:
    """Parameters of ``shell.sv`` for an accelerator."""
    width = {port["name"]: port["width"] for port in sidecar["ports"]}
    return {
        "PIXEL_BITS": width["pixels__payload"],
        "PIXELS": sidecar["network"]["input_size"],
        "CLASSES": sidecar["network"]["classes"],
        "COUNTERS": len(sidecar["counters"]) * len(sidecar["network"]["layers"]),
        "PASSES_BITS": width["passes"],
        "SELECT_BITS": width["counter_select"],
        "RESULT_BITS": width["results__payload"],
        "HIDDEN_BITS": width["trace__hidden"],
        "MASK_BITS": width["trace__mask"],
        "LOGIT_BITS": width["trace__logit"],
        "SCALE_ADDRESS_BITS": width["scale_host__address"],
        "SCALE_WORD_BITS": width["scale_host__data"],
    }


def _arguments(sources: list[Path], parameters: Mapping[str, int]) -> list[str]:
    import cocotb_tools.config

    libraries = cocotb_tools.config.libs_dir
    vpi = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [
        *("--cc", "--exe", "--vpi", "--timing", "-O3", "--x-assign", "fast", "-Wno-lint"),
        *("--x-initial", "fast", "--no-assert", "--top-module", TOPLEVEL, "-o", "simulation"),
        *("-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        str(vpi),
        *map(str, sources),
    ]


def build(verilog: Path, cache: Path) -> Simulation:
    """Compile the simulation of ``verilog`` (its ``.json`` lies beside it), or find it built.

    The key is the sha256 of every source text and of the tools' versions. An interrupted build
    leaves nothing behind that a later one would take for finished.

    Raises:
        UserError: a tool is missing or failed, or the cache cannot be written.
    """
    verilog, cache = verilog.resolve(), cache.resolve()
    sidecar = json.loads(verilog.with_suffix(".json").read_text())
    sources = [HDL / "cosim_top.sv", HDL / "shell.sv", verilog]
    key = hashlib.sha256(toolchain_version().encode())
    for source in sources:
        key.update(source.read_bytes())
    folder = cache / key.hexdigest()[:20]
    executable = folder / "simulation"
    if executable.exists():
        return Simulation(executable, sidecar)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=cache))
    except OSError as error:
        raise UserError(f"{cache}: cannot be written ({error.strerror})") from None
    try:
        arguments = _arguments(sources, shell_parameters(sidecar))
        compile_verilator(arguments, scratch, cache / f"{folder.name}.log")
        folder.mkdir(exist_ok=True)
        os.replace(scratch / "simulation", executable)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Simulation(executable, sidecar)
