# SPDX-License-Identifier: Apache-2.0
"""The studies of the method: each small form runs, and what can be known of its rows holds."""

import dataclasses

import numpy as np
import pytest

from scaledrop.data import ImageSet, load_digits
from scaledrop.errors import UserError
from scaledrop.mask_law import independent_law
from scaledrop.metrics import accuracy
from scaledrop.predict import predict
from scaledrop.sampling import Exact, Given
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.report.method_studies import PICTURES, draw_all
from scaledrop_flow.report.segmentation_study import map_picture
from scaledrop_flow.report.style import svg
from scaledrop_flow.studies import (
    ablation,
    correlated,
    drift,
    facts,
    faults,
    first,
    larger,
    passes,
    segmentation,
    shift,
    tasks,
)
from scaledrop_flow.studies.spin_masks import mask_table
from scaledrop_flow.studies.table import write_table
from scaledrop_flow.studies.task_cells import Point, points_of
from scaledrop_flow.studies.tasks import TASKS, evenly, reduced, small, trained_network

SMOKE = Choices(smoke=True, jobs=1)


def silent(text):
    pass


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def digits():
    return small(TASKS["digits"]).images(None)


@pytest.fixture(scope="module")
def found(cache, digits):
    return trained_network(small(TASKS["digits"]).run(digits, 0, p=0.3), digits, cache)


@pytest.fixture(scope="module")
def table(found, digits):
    foreign = np.rot90(digits.test_images, axes=(1, 2))
    return mask_table(found.network, digits.test_images, digits.test_labels, foreign)


def rows_of(study, cache, choices=SMOKE):
    return list(study(None, cache, silent, choices))


def some(rows, **wanted):
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


# --- tasks ---------------------------------------------------------------------------------------


def test_a_reduced_set_keeps_the_shares_of_the_classes_and_says_how_many():
    whole = load_digits()
    part = reduced(whole, 500, 100)
    assert (len(part.train_images), len(part.test_images), part.name) == (500, 100, "digits-500")
    shares = [np.bincount(one.train_labels, minlength=10) for one in (whole, part)]
    assert np.abs(shares[0] * 500 / len(whole.train_labels) - shares[1]).max() < 1
    assert (reduced(whole, 500, 100).train_images == part.train_images).all()
    assert reduced(whole, 0, 10**6).test_images is whole.test_images
    assert len(evenly(whole.test_images, 7)) == 7


def test_points_are_every_value_under_every_seed_and_an_unknown_set_is_refused():
    values = {"digits": [(0.1,), (0.2,)], "fashion-mnist": [(0.1,)]}
    points = list(points_of(Choices(), values, {}))
    assert [(p.task.name, p.value, p.seed) for p in points[:4]] == [
        ("digits", (0.1,), 0),
        ("digits", (0.1,), 1),
        ("digits", (0.1,), 2),
        ("digits", (0.2,), 0),
    ]
    assert len(points) == 9
    one = Choices(sets=("fashion-mnist",), seeds=(7,))
    assert [p.seed for p in points_of(one, values, {})] == [7]
    with pytest.raises(UserError, match="set: 'mnist' is none of digits, fashion-mnist"):
        list(points_of(Choices(sets=("mnist",)), values, {}))
    part = points_of(Choices(only=("0.2",), seeds=(0,)), values, {})
    assert [(p.task.name, p.value) for p in part] == [("digits", (0.2,))]
    with pytest.raises(UserError, match=r"only: 'spindrop' is none of 0\.1, 0\.2; choose"):
        list(points_of(Choices(only=("spindrop",)), values, {}))


# --- first ---------------------------------------------------------------------------------------


def test_the_first_experiments_run_and_a_second_run_measures_nothing(cache, monkeypatch):
    rows = rows_of(first.first_study, cache)
    assert [row["case"] for row in some(rows, experiment="passes", seed=0)] == [
        "twin",
        "no layer drops",
        "all layers drop",
        "exact marginal",
    ]
    against = some(rows, experiment="passes against twin")
    assert len(against) == 3 and all(row["within"] in (0, 1) for row in against)
    angles = some(rows, experiment="rotation", seed=0, case="twin")
    assert [row["angle"] for row in angles] == list(first.ANGLES)
    assert all(row["auroc_mutual_information"] == 0.5 for row in angles)
    monkeypatch.setattr(first, "trained_network", None)
    assert rows_of(first.first_study, cache) == rows


