# SPDX-License-Identifier: Apache-2.0
"""docs/energy-baselines.md: its figures are those of the code, its file and program work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scaledrop.energy import format_band, load_table
from scaledrop.energy.baselines import source_costs
from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.published import load_published
from scaledrop.energy.references import load_references
from scaledrop.graph import Graph
from scaledrop.topologies import lenet5

PAGE = (Path(__file__).parents[2] / "docs" / "energy-baselines.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_table_of_sources_is_what_the_code_gives() -> None:
    figures = figures_of(Graph((28, 28), 8, lenet5(10)))
    for one in source_costs(figures, load_table("mtj45"), 20):
        numbers = f"{one.numbers:,} | {one.units:,} | {format_band(one.joules)} | {one.sums:,}"
        assert f"| {one.name} | {numbers} |" in PAGE


def test_every_published_row_and_reference_is_told_with_its_trust() -> None:
    for row in load_published():
        (line,) = re.findall(rf"^\| {re.escape(row.name)} \|(.*)$", PAGE, re.M)
        figure, trust = line.split("|")[:2]
        assert float(figure) == row.uj_per_image
        assert trust.split()[0].strip(":;") == ("verified" if row.verified else "unverified")
    for reference in load_references():
        assert f"{reference.nj_per_pass:g} nJ" in WORDS


def test_the_file_and_the_program_of_the_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S))
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(blocks["yaml"])
    exec(compile(blocks["python"], "energy-baselines.md", "exec"), {})
    told = capsys.readouterr().out
    assert "baseline holds at our value, not at our high end." in told and "VIBNN takes" in told
