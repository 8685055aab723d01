# SPDX-License-Identifier: Apache-2.0
"""The table end to end with methods that train in no time, and in its smoke form with real ones."""

import csv
import json
import sys

import fake_methods
import pytest

from scaledrop.errors import UserError
from scaledrop_flow import cli
from scaledrop_flow.comparison import bench as bench_module
from scaledrop_flow.comparison import measure as measure_module
from scaledrop_flow.comparison import plan as plan_module
from scaledrop_flow.comparison import table as table_module
from scaledrop_flow.comparison import tuning as tuning_module
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, MAIN
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.differences import difference_rows
from scaledrop_flow.comparison.plan import Plan, seconds_of
from scaledrop_flow.comparison.reliability import reliability_rows
from scaledrop_flow.comparison.table import estimate, method_rows, passes_enough
from scaledrop_flow.comparison.tables import Tables
from scaledrop_flow.comparison.tuning import tuned, tuning_rows
from scaledrop_flow.comparison.written import set_grid
from scaledrop_flow.studies import STUDIES
from scaledrop_flow.studies.run import takes_choices
from scaledrop_flow.studies.table import write_table

TEST = 64
"""Test images of the set ``smoke``; 64 are for validation, too, and 64 of each unknown."""


@pytest.fixture
def fakes(monkeypatch):
    methods = fake_methods.fake_methods()
    for module in (measure_module, plan_module, table_module, tuning_module):
        monkeypatch.setattr(module, "METHODS", methods)
    fake_methods.ASKED.clear()
    return methods


def plan(cache, **choices):
    return Plan.of(None, cache, Choices(smoke=True, jobs=1, **choices))


def test_the_lowest_validation_likelihood_wins_and_all_seeds_take_it(fakes, tmp_path):
    rows = list(method_rows(plan(tmp_path, seeds=(0, 1, 2))))
    assert [(row["method"], row["seed"]) for row in rows] == [
        *(("deterministic", seed) for seed in range(3)),
        *(("scale-dropout", seed) for seed in range(3)),
    ]
    assert {row["value"] for row in rows} == {1.0, 0.5}  # equal ones: the first
    tries = list(tuning_rows(plan(tmp_path)))
    won = {(row["method"], row["value"]) for row in tries if row["won"]}
    assert won == {("deterministic", 1.0), ("scale-dropout", 0.5)}
    nll = {row["value"]: row["nll"] for row in tries if row["method"] == "scale-dropout"}
    assert min(nll, key=nll.get) == 0.5 and len(tries) == 6


def test_tuning_asks_only_the_validation_part(fakes, tmp_path, monkeypatch):
    asked = []
    plain = fake_methods.Means.logits

    def logits(self, images, passes, seed):
        asked.append(images)
        return plain(self, images, passes, seed)

    monkeypatch.setattr(fake_methods.Means, "logits", logits)
    tuned(plan(tmp_path))
    assert len(asked) == 6
    assert all(one is bench("smoke", None).data.valid_images for one in asked)


def test_a_row_says_what_was_measured(fakes, tmp_path):
    plain, noisy = method_rows(plan(tmp_path))
    assert plain["right"] == round(plain["accuracy"] * TEST) > TEST / 2
    assert (plain["passes"], plain["passes_enough"], plain["generators"]) == (1, 1, 0)
    assert (noisy["passes"], noisy["numbers_per_pass"], noisy["grain"]) == (20, 3, "layer")
    assert 0 < plain["uj_low"] < plain["uj"] < plain["uj_high"] and plain["uj"] < noisy["uj"]
    assert (noisy["unknown_1"], noisy["unknown_2"]) == ("rotate:90", "noise")
    assert noisy["measured_on"].startswith("256 training images, 1 epochs")
    assert noisy["config_sha256"] == BUDGETS["smoke"].run(0).config_hash()


def test_a_network_without_a_price_has_empty_columns(fakes, tmp_path, monkeypatch):
    monkeypatch.setattr(fake_methods.Means, "net", object(), raising=False)
    row = next(method_rows(plan(tmp_path)))
    columns = ("uj", "uj_low", "uj_high", "uj_numbers", "sums", "generators")
    assert [row[name] for name in columns] == [""] * 6
    write_table([row], tmp_path / "methods.csv", "x")
    tables = Tables.read(tmp_path)
    assert not tables.lines[0].priced
    grid = set_grid(tables, "smoke")
    assert dict(zip(grid.head, grid.body[0], strict=True))["an image, estimated"] == "no price"