def test_fixed_passes_are_those_of_the_frozen_network(found, digits, table):
    rows = list(first._passes(table, table))
    for case, keep in (("no layer drops", 1), ("all layers drop", 0)):
        masks = np.full((len(digits.test_images), 1, 3), keep, dtype=np.uint8)
        mean = predict(found.network, digits.test_images, Given(masks)).mean
        (row,) = some(rows, case=case)
        assert row["accuracy"] == accuracy(mean, digits.test_labels)


def test_variance_by_p_is_that_of_the_exact_prediction_and_symmetric_ends_have_none(
    found, digits, table
):
    exact = predict(found.network, digits.test_images, Exact())
    p = [code / 2**16 for code in table.drop_codes]
    expected = float(exact.variance.sum(axis=-1).mean())
    assert np.isclose(first.variance_at(table, p), expected, rtol=1e-9)
    assert abs(first.variance_at(table, [0.0] * 3)) < 1e-12
    assert abs(first.variance_at(table, [1.0] * 3)) < 1e-12


def test_where_a_variance_falls_is_said():
    assert first.falls_at((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)) is None
    assert first.falls_at((0.1, 0.2, 0.3), (1.0, 2.0, 1.5)) == 0.3


def test_distance_to_the_twin_is_held_against_its_spread():
    def row(case, value):
        return {"set": "x", "experiment": "passes", "case": case, "accuracy": value}

    rows = [row("twin", 0.9), row("twin", 0.8), row("a", 0.9), row("a", 0.9), row("b", 0.6)]
    a, b = first.against_twin(rows)
    assert np.isclose(a["difference"], 0.05) and np.isclose(a["spread"], 0.1 / np.sqrt(2))
    assert (a["within"], b["within"]) == (1, 0)
    assert list(first.against_twin(rows[:1])) == []


# --- passes --------------------------------------------------------------------------------------


def test_passes_come_to_the_marginal_as_their_closed_form_says(cache):
    rows = rows_of(passes.passes_study, cache)
    drawn = [row for row in rows if isinstance(row["passes"], int)]
    assert sorted({row["passes"] for row in drawn}) == list(passes.PASSES)
    for row in drawn:
        # Two runs of 60 images by 10 classes, whose errors go together: far from a tight bound.
        assert 0.5 * row["expected_error"] < row["error"] < 1.7 * row["expected_error"]
    assert all(row["error"] == 0 for row in some(rows, passes="exact"))
    (last,) = some(rows, passes="enough")
    assert last["within_spread"] in (*passes.PASSES, "more") and last["seed"] == "all"


def test_the_mean_error_over_many_runs_is_the_closed_form(table):
    runs = [
        passes._scores(table, passes.drawn_shares(table, 5, seed))["error"] ** 2
        for seed in range(200)
    ]
    error = 5 * np.std(runs) / np.sqrt(len(runs))
    assert abs(np.mean(runs) - passes.expected_error(table, 5) ** 2) < error


def test_enough_is_from_where_on_the_gap_stays_small():
    gaps = {1: 0.5, 2: 0.001, 5: 0.05, 10: 0.002, 20: 0.001}
    rows = [{"passes": "exact", "nll": 1.0}, {"passes": "exact", "nll": 1.0}]
    rows += [{"passes": count, "nll": 1 + gap} for count, gap in gaps.items()] * 2
    found = passes.enough(rows)
    assert found["within_1_percent"] == 10
    assert found["within_spread"] == "more" and found["nll_std"] == 0


# --- drift and correlation -----------------------------------------------------------------------


def test_drift_moves_no_probability_beyond_the_mass_and_the_mass_not_beyond_the_bound(cache):
    rows = rows_of(drift.drift_study, cache)
    for row in rows:
        assert row["mean_moved"] <= row["most_moved"] <= row["mass"] + 1e-12
        assert row["mass"] <= row["bound"] + 1e-12
    for seed in (0, 1):
        moved = [row["mass"] for row in some(rows, seed=seed, offset="a layer")]
        assert moved == sorted(moved) and len(moved) == len(drift.SIGMAS)
        (none,) = some(rows, seed=seed, offset="none")
        assert none["mass"] == none["most_moved"] == 0


