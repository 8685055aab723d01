# SPDX-License-Identifier: Apache-2.0
"""A run that finds a difference says so everywhere: status, report, page."""

import json
import re
import sys
from pathlib import Path

import pytest

from scaledrop_flow import cli
from scaledrop_flow.steps import cosim
from scaledrop_flow.steps.generate import generate
from verilog_words import changed_word

MODEL = Path(__file__).parent.parent / "golden" / "digits.sdnet"


def faulty(*arguments, **options):
    """Generate, then turn the direction of the first channel's comparison round."""
    made = generate(*arguments, **options)
    text = made.verilog.read_text()
    flip = 1 << json.loads(made.sidecar.read_text())["widths"]["scaled"] + 1
    made.verilog.write_text(changed_word(text, "thresholds", 0, lambda word: word ^ flip))
    return made


def test_a_difference_is_named_and_the_status_is_1(monkeypatch, capsys, tmp_path, cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cosim, "generate", faulty)
    arguments = ["cosim", "--model", str(MODEL), "--images", "5", "--passes", "3"]
    arguments += ["--rows", "16", "--columns", "4"]
    monkeypatch.setattr(sys, "argv", ["scaledrop", *arguments, "--out", "o", "--cache", str(cache)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    report = json.loads(Path("o/report.json").read_text())
    assert report["ok"] is False and report["mismatches"] > 0
    assert re.match(
        r"image \d, pass \d, layer 0 \(dense0\), channel 0:", report["first_difference"]
    )
    assert "MISMATCH: image" in " ".join(capsys.readouterr().out.split())
    assert report["first_difference"].split(":")[0] in Path("o/index.html").read_text()