def test_an_interrupted_table_goes_on_where_it_was(fakes, tmp_path):
    whole = list(method_rows(plan(tmp_path / "a", seeds=(0, 1))))
    rows = method_rows(plan(tmp_path / "b", seeds=(0, 1)))
    first = next(rows)
    rows.close()  # as if it was killed after the first cell
    fake_methods.ASKED.clear()
    again = list(method_rows(plan(tmp_path / "b", seeds=(0, 1))))
    assert len(fake_methods.ASKED) == 3 * 3  # three cells are left, each asks three sets of images
    unlike = ("provenance", "train_seconds")
    for one, two in zip(whole, again, strict=True):
        kept = {name: value for name, value in one.items() if name not in unlike}
        assert kept == {name: value for name, value in two.items() if name not in unlike}
    assert again[0] == first


def test_other_images_or_another_version_are_measured_anew(fakes, tmp_path, monkeypatch):
    list(method_rows(plan(tmp_path)))
    fake_methods.ASKED.clear()
    assert len(list(method_rows(plan(tmp_path)))) == 2 and not fake_methods.ASKED
    for module in (table_module, tuning_module):
        monkeypatch.setattr(module, "VERSION", 2)
    list(method_rows(plan(tmp_path)))
    assert len(fake_methods.ASKED) == 6 + 2 * 3
    bench.cache_clear()
    monkeypatch.setattr(bench_module, "SEED", 5)
    fake_methods.ASKED.clear()
    list(method_rows(plan(tmp_path)))
    bench.cache_clear()
    assert len(fake_methods.ASKED) == 6 + 2 * 3


def test_differences_and_reliability_come_from_the_same_cells(fakes, tmp_path):
    whole = plan(tmp_path, seeds=(0, 1, 2))
    list(method_rows(whole))
    fake_methods.ASKED.clear()
    rows = list(difference_rows(whole))
    assert not fake_methods.ASKED
    assert {(row["method"], row["against"]) for row in rows} == {
        ("deterministic", "scale-dropout"),
        ("scale-dropout", "deterministic"),
    }
    one, other = (
        {row["score"]: row["difference"] for row in rows if row["method"] == key}
        for key in ("deterministic", "scale-dropout")
    )
    assert len(one) == 7
    assert all(one[score] == pytest.approx(-other[score]) for score in one)
    means = [row["accuracy"] for row in method_rows(whole)]
    assert one["accuracy"] == pytest.approx(sum(means[:3]) / 3 - sum(means[3:]) / 3, abs=1e-6)
    bins = [row for row in reliability_rows(whole) if row["method"] == "deterministic"]
    assert sum(row["count"] for row in bins) == 3 * TEST
    right = sum(row["count"] * row["accuracy"] for row in bins)
    assert right == pytest.approx(sum(means[:3]) * TEST, abs=1e-4)


def test_the_fewest_passes_that_are_enough():
    assert passes_enough({}) == 1
    assert passes_enough({"1": 0.5, "2": 0.31, "5": 0.305, "20": 0.3}) == 2
    assert passes_enough({"1": 0.5, "2": 0.3101, "5": 0.305, "20": 0.3}) == 5
    assert passes_enough({"1": 0.2, "20": 0.3}) == 1


def test_the_whole_table_is_estimated_at_less_than_two_hours(monkeypatch):
    whole = 0.0
    for name in MAIN:
        for key in plan_module.METHODS:
            asked = 20 * {"fashion-mnist": 7_000}.get(name, 1_780)
            whole += 3 * seconds_of(key, name, 0) + 3 * seconds_of(key, name, asked)
    assert 0.5 < whole / 2 / 3600 < 2


def test_the_estimate_is_said_first(fakes, tmp_path):
    said = []
    list(method_rows(plan(tmp_path), said.append))
    assert said[0].startswith("2 methods, 1 sets, 1 seeds: about 0 min from nothing with 1 at a")
    assert said[0] == estimate(plan(tmp_path))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"only": ("spindropp",)}, r"^only: 'spindropp' is no method; choose of deterministic, "),
        ({"sets": ("imagenet",)}, r"^set: 'imagenet' is not known; choose one of fashion-mnist, "),
    ],
)
def test_unknown_parts_are_refused(given, message, tmp_path):
    with pytest.raises(UserError, match=message):
        plan(tmp_path, **given)


def test_the_smoke_form_of_the_command_with_real_methods(monkeypatch, tmp_path):
    line = ["study", "methods", "--smoke", "--jobs", "1", "--only", "mc-dropout"]
    line += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["scaledrop", *line])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    with (tmp_path / "methods-smoke.csv").open(newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["method"], row["set"], row["seed"], row["passes"]) == (
        "mc-dropout",
        "smoke",
        "0",
        "20",
    )
    beside = json.loads((tmp_path / "methods-smoke.json").read_text())
    assert beside["command"] == "scaledrop study methods --smoke --only mc-dropout"
    assert beside["measured"]["processor"] and beside["measured"]["torch"]


def test_every_study_of_methods_takes_choices():
    names = [name for name in STUDIES if name.startswith("methods")]
    assert len(names) == 6
    assert all(takes_choices(STUDIES[name]) for name in names)
