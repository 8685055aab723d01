# SPDX-License-Identifier: Apache-2.0
"""Converters from the command line: into the sidecar, and refused where they make no sense."""

import json
import sys
from pathlib import Path

import pytest

from scaledrop_flow import cli

MODEL = str(Path(__file__).parent.parent / "golden" / "digits.sdnet")
GENERATE = ["generate", "--model", MODEL, "--rows", "16", "--columns", "4", "--out", "o"]


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["scaledrop", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def test_the_sidecar_names_the_converter(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *GENERATE, "--converter-bits", "3") == 0
    (sidecar,) = Path("o").glob("*.json")
    found = json.loads(sidecar.read_text())["parameters"]["converter"]
    assert found == {"bits": 3, "step": 4, "mid_rise": False}
    (source,) = Path("o").glob("*.v")
    assert "converter" in source.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--converter-step", "2"], "converter_bits: 0 is lossless, with no step; give the bits"),
        (["--mid-rise"], "converter_bits: 0 is lossless, with no step; give the bits"),
        (["--converter-bits", "17"], "converter bits: must be 1 to 16, not 17"),
        (
            ["--converter-bits", "4", "--converter-step", "6"],
            "converter step: must be a power of two up to 65536, not 6",
        ),
    ],
)
def test_converters_that_make_no_sense_are_refused(options, message, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *GENERATE, *options) != 0
    output = capsys.readouterr()
    assert message in " ".join((output.out + output.err).split())
    assert not Path("o").exists()
