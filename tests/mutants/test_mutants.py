# SPDX-License-Identifier: Apache-2.0
"""Every planted fault in the RTL is noticed by the same check that a run passes without it."""

import os
import queue
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

import scaledrop_hw
from mutants.faults import FAULTS
from mutants.victim import DIFFERENT, VICTIMS

TESTS = Path(__file__).parent.parent
SOURCE = Path(scaledrop_hw.__file__).parent
SERVERS = 2


class Server:
    """A process that runs victims; see ``victim.py``."""

    def __init__(self):
        paths = [str(TESTS), str(TESTS / "hw"), *sys.path]
        self.process = subprocess.Popen(
            [sys.executable, str(TESTS / "mutants" / "victim.py")],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder, victim):
        """Exit status, and what was said."""
        print(folder, victim, file=self.process.stdin, flush=True)
        status = int(self.process.stdout.readline())
        return status, (folder / "said.txt").read_text()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def copy(folder):
    """A copy of the RTL sources in ``folder``."""
    shutil.copytree(SOURCE, folder / "scaledrop_hw")
    return folder


def plant(fault, folder):
    """A copy of the RTL sources with the fault."""
    path = copy(folder) / "scaledrop_hw" / fault.file
    text = path.read_text()
    assert text.count(fault.old) == 1, f"{fault.name}: the source has changed; renew the fault"
    path.write_text(text.replace(fault.old, fault.new))
    return folder


@pytest.fixture(scope="module")
def verdicts(request, tmp_path_factory):
    """Futures of (status, text) by name of the fault or of the victim, several at a time."""
    servers = queue.SimpleQueue()
    for _ in range(SERVERS):
        servers.put(Server())

    def examine(make, victim):
        folder = make(tmp_path_factory.mktemp("rtl"))
        server = servers.get()
        try:
            return server.run(folder, victim)
        finally:
            servers.put(server)
            shutil.rmtree(folder)

    names = {item.name.partition("[")[2].removesuffix("]") for item in request.session.items}
    with ThreadPoolExecutor(SERVERS) as pool:
        futures = {name: pool.submit(examine, copy, name) for name in VICTIMS if name in names}
        for fault in FAULTS:
            if fault.name in names:
                planted = partial(plant, fault)
                futures[fault.name] = pool.submit(examine, planted, fault.victim)
        yield futures
    for _ in range(SERVERS):
        servers.get().end()


@pytest.mark.parametrize("victim", VICTIMS)
def test_without_a_fault_everything_is_equal(victim, verdicts):
    status, text = verdicts[victim].result()
    assert status == 0 and "values equal" in text, text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(fault, verdicts):
    status, text = verdicts[fault.name].result()
    assert status == DIFFERENT, text


def test_every_fault_has_a_name_of_its_own():
    names = [*VICTIMS, *(fault.name for fault in FAULTS)]
    assert len(set(names)) == len(names) > 40
