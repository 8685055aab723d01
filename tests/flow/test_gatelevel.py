# SPDX-License-Identifier: Apache-2.0
"""A whole accelerator as a netlist through the bench of the RTL, right and wrong."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from networks import random_graph_network, random_images
from scaledrop.frozen_file import save
from scaledrop.graph import Kind, Layer
from scaledrop.mapping import ArrayShape
from scaledrop.numbers import drop_code
from scaledrop_cosim import simulation
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_flow.gatelevel.synthesise import make_netlist
from scaledrop_flow.steps.generate import generate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few cycles are simulated, so that what counts is the C++ compiler's time."""
    monkeypatch.setattr(simulation, "NETLIST_OPTIMISE", "-O0")


@pytest.fixture
def network():
    head = Layer("head", 2, output=Kind.LOGITS)
    return random_graph_network(3, (4,), (head,), 2, codes=[drop_code(0.4)])


def test_the_command_runs_the_bench_on_a_netlist(run, network, tmp_path, cache):
    save(network, tmp_path / "tiny.sdnet")
    pixels, labels = random_images(5, network, 3), [0, 1, 0]
    np.savez(tmp_path / "own.npz", images=pixels, labels=np.array(labels))
    arguments = ["--images", 3, "--passes", 3, "--rows", 4, "--columns", 2]
    arguments += ["--datapath", "folded", "--out", "o", "--cache", cache]
    arguments += ["--model", "tiny.sdnet", "--data", "own.npz"]
    status, out, _ = run("cosim", "--netlist", "ecp5", *arguments)
    report = json.loads(Path("o/report.json").read_text())
    assert status == 0 and report["ok"] and report["mismatches"] == 0
    netlist = report["netlist"]
    assert netlist["kind"] == "ecp5" and netlist["cells"] == sum(netlist["cell_counts"].values())
    assert {"LUT4", "TRELLIS_FF", "CCU2C"} <= set(netlist["cell_counts"])
    assert report["backends"][-1]["name"] == "ecp5 netlist"
    assert report["cycles"]["predicted"] == report["cycles"]["simulated"] > 0
    assert re.search(r"^netlist     ecp5, [\d,]+ cells, yosys \S+, sha256 [0-9a-f]{16}$", out, re.M)
    assert f"{report['checked']['total']:,} values of the netlist, 0 mismatches" in out


def test_a_wrong_gate_is_found_and_its_place_named(network, tmp_path, cache):
    made = generate(network, ArrayShape(4, 2), tmp_path / "rtl", datapath="folded")
    netlist = make_netlist(made.verilog, "generic", tmp_path / "netlist", cache)
    text = netlist.verilog.read_text()
    gate = r"(= \\core\.outputs\.head\.load +)&( +\\core\.outputs\.datapath\.values\[\d+\])"
    assert re.search(gate, text)
    netlist.verilog.write_text(re.sub(gate, r"\1|\2", text, count=1))
    built = simulation.build(netlist.verilog, cache, cells=netlist.models)
    backend = RtlBackend(built, made.mapping, made.timing, tmp_path / "run")
    report = backend.verify(Workload(network, random_images(5, network, 3), 3, 1))
    assert not report.ok and report.backend == "generic netlist"
    assert re.match(r"image \d, pass \d, layer 0 \(head\), class \d: logit is ", report.first)
    assert report.mismatches["logits"] > 0 and report.mismatches["masks"] == 0
