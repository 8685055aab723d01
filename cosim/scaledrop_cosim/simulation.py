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


def _common(toplevel: str, parameters: Mapping[str, int]) -> list[str]:
    return [
        *("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"),
        *("-Wno-lint", "--top-module", toplevel, "-o", "simulation"),
        *(f"-G{name}={value}" for name, value in parameters.items()),
    ]


def _cocotb_arguments(parameters: Mapping[str, int]) -> list[str]:
    import cocotb_tools.config

    libraries = cocotb_tools.config.libs_dir
    vpi = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [
        *_common(TOPLEVEL, parameters),
        *("--vpi", "--timing"),
        *("-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"),
        str(vpi),
        str(HDL / "cosim_top.sv"),
    ]


def _bare_arguments(parameters: Mapping[str, int]) -> list[str]:
    return [*_common("scaledrop_shell", parameters), str(HDL / "bare.cpp")]


def build(verilog: Path, cache: Path, bare: bool = False) -> Simulation:
    """Compile the simulation of ``verilog`` (its ``.json`` lies beside it), or find it built.

    The key is the sha256 of every source text and of the tools' versions. An interrupted build
    leaves nothing behind that a later one would take for finished.

    Args:
        cache: Where executables are kept.
        bare: A plain C++ loop instead of cocotb, to compare speeds with.

    Raises:
        UserError: a tool is missing or failed, or the cache cannot be written.
    """
    verilog, cache = verilog.resolve(), cache.resolve()
    sidecar = json.loads(verilog.with_suffix(".json").read_text())
    parameters = shell_parameters(sidecar)
    arguments = _bare_arguments(parameters) if bare else _cocotb_arguments(parameters)
    folder = cache / _key(arguments, [*sorted(HDL.iterdir()), verilog])
    executable = folder / "simulation"
    if not executable.exists():
        _compile([*arguments, str(HDL / "shell.sv"), str(verilog)], folder)
    return Simulation(executable, sidecar)


def _key(arguments: list[str], sources: list[Path]) -> str:
    key = hashlib.sha256("\n".join([toolchain_version(), *arguments]).encode())
    for source in sources:
        key.update(source.read_bytes())
    return key.hexdigest()[:20]


def _compile(arguments: list[str], folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError as error:
        raise UserError(f"{folder.parent}: cannot be written ({error.strerror})") from None
    try:
        compile_verilator(arguments, scratch, folder.with_suffix(".log"))
        folder.mkdir(exist_ok=True)
        os.replace(scratch / "simulation", folder / "simulation")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