def test_offsets_are_for_each_layer_or_for_the_device_and_stay_probabilities():
    layers = drift.drifted((0.1, 0.1), 0.2, 50, "a layer")
    device = drift.drifted((0.1, 0.1), 0.2, 50, "a device")
    assert (layers[:, 0] != layers[:, 1]).any() and (device[:, 0] == device[:, 1]).all()
    assert layers.min() == 0 and layers.max() <= 1
    assert np.allclose(drift.drifted((0.5,), 0.02, 4, "a layer") - 0.5,
                       2 * (drift.drifted((0.5,), 0.01, 4, "a layer") - 0.5))  # fmt: skip


def test_correlated_bits_bias_or_cost_passes(cache):
    rows = rows_of(correlated.correlated_study, cache)
    shared, chain = (some(rows, seed=0, kind=kind) for kind in ("shared", "markov"))
    assert shared[0]["mass"] == 0 and shared[0]["most_moved"] == 0
    masses = [row["mass"] for row in shared]
    assert masses == sorted(masses) and all(row["most_moved"] <= row["mass"] for row in shared)
    worth = [row["effective_passes"] for row in chain]
    assert np.isclose(worth[0], 20) and worth == sorted(worth, reverse=True)
    for row in chain:
        # Never fewer than a single bit's: parts of several bits forget sooner.
        assert row["effective_passes"] >= row["effective_passes_of_a_bit"] - 1e-9
        assert 0.6 * row["expected_error"] < row["error"] < 1.6 * row["expected_error"]


def test_a_chain_of_bits_has_its_probability_and_correlation():
    bits = correlated.chain_bits((0.2, 0.5), 40_000, 3, 0.6, 1)
    assert np.allclose(bits.mean(axis=(0, 1)), (0.2, 0.5), atol=0.01)
    for layer in range(2):
        ones = bits[:, :, layer].astype(float)
        assert abs(np.corrcoef(ones[:, 0], ones[:, 1])[0, 1] - 0.6) < 0.03
        assert abs(np.corrcoef(ones[:, 0], ones[:, 2])[0, 1] - 0.36) < 0.03
    assert abs(np.corrcoef(bits[:, 1, 0], bits[:, 1, 1])[0, 1]) < 0.03


# --- shift, ablation, facts, faults --------------------------------------------------------------


def test_shift_has_the_clean_set_and_every_corruption_for_both_networks(cache):
    rows = rows_of(shift.shift_study, cache)
    names = {(row["network"], row["corruption"], row["severity"]) for row in rows}
    cases = [("none", 0), ("fog", 5), ("pixelate", 5)]
    assert names == {(name, *case) for name in ("scale dropout", "twin") for case in cases}
    assert all(row["auroc_entropy"] == 0.5 for row in some(rows, corruption="none"))
    assert all(row["mutual_information"] == 0 for row in some(rows, network="twin"))
    clean = some(rows, network="twin", seed=0, corruption="none")[0]["accuracy"]
    assert some(rows, network="twin", seed=0, corruption="fog")[0]["accuracy"] < clean


def test_the_ablation_has_two_depths_of_each_set(cache):
    rows = rows_of(ablation.ablation_study, cache)
    assert [(row["depth"], row["layers"], row["phi"]) for row in some(rows, seed=0)] == [
        ("shallow", 3, 0.01),
        ("deep", 5, 0.1),
    ]
    blank = np.zeros((20, 28, 28), dtype=np.uint8), np.arange(20) % 10
    images = ImageSet(*blank, *blank, (28, 28), 10, "fashion-mnist-10")
    task = dataclasses.replace(TASKS["fashion-mnist"], train=10)
    runs = [ablation.run_of(task, images, 0, depth, 0.3, 0.1) for depth in ablation.DEPTHS]
    assert [len(run.network.graph.layers) for run in runs] == [3, 5]
    assert all(set(run.network.layer_p) == {0.3} and run.scale_pull == 0.1 for run in runs)
    assert runs[0].network.name != runs[1].network.name


def test_every_fact_is_within_five_standard_errors_and_norms_shift_as_derived(cache):
    rows = rows_of(facts.facts_study, cache)
    plain = [row for row in rows if "standard_error" in row]
    assert len(plain) == 8 + 24 + 3
    for row in plain:
        gap = abs(row["measured"] - row["closed_form"])
        assert gap < 5 * row["standard_error"] + 1e-9, row["setting"]
    first_layer = [row for row in rows if row["of"] == "k of dense0"]
    assert len(first_layer) == 10
    for row in first_layer:
        # Nothing lies before the first layer, so the closed form is all there is to it.
        assert np.isclose(row["measured"], row["closed_form"], rtol=0.03), row["remedy"]
    (shifted,) = [row for row in first_layer if row["remedy"] == "none"]
    assert shifted["closed_form"] > 1.15


