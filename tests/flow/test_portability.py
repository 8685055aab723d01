# SPDX-License-Identifier: Apache-2.0
"""Generated Verilog before other tools: clean as it is, and every kind of fault is told."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from networks import random_graph_network
from scaledrop.calibration import Calibration
from scaledrop.converter import Converter
from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape
from scaledrop_flow.portability import readers
from scaledrop_flow.portability.readers import READERS, WAIVERS, read_with
from scaledrop_flow.steps.generate import generate

NODES = (
    Layer("a", 5, Window(3, padding=1), planes=2),
    MaxPool("b", 2),
    Layer("c", 6, Window(2)),
    Layer("d", 4, output=Kind.LOGITS),
)
FORMS = {
    "bare, reference, calibrator": (ArrayShape(8, 4, 2), {"calibration": Calibration()}),
    "bare, folded, taps, converter": (
        ArrayShape(8, 4, 2, Converter(3, 2, False)),
        {"datapath": "folded", "convolution": "taps"},
    ),
    "axi, reference": (ArrayShape(8, 4, 2), {"bus": "axi", "pixel_bits": 16}),
}
CHECKS = [name for name in READERS if name != "icarus"]
TINY = """
module tiny(clk, a, y);
  input clk;
  input [3:0] a;
  output [3:0] y;
  reg [3:0] y;
  always @(posedge clk) y <= a;
endmodule
"""


def made(form, folder):
    array, options = FORMS[form]
    network = random_graph_network(13, (2, 6, 6), NODES, input_bits=10)
    return generate(network, array, folder, **options).verilog


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Form to its Verilog."""
    return {form: made(form, tmp_path_factory.mktemp("rtl")) for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_clean(generated, form):
    generated = generated[form]
    verdicts = read_with(list(READERS), generated, generated.stem)
    assert [one.complaints for one in verdicts] == [()] * 4
    ran = [one for one in verdicts if not one.skipped]
    assert len(ran) >= len(CHECKS)


FAULTS = {
    "a latch": ("always @(posedge clk) y <= a;", "always @* if (clk) y = a;", "lint", "LATCH"),
    "a width": ("y <= a;", "y <= {a, a};", "lint", "WIDTHTRUNC"),
    "a loop": (
        "always @(posedge clk) y <= a;",
        "always @* y = y + a;",
        "lint",
        "UNOPTFLAT",
    ),
    "two drivers": ("endmodule", "assign y[0] = a[1];\nendmodule", "yosys", "."),
    "no driver": ("y <= a;", "y <= a ^ b; wire [3:0] b;", "yosys", "."),
    "no module": ("endmodule", "missing m(clk);\nendmodule", "yosys", "missing"),
    "a word of SystemVerilog": (
        "endmodule",
        "wire bit = a[0];\nendmodule",
        "systemverilog",
        "syntax",
    ),
    "SystemVerilog": ("reg [3:0] y", "logic [3:0] y", "lint", "."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told(fault, tmp_path):
    before, after, check, told = FAULTS[fault]
    text = TINY.replace(before, after, 1)
    if fault == "no driver":
        text = TINY.replace("reg [3:0] y;", "reg [3:0] y;\n  wire [3:0] b;").replace("<= a", "<= b")
    verilog = tmp_path / "tiny.v"
    verilog.write_text(TINY)
    assert [one.complaints for one in read_with([check], verilog, "tiny")] == [()]
    verilog.write_text(text)
    (verdict,) = read_with([check], verilog, "tiny")
    assert not verdict.ok
    assert re.search(told, "\n".join(verdict.complaints))


def waived_rules():
    return re.findall(r"^lint_off -rule (\w+)", WAIVERS.read_text(), re.M)


def test_no_waiver_is_stale(generated, tmp_path, monkeypatch):
    nothing = tmp_path / "none.vlt"
    nothing.write_text("`verilator_config\n")
    monkeypatch.setattr(readers, "WAIVERS", nothing)
    told = ""
    for verilog in generated.values():
        (verdict,) = read_with(["lint"], verilog, verilog.stem)
        told += "\n".join(verdict.complaints)
    assert set(re.findall(r"%Warning-(\w+)", told)) == set(waived_rules())


def test_every_waiver_has_a_reason():
    before = ""
    for line in WAIVERS.read_text().splitlines():
        if line.startswith("lint_off"):
            assert before.startswith(("//", "lint_off"))
        before = line


def test_the_same_bytes_under_another_hash_seed(generated, tmp_path):
    here = generated["axi, reference"].parent
    program = (
        "import sys; from pathlib import Path; from test_portability import made; "
        "made('axi, reference', Path(sys.argv[1]))"
    )
    folders = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(folders)}
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-c", program, there], env=environment, check=True)
    files = sorted(path.name for path in here.iterdir())
    assert files == sorted(path.name for path in there.iterdir())
    assert all((here / name).read_bytes() == (there / name).read_bytes() for name in files)


def test_a_missing_tool_is_said_and_no_complaint(monkeypatch, tmp_path):
    monkeypatch.setattr(readers.shutil, "which", lambda name: None)
    verilog = tmp_path / "tiny.v"
    verilog.write_text(TINY)
    (verdict,) = read_with(["icarus"], verilog, "tiny")
    assert verdict.ok
    assert verdict.skipped == (
        "iverilog: not found; install Icarus Verilog (Debian: apt install iverilog)"
    )


def test_wrong_arguments(tmp_path):
    verilog = tmp_path / "tiny.v"
    verilog.write_text(TINY)
    for arguments, message in (
        ((["spyglass"], verilog, "tiny"), "check: must be one of lint, systemverilog, yosys, "),
        ((["lint"], tmp_path / "no.v", "tiny"), f"verilog: {tmp_path / 'no.v'} cannot be read"),
        ((["lint"], verilog, "tin"), f"top: {verilog} has no module 'tin'; give one with --top"),
    ):
        with pytest.raises(UserError) as caught:
            read_with(*arguments)
        assert str(caught.value).startswith(message)


def test_command(run, tmp_path):
    (tmp_path / "tiny.v").write_text(TINY)
    assert run("lint", "tiny.v", "--out", "verdicts.json")[0] == 0
    verdicts = json.loads((tmp_path / "verdicts.json").read_text())
    assert [one["complaints"] for one in verdicts] == [[]] * len(READERS)
    (tmp_path / "tiny.v").write_text(TINY.replace("y <= a", "y <= {a, a}"))
    status, told, _ = run("lint", "tiny.v")
    assert status == 1
    assert "1 complaints" in told
    assert "WIDTHTRUNC" in told
