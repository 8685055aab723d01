# SPDX-License-Identifier: Apache-2.0
"""The shape of the house: what is tracked, who imports whom, what must not need PyTorch."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "scaledrop": "sw",
    "scaledrop_hw": "hw",
    "scaledrop_cosim": "cosim",
    "scaledrop_flow": "flow",
}
ORDER = list(FOLDERS)


def sources(package):
    return sorted((ROOT / FOLDERS[package] / package).rglob("*.py"))


def imported(path):
    """Our own packages that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_imports_run_one_way(package):
    above = set(ORDER[ORDER.index(package) + 1 :])
    wrong = {str(path): imported(path) & above for path in sources(package)}
    assert not {path: names for path, names in wrong.items() if names}


def test_cosim_does_not_need_the_rtl_sources():
    assert not any("scaledrop_hw" in imported(path) for path in sources("scaledrop_cosim"))


@pytest.mark.parametrize(
    "modules",
    [
        "scaledrop.numbers, scaledrop.frozen_file, scaledrop.engine, scaledrop.schedule",
        "scaledrop_hw.accelerator, scaledrop_hw.export",
        "scaledrop_cosim.checker, scaledrop_cosim.backends.rtl",
        "scaledrop.energy, scaledrop.prediction",
        "scaledrop.device.sampler, scaledrop.device.fit_card, scaledrop.device.macrospin_card",
        "scaledrop.randomness",
    ],
)
def test_no_torch_is_needed(modules):
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def tracked():
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return [path for folder in FOLDERS.values() for path in (ROOT / folder).rglob("*.*")]
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_no_large_file_no_binary_no_generated_verilog():
    for path in tracked():
        data = path.read_bytes()
        assert len(data) < 1_000_000, path
        assert b"\0" not in data, path
        assert path.suffix not in {".v", ".ipynb"}, path


def test_every_python_file_has_its_licence_line():
    for path in tracked():
        if path.suffix == ".py":
            assert path.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n"), path


def test_makefile_names_what_is_missing(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh", "python3", "g++"):
        (tools / name).symlink_to(shutil.which(name))
    command = ["make", "setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={sys.executable}"]
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "perl is missing: install it (Debian: apt install perl)" in result.stdout


def test_lock_file_pins_every_direct_dependency():
    names = re.findall(r'^    "([A-Za-z0-9_-]+)', (ROOT / "pyproject.toml").read_text(), re.M)
    pins = (ROOT / "requirements.lock").read_text().lower().replace("_", "-")
    assert names
    for name in set(names) - {"scaledrop"}:
        assert re.search(rf"^{re.escape(name.lower())}==\S+$", pins, re.M), name
