# SPDX-License-Identifier: Apache-2.0
"""The validation study: its points, its refusals, and what its committed table says."""

import csv
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, norm

from scaledrop.errors import UserError
from scaledrop_flow.bench.device_map import device_map, map_benchmarks
from scaledrop_flow.report.macrospin import agreement_picture, regimes_picture
from scaledrop_flow.report.style import save
from scaledrop_flow.studies import macrospin
from scaledrop_flow.studies.macrospin import GRID, PYTHON, macrospin_study, points

TABLE = Path(__file__).parents[2] / "docs/studies/macrospin.csv"


def committed():
    with TABLE.open() as lines:
        return list(csv.DictReader(lines))


def test_the_committed_table_agrees_as_well_as_chance_allows():
    rows = committed()
    z = np.array([float(row["z"]) for row in rows])
    assert len(rows) == len(GRID) >= 40
    assert (np.abs(z) > 3).sum() <= 1 and 2 * norm.sf(3) * len(z) < 0.2
    assert chi2.sf((z**2).sum(), len(z)) > 0.01 and abs(z.mean()) * np.sqrt(len(z)) < 3
    for row in rows:
        p, trials = float(row["probability"]), int(row["trials"])
        assert float(row["z"]) == pytest.approx(
            (int(row["switched"]) / trials - p) / np.sqrt(p * (1 - p) / trials), abs=1e-3
        )
    assert {float(row["temperature_k"]) for row in rows} == {250.0, 300.0, 350.0}


def test_the_law_still_says_what_the_table_says():
    rows = {
        (row["layer"], float(row["drive"]), float(row["temperature_k"])): row for row in committed()
    }
    for (name, _, temperature), row in rows.items():
        law = macrospin._law(name, temperature)
        p = law.probability(float(row["volts"]), float(row["pulse_s"]), temperature)
        assert p == pytest.approx(float(row["probability"]), abs=1e-4)
        assert law.barrier(temperature) == pytest.approx(float(row["delta"]), rel=1e-5)


def test_points_are_where_the_law_says_so(monkeypatch):
    monkeypatch.setattr(macrospin, "GRID", GRID[9:11])
    for (_, drive, _, target), point in zip(GRID[9:11], points(), strict=True):
        assert point["probability"] == pytest.approx(target, abs=1e-3)
        assert point["torque_a_m"] == pytest.approx(
            drive * point["damping"] * 2 * point["k_j_m3"] / point["ms_t"], rel=1e-6
        )
        assert point["settle_s"] >= 5 * point["pulse_s"] / point["pulse_tau"]


def test_without_cmtj(monkeypatch, tmp_path):
    def first():
        return next(macrospin_study(None, tmp_path, lambda _: None))

    monkeypatch.delenv(PYTHON, raising=False)
    with pytest.raises(UserError) as caught:
        first()
    assert str(caught.value) == f"{PYTHON}: not set; give the path of a Python that has cmtj"
    monkeypatch.setenv(PYTHON, "/nowhere/python")
    with pytest.raises(UserError) as caught:
        first()
    assert str(caught.value) == (
        f"{PYTHON}: /nowhere/python does not run (No such file or directory)"
    )
    monkeypatch.setenv(PYTHON, sys.executable)
    with pytest.raises(UserError) as caught:
        first()
    assert str(caught.value).endswith("No module named 'cmtj'; pip install cmtj there")


def test_a_row_from_counts(monkeypatch, tmp_path):
    monkeypatch.setenv(PYTHON, "python")
    monkeypatch.setattr(macrospin, "GRID", GRID[:1])
    monkeypatch.setattr(macrospin, "_count", lambda *_: (460, "1.0"))
    row = next(macrospin_study(None, tmp_path, lambda _: None))
    assert row["z"] == pytest.approx(0.03 / np.sqrt(0.16 / 2000), abs=0.02)
    assert row["p_value"] < 0.002 and row["cmtj"] == "1.0"


def test_pictures(tmp_path):
    for name, figure in (("a", regimes_picture()), ("b", agreement_picture(TABLE))):
        save(figure, tmp_path / f"{name}.svg")
        assert "<svg" in (tmp_path / f"{name}.svg").read_text()


def test_benchmark_of_the_map():
    """1,000 points that say something: all of 0 .. 1, rising with the drive."""
    p = device_map()
    assert p.size == 1000 and p.min() < 0.01 and p.max() > 0.99
    assert np.diff(p, axis=0).min() > -3e-4
    (one,) = map_benchmarks(1)
    assert (one["name"], one["unit"]) == ("device_map_1000_points_s", "s")
    assert 0 < one["value"] < 60
    with pytest.raises(UserError):
        map_benchmarks(0)


def test_programs_of_the_document_run():
    text = (TABLE.parents[1] / "device.md").read_text()
    programs = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert programs
    for program in programs:
        exec(compile(program, "docs/device.md", "exec"), {})
