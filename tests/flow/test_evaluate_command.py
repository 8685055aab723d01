# SPDX-License-Identifier: Apache-2.0
"""``scaledrop evaluate``: scores, pictures, shifts, foreign images, and every mistake."""

import json
from pathlib import Path

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network
from scaledrop.frozen_file import save
from scaledrop.topologies import mlp
from scaledrop_flow.data import images_for, shifted

SCORES = ("accuracy", "nll", "brier", "ece", "adaptive_ece", "aurc", "entropy", "variance")


@pytest.fixture
def model(tmp_path):
    network = random_graph_network(1, (8, 8), mlp(10, (12,)), p=0.3)
    save(network, tmp_path / "model.sdnet")
    return network


def report(folder="e"):
    return json.loads((Path(folder) / "report.json").read_text())


def test_scores_and_pictures_of_the_digits(run, model):
    status, out, err = run(
        "evaluate", "--model", "model.sdnet", "--unknown", "rotate:90", "--out", "e"
    )
    assert (status, err) == (0, "")
    assert "360 images of digits, held-out part" in out
    assert "against digits, held-out part, rotate:90" in out
    found = report()
    assert set(SCORES) <= set(found) and found["bound"] == 1.0
    assert found["sampling"] == {"method": "passes", "count": 20, "seed": 1}
    assert found["unknown"]["entropy"]["known"] == found["unknown"]["entropy"]["unknown"] == 360
    for name in ("reliability", "risk-coverage", "unknown", "entropy"):
        assert (Path("e") / f"{name}.svg").read_text().startswith("<?xml")


def test_methods(run, model):
    run("evaluate", "--model", "model.sdnet", "--method", "exact", "--images", 30, "--out", "x")
    run("evaluate", "--model", "model.sdnet", "--method", "probable", "--mass", 0.2,
        "--images", 30, "--out", "p")  # fmt: skip
    exact, probable = report("x"), report("p")
    assert exact["bound"] == 0.0 < probable["bound"] <= 0.2
    assert exact["sampling"] == {"method": "exact"}


def test_a_shift_keeps_the_labels(run, model):
    arguments = ("--model", "model.sdnet", "--shift", "gaussian_noise:3", "--out", "e")
    assert run("evaluate", *arguments)[0] == 0
    assert report()["data"] == "digits, held-out part, gaussian_noise:3"
    images = images_for(model, 5)
    turned = shifted(model, images, "rotate:180", 0)
    assert (turned.labels == images.labels).all()
    whole = images.pixels.reshape(5, 8, 8)[:, ::-1, ::-1].reshape(5, 64)
    np.testing.assert_array_equal(turned.pixels, whole)


def test_a_segmentation(run, tmp_path):
    shape, nodes = GRAPHS["unet"]
    save(random_graph_network(1, shape, nodes), tmp_path / "unet.sdnet")
    rng = np.random.default_rng(0)
    np.savez(
        "maps.npz",
        images=rng.integers(0, 256, (3, 12, 12), dtype=np.uint8),
        labels=rng.integers(0, 3, (3, 12, 12)),
    )
    status, out, err = run(
        "evaluate", "--model", "unet.sdnet", "--data", "maps.npz", "--passes", 4, "--out", "e"
    )
    assert (status, err) == (0, "") and "mean iou" in out
    assert len(report()["segmentation"]["dice"]) == 3
    assert (Path("e") / "maps.svg").exists()


def test_a_segmentation_of_larger_images(run, tmp_path):
    shape, nodes = GRAPHS["unet"]
    save(random_graph_network(1, shape, nodes), tmp_path / "unet.sdnet")
    images = np.random.default_rng(0).integers(0, 256, (5, 24, 36), dtype=np.uint8)
    parts = {"train": images[:3], "test": images[3:]}
    np.savez(
        "maps.npz",
        **{f"{part}_images": pixels for part, pixels in parts.items()},
        **{f"{part}_labels": pixels % 3 for part, pixels in parts.items()},
    )
    status, out, err = run(
        "evaluate", "--model", "unet.sdnet", "--data", "maps.npz", "--passes", 2, "--out", "e"
    )
    assert (status, err) == (0, "") and "12 images of maps, held-out part in tiles" in out
    assert report()["images"] == 12 and len(report()["segmentation"]["iou"]) == 3


WRONG = {
    "method: 'all' is not known; choose one of passes, exact, probable": ("--method", "all"),
    "mass: must be in [0, 1), not 2.0": ("--method", "probable", "--mass", 2),
    "shift: 'rotate:x' has no amount; write rotate:30 or gaussian_noise:3": ("--shift", "rotate:x"),
    "count: must be a whole number, 1 or more, not 0": ("--passes", 0),
    "images: digits, held-out part has 360, not 361; 0 takes all": ("--images", 361),
    "none.npz: does not exist; give an npz file or a folder of pictures": ("--unknown", "none.npz"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_one_line(run, model, text):
    status, _, err = run("evaluate", "--model", "model.sdnet", *WRONG[text])
    assert (status, err) == (2, f"scaledrop: {text}\n")


def test_own_images_are_evaluated_on_what_training_did_not_see(run):
    rng = np.random.default_rng(0)
    np.savez(
        "leaves.npz",
        images=rng.integers(0, 256, (100, 8, 8), dtype=np.uint8),
        labels=np.arange(100) % 2,
    )
    arguments = ("train", "--data", "leaves.npz", "--epochs", 1, "--out", "own")
    status, out, _ = run(*arguments)
    assert status == 0 and "evaluate --model own/model.sdnet --data leaves.npz" in out
    assert run("freeze", "own/checkpoint")[0] == 0
    model = ("evaluate", "--model", "own/model.sdnet", "--out", "e")
    assert run(*model, "--data", "leaves.npz")[0] == 0
    assert (report()["images"], report()["data"]) == (20, "leaves, held-out part")
    status, _, err = run(*model)
    assert (status, err) == (
        2,
        "scaledrop: data: the network was trained on 'leaves', which is no public set; give the "
        "images with --data\n",
    )
