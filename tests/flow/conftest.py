# SPDX-License-Identifier: Apache-2.0
import sys

import pytest

from scaledrop_flow import cli


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Runs the command in ``tmp_path``; returns (status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["scaledrop", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return call
