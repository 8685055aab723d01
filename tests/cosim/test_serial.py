# SPDX-License-Identifier: Apache-2.0
"""A demonstrator under cocotb and Verilator, reached through its serial line alone."""

import json

from serial_designs import demonstrator

from scaledrop_cosim.axi import run_bench
from scaledrop_cosim.serial import SERIAL, build_demonstrator
from scaledrop_hw.demonstrator_export import demonstrator_sidecar
from scaledrop_hw.export import verilog_text

SCENES = 9
NAME = "demonstrator"


def test_a_host_at_the_other_end_of_the_line(tmp_path, cache):
    design = demonstrator()
    text = verilog_text(design, NAME)
    sidecar = tmp_path / "sidecar.json"
    sidecar.write_text(json.dumps(demonstrator_sidecar(design, NAME, text)))
    simulation = build_demonstrator(text, NAME, design.divisor, cache)
    settings = {"SERIAL_SIDECAR": str(sidecar)}
    run_bench(simulation, SERIAL, "serial_scenes", tmp_path, settings)
    assert (tmp_path / "results.xml").read_text().count("<testcase") == SCENES
