# SPDX-License-Identifier: Apache-2.0
"""Every planted fault in the RTL is noticed by the same check that a run passes without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scaledrop_hw
from mutants.faults import FAULTS
from mutants.victim import DIFFERENT

TESTS = Path(__file__).parent.parent
SOURCE = Path(scaledrop_hw.__file__).parent


def run_victim(package: Path) -> subprocess.CompletedProcess:
    """Run the victim with ``package`` in place of the installed one."""
    paths = [str(package.parent), str(TESTS), str(TESTS / "hw"), *sys.path]
    return subprocess.run(
        [sys.executable, str(TESTS / "mutants" / "victim.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    """A copy of the RTL sources."""
    return Path(shutil.copytree(SOURCE, tmp_path / "scaledrop_hw"))


def test_without_a_fault_everything_is_equal(copy):
    result = run_victim(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "values equal" in result.stdout


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(fault, copy):
    path = copy / fault.file
    text = path.read_text()
    assert text.count(fault.old) == 1, f"{fault.name}: the source has changed; renew the fault"
    path.write_text(text.replace(fault.old, fault.new))
    result = run_victim(copy)
    assert result.returncode == DIFFERENT, result.stdout + result.stderr