def test_faults_at_the_highest_rates_cost_accuracy_and_none_is_the_model_itself(cache):
    rows = rows_of(faults.faults_study, cache)
    assert {row["method"] for row in rows} == {"deterministic", "scale-dropout"}
    for seed in (0, 1):
        for method in ("deterministic", "scale-dropout"):
            found = {row["fault"]: row for row in some(rows, seed=seed, method=method)}
            assert set(found) == {"none", *faults.RATES}
            assert found["flipped"]["accuracy"] < found["none"]["accuracy"] - 0.1
            assert found["none"]["chips"] == 1


def test_every_study_with_a_table_has_its_picture(cache, tmp_path):
    studies = {
        "first": first.first_study,
        "passes": passes.passes_study,
        "drift": drift.drift_study,
        "correlated": correlated.correlated_study,
        "shift": shift.shift_study,
        "ablation": ablation.ablation_study,
        "facts": facts.facts_study,
        "faults": faults.faults_study,
    }
    assert {study for study, _ in PICTURES.values()} == set(studies)
    for name, study in studies.items():
        part = "-part" if name == "drift" else ""
        write_table(rows_of(study, cache), tmp_path / f"{name}{part}.csv", "test")
    written = draw_all(tmp_path, tmp_path)
    assert [path.stem for path in written] == list(PICTURES)
    for path in written:
        text = path.read_text()
        assert text.startswith("<?xml") and "mathdefault" not in text
        assert len(text) < 200_000
    assert draw_all(tmp_path / "none", tmp_path) == []


# --- segmentation and a larger network, on images that are made up --------------------------------


def noise(shape, labels, task="classification"):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, *shape), dtype=np.uint8)
    part = pixels, labels(rng)
    classes = int(part[1].max()) + 1
    return ImageSet(*part, *part, shape, classes, "made-up", task)


def test_a_segmentation_is_scored_by_pixel(cache, monkeypatch):
    images = noise((16, 16), lambda rng: rng.integers(0, 2, (32, 16, 16)), "segmentation")
    monkeypatch.setattr(tasks, "load_set", lambda *_: images)
    task = TASKS["isbi2012"]
    network = dataclasses.replace(
        task.config.network, input_shape=(16, 16), widths=(4, 4), p=0.2, name="tiny"
    )
    config = dataclasses.replace(task.config, network=network, tile=16, epochs=1)
    for name in segmentation.NETWORKS:
        point = Point(dataclasses.replace(task, config=config), (name,), 0, True)
        (row,) = segmentation.point_rows(point, None, cache)
        assert row["tiles"] == segmentation.SMOKE_TILES
        assert 0 <= row["iou_membrane"] <= row["dice_membrane"] <= 1
        assert 0 <= row["error_auroc_entropy"] <= 1
        assert (row["mutual_information_of_right"] < 1e-12) == (name == "twin")
    picture = svg(map_picture(point, None, cache, 1), "map", "of a tile")
    assert "entropy" in picture and "error" in picture and len(picture) < 200_000


def test_a_larger_network_is_asked_by_passes_and_by_its_likeliest_masks(cache, monkeypatch):
    images = noise((3, 32, 32), lambda rng: np.arange(32) % 10)
    monkeypatch.setattr(tasks, "load_set", lambda *_: images)
    task = TASKS["cifar10"]
    network = dataclasses.replace(task.config.network, widths=(2, 2, 2))
    config = dataclasses.replace(task.config, network=network, epochs=1, batch_size=16)
    made = dataclasses.replace(task, config=config, train=20, test=8)
    rows = list(larger.point_rows(Point(made, ("scale dropout",), 0, True), None, cache))
    assert [row["sampling"] for row in rows] == ["T = 1", "T = 20", "8 likeliest masks"]
    assert rows[0]["layers"] == 20 and 0 < rows[2]["bound"] < 1
    (twin,) = larger.point_rows(Point(made, ("twin",), 0, True), None, cache)
    assert twin["mutual_information"] == 0


def test_the_law_of_a_table_is_the_law_of_its_probabilities(table):
    assert np.allclose(independent_law([c / 2**16 for c in table.drop_codes]), table.exact)
