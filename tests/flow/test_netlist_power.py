# SPDX-License-Identifier: Apache-2.0
"""Joules an action beside the table; the worst path where OpenSTA is installed."""

import pytest

from scaledrop.energy import load_table
from scaledrop.errors import UserError
from scaledrop_flow.netlist.blocks import BLOCKS
from scaledrop_flow.netlist.claims import Claim, Term, actions, table_joules
from scaledrop_flow.netlist.compare import verdict
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.sta import has_sta, sta_path


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


def sta(folder, text, status=0):
    """A program of that name which says ``text``."""
    program = folder / "sta"
    (folder / "said").write_text(text)
    program.write_text(
        f"#!/bin/sh\ncase $1 in -version) echo 9.9;; *) cat {folder}/said; exit {status};; esac\n"
    )
    program.chmod(0o755)


LIBRARY = CellLibrary("four", (), 65, 1.2, 1e-12)


def test_the_worst_path_by_opensta(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sta(tmp_path, "worst slack -2000.0\n== path\nStartpoint: g0\nEndpoint: g1\n")
    assert has_sta()
    found = sta_path(tmp_path / "n.v", LIBRARY, tmp_path / "sta-run", 10e-9)
    assert found.path_s == pytest.approx(12e-9, rel=1e-12, abs=0)
    assert (found.path, found.tool) == ("Startpoint: g0\nEndpoint: g1", "OpenSTA 9.9")
    script = (tmp_path / "sta-run" / "timing.tcl").read_text()
    assert "create_clock -name clk -period 10000 [get_ports clk]" in script
    sta(tmp_path, "worst slack INF\n== path\nNo paths found.\n")
    assert sta_path(tmp_path / "n.v", LIBRARY, tmp_path / "sta-run", 10e-9).path_s is None
    sta(tmp_path, "Error: n.v line 3, syntax error\n")
    with pytest.raises(
        UserError, match=r"^sta failed: Error: n.v line 3, syntax error \(whole log: "
    ):
        sta_path(tmp_path / "n.v", LIBRARY, tmp_path / "sta-run", 10e-9)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert not has_sta()
