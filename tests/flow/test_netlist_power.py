# SPDX-License-Identifier: Apache-2.0
"""From toggles and the power of cells to joules an action, beside the table."""

import os
from pathlib import Path

import pytest

from scaledrop.energy import load_table
from scaledrop.errors import UserError
from scaledrop_flow.netlist import sta
from scaledrop_flow.netlist.activity import Activity
from scaledrop_flow.netlist.blocks import BLOCKS
from scaledrop_flow.netlist.claims import Claim, Term, actions, table_joules
from scaledrop_flow.netlist.compare import verdict
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import Cell, Mapped
from scaledrop_flow.netlist.power import energy
from scaledrop_flow.netlist.sta import CellPower, StaReport, overcount, read_report

REPORT = """\
     Internal    Switching      Leakage        Total
        Power        Power        Power        Power
----------------------------------------------------
 8.143160e-06 4.400000e-07 8.438634e-12 8.583168e-06 g0
 0.000000e+00 0.000000e+00 5.326682e-12 5.326682e-12 g1
"""


def test_power_of_each_cell():
    assert read_report(REPORT) == {
        "g0": CellPower(8.14316e-06, 4.4e-07, 8.438634e-12),
        "g1": CellPower(0.0, 0.0, 5.326682e-12),
    }


def test_energy_of_a_recording():
    cells = {
        "g0": Cell("DFF", ("n0", 0), True),
        "g1": Cell("NAND", ("p1", 2), False),
        "g2": Cell("INV", None, False),
    }
    mapped = Mapped((), cells, 0.0, Path(), None, "")
    idle = {"g0": CellPower(5.0, 0.0, 0.1), "g1": CellPower(0, 0, 0.2), "g2": CellPower(0, 0, 0.3)}
    busy = {"g0": CellPower(7.0, 1.0, 0.1), "g1": CellPower(2, 1, 0.2), "g2": CellPower(4, 4, 0.3)}
    report = StaReport(idle, busy, 0.5, None, "")
    found = energy(mapped, report, Activity(10, {("n0", 0): 4, ("p1", 2): 6}, 0))
    assert found.clock == 5.0 * 0.5 * 10
    assert found.registers == (7.0 + 1.0 - 5.0) * 0.5 * 4
    assert found.logic == 3.0 * 0.5 * 6
    assert found.total == 25 + 6 + 9
    assert found.leakage_w == pytest.approx(0.6)


def test_without_sta(monkeypatch):
    monkeypatch.setattr(sta.shutil, "which", lambda _: None)
    with pytest.raises(UserError) as caught:
        sta.sta_command()
    assert str(caught.value) == "sta: not found; install OpenSTA (Debian: apt install opensta)"


@pytest.mark.skipif(not os.environ.get("SCALEDROP_PDK"), reason="data: SCALEDROP_PDK is not set")
def test_the_probe_tells_how_sta_counts(tmp_path):
    # Once or twice, by the version; anything else would be another convention.
    assert overcount(tmp_path) in (1.0, 2.0)


def report_of(clock, both):
    def run(script, folder):
        watts = {"0": clock, "1": both}
        rows = [f"== {at}\n {w:e} 0 0 {w:e} f" for at, w in watts.items()]
        return "\n".join([*rows, "== end", "worst slack INF"])

    return run


def test_another_convention_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sta, "_run", report_of(4e-4, 6e-4))
    assert overcount(tmp_path) == 2
    monkeypatch.setattr(sta, "_run", report_of(2e-4, 6e-4))
    with pytest.raises(UserError) as caught:
        overcount(tmp_path)
    assert str(caught.value) == (
        "sta: reports 1 and 2 times the energy of the probe; use another version"
    )


def test_the_table_at_another_node():
    table = load_table("mtj45")
    claim = Claim("x", ("logic",), "additions", (Term("adder", "additions", lambda _: 32),))
    same = table_joules(claim, table, None, {"additions": 10}, 45, 0.9, 0)
    assert same == pytest.approx(1e-12, rel=1e-9, abs=0)
    # 7.171 V^2 - 6.709 V + 2.904 at 1.8 V, against 1.103 V^2 - 0.362 V + 0.2767 at 0.9 V.
    there = table_joules(claim, table, None, {"additions": 10}, 130, 1.8, 0)
    assert there / same == pytest.approx(14.06184 / 0.84433, rel=1e-6)
    every = Claim("x", ("clock",), "additions", (Term("adder", "additions"),))
    assert table_joules(every, table, None, {"additions": 10}, 45, 0.9, 64) == 2 * same
    nothing = Claim("x", ("logic",), "additions")
    assert table_joules(nothing, table, None, {}, 130, 1.8, 0) is None


def test_actions_over_all_layers():
    counts = {"a": {"additions": 3}, "b": {"additions": 4}}
    assert actions("additions", counts, 100) == 7
    assert actions("clock cycles", counts, 100) == 100


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (None, "not in the table"),
        (0.5, "within a factor of two"),
        (2.0, "within a factor of two"),
        (2.01, "netlist 2.01 times the table"),
        (0.49, "netlist 0.49 times the table"),
    ],
)
def test_the_verdict(ratio, said):
    assert verdict(ratio) == said


def test_names_of_blocks_and_claims_are_unique():
    names = [block.name for block in BLOCKS]
    claims = [claim.name for block in BLOCKS for claim in block.claims]
    assert len(set(names)) == len(names) and len(set(claims)) == len(claims)


def test_what_sta_counts_twice_is_halved(monkeypatch, tmp_path):
    block = (
        "== 0\n 4e-4 0 1e-9 4e-4 g0\n== 1\n 8e-4 3e-4 1e-9 11e-4 g0\n== end\nworst slack -2000.0\n"
    )
    answers = [report_of(4e-4, 6e-4)("", tmp_path), block]
    monkeypatch.setattr(sta, "_run", lambda script, folder: answers.pop(0))
    monkeypatch.setattr(sta, "version", lambda: "OpenSTA 0")
    mapped = Mapped((), {"g0": Cell("DFF", ("n0", 0), True)}, 0.0, Path("n.v"), None, "")
    library = CellLibrary("four", (), (), 65, 1.2, 1e-12)
    report = sta.analyse(mapped, library, tmp_path)
    assert report.idle == {"g0": CellPower(2e-4, 0.0, 1e-9)}
    assert report.busy == {"g0": CellPower(4e-4, 3e-4, 1e-9)}
    assert report.path_s == pytest.approx(12e-9, rel=1e-12, abs=0)
    answers = [report_of(4e-4, 6e-4)("", tmp_path), block.replace("g0", "g1")]
    with pytest.raises(UserError, match=r"^sta: gives no power of cell g0; see "):
        sta.analyse(mapped, library, tmp_path)
