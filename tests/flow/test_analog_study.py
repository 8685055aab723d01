# SPDX-License-Identifier: Apache-2.0
"""The analog study on a small network: its rows, its prices, and what its committed tables say."""

import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from networks import random_images, random_network
from scaledrop.analog import AnalogArray, CellModel
from scaledrop.array_shape import ArrayShape
from scaledrop.energy import load_table
from scaledrop_flow.report import analog_study as analog_pictures
from scaledrop_flow.report.style import save
from scaledrop_flow.studies import analog
from scaledrop_flow.studies.analog import AnalogRig, analog_study
from scaledrop_flow.studies.analog_cases import SHAPE, AnalogCase, analog_cases
from scaledrop_flow.studies.analog_price import AnalogPrice

STUDIES = Path(__file__).parents[2] / "docs/studies"


@pytest.fixture(scope="module")
def network():
    return random_network(3, (30, 20, 10, 4))


@pytest.fixture
def rig(network):
    known, foreign = random_images(1, network, 40), random_images(2, network, 20)
    labels = np.random.default_rng(3).integers(0, 4, 40)
    data = SimpleNamespace(test_images=known, test_labels=labels, train_images=known)
    return AnalogRig(network, data, foreign)


def test_a_case_gives_the_marginal_and_each_number_of_passes(rig):
    chips = tuple(AnalogArray(SHAPE, CellModel(spread=0.2), seed=seed) for seed in (0, 1))
    marginal, few, many = rig.rows(AnalogCase("spread", "0.2", chips, passes=(2, 200)))
    assert [row["passes"] for row in (marginal, few, many)] == [0, 2, 200]
    assert marginal["chips"] == 2 and marginal["nll_std"] > 0
    assert abs(many["nll"] - marginal["nll"]) < abs(few["nll"] - marginal["nll"])
    assert marginal["analog_j"] == pytest.approx(
        marginal["array_j"] + marginal["converters_j"], abs=0
    )


def test_one_case_is_the_array_with_nothing_wrong(rig):
    (case,) = (one for one in analog_cases() if one.sweep == "none")
    row = next(iter(rig.rows(case)))
    assert (row["compared"], row["differing"]) == (60 * 8 * 4, 0)
    from scaledrop_flow.studies.spin_masks import mask_table

    exact = mask_table(rig.network, rig.images, rig.labels, rig.foreign)
    assert row["nll"] == exact.scores(exact.exact[None])["nll"]


def test_joules_follow_bits_and_passes(network):
    images, table = random_images(4, network, 5), load_table("mtj45")
    shape = ArrayShape(16, 4)
    price = AnalogPrice(network, shape, images.reshape(5, -1), table)
    # Layers of 30, 20 and 10 inputs on 16 rows: tiles x channels x planes x visits.
    first, second, third = 2 * 20 * network.input_bits, 2 * 10, 1 * 4
    for passes, visits in ((1, (1, 1, 1)), (0, (1, 2, 4))):
        conversions = first * visits[0] + second * visits[1] + third * visits[2]
        found = price.joules(5, passes)
        each = table.row("adc_5b").energy_j
        assert found["converters_j"] == pytest.approx(conversions * each, rel=1e-9, abs=0)
    assert price.joules(3, 0)["converters_j"] < price.joules(6, 0)["converters_j"]
    assert price.joules(3, 0)["array_j"] == price.joules(6, 0)["array_j"] > 0


def test_finished_cases_are_not_run_again(rig, tmp_path, monkeypatch):
    cases = [AnalogCase("a", "1", passes=(1,)), AnalogCase("b", "2", passes=())]
    monkeypatch.setattr(analog, "analog_cases", lambda: iter(cases))
    monkeypatch.setattr(analog, "trained", lambda *_, **__: SimpleNamespace(net=None))
    monkeypatch.setattr(analog, "freeze", lambda *_: rig.network)
    monkeypatch.setattr(
        analog, "load_set", lambda *_: SimpleNamespace(test_images=np.zeros((1, 1)))
    )
    monkeypatch.setattr(analog, "AnalogRig", lambda *_: rig)
    told = []
    first = list(analog_study(None, tmp_path, told.append))
    assert told == ["a, 1", "b, 2"] and [row["passes"] for row in first] == [0, 1, 0]
    assert list(analog_study(None, tmp_path, told.append)) == first
    assert len(told) == 2


def test_no_other_program_disagrees_in_the_committed_check():
    with (STUDIES / "analog-check.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    converted = [row for row in rows if row["program"] == "aihwkit"]
    wired = [row for row in rows if row["program"] == "badcrossbar"]
    assert sum(int(row["compared"]) for row in converted) > 100_000
    assert all(int(row["mismatches"]) == 0 for row in converted)
    assert sum(int(row["clipped"]) for row in converted) > 1000
    assert max(float(row["spread"]) for row in converted) == 0.2
    for row in wired:
        assert float(row["largest_difference_a"]) < 1e-9 * float(row["wires_change_a"])
    assert json.loads((STUDIES / "analog-check.json").read_text())["command"] == (
        "scaledrop study analog-check"
    )


def committed():
    with (STUDIES / "analog.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_the_committed_table_says_what_the_document_says():
    rows = committed()
    marginal = {(row["sweep"], row["setting"]): row for row in rows if row["passes"] == "0"}
    plain = marginal["none", "lossless"]
    assert int(plain["compared"]) == 3000 * 32 * 10 and plain["differing"] == "0"
    scores = ("accuracy", "nll", "ece", "auroc_entropy", "auroc_mutual_information")
    eight = marginal["bits", "8"]
    assert [eight[name] for name in scores] == [plain[name] for name in scores]
    assert [case.setting for case in analog_cases()] == [setting for _, setting in marginal], (
        "a case is missing"
    )
    for fewer, more in ((2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8)):
        worse, better = marginal["bits", str(fewer)], marginal["bits", str(more)]
        assert float(worse["nll"]) >= float(better["nll"]) - 1e-6
        assert float(worse["analog_j"]) < float(better["analog_j"])
    for case in (row for row in rows if row["passes"] == "1"):
        assert float(case["mutual_information"]) < 1e-12, "one pass tells nothing of the model"


def test_pictures_of_the_analog_study(tmp_path):
    rows = committed()
    for name in ("converters", "passes", "cells", "wires", "pareto"):
        figure = getattr(analog_pictures, f"{name}_picture")(rows)
        save(figure, tmp_path / f"analog-{name}.svg")
        assert b"</svg>" in (tmp_path / f"analog-{name}.svg").read_bytes()
        assert (STUDIES.parent / f"pictures/analog-{name}.svg").is_file()


def test_the_program_in_the_document_runs(monkeypatch, capsys):
    monkeypatch.chdir(STUDIES.parents[1])
    (program,) = re.findall(r"```python\n(.*?)```", Path("docs/analog.md").read_text(), re.S)
    exec(compile(program, "docs/analog.md", "exec"), {})
    assert 0 < float(capsys.readouterr().out) < 0.5
