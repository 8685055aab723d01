# SPDX-License-Identifier: Apache-2.0
"""The command as a person uses it: a whole run on a network of their own, and every mistake."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import scaledrop.energy
from networks import GRAPHS, random_graph_network, random_network
from scaledrop.frozen_file import load, save
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop_flow import doctor

TABLE = Path(scaledrop.energy.__file__).parent / "tables" / "mtj45.yaml"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a checkpoint and the network frozen from it, of a user's own shape."""
    from scaledrop.data import load_digits
    from scaledrop.training import named_config
    from scaledrop_flow.steps.train import freeze_checkpoint, train_and_save, with_choices

    folder = Path(tmp_path_factory.mktemp("model"))
    config = with_choices(named_config("digits"), widths="24,12", p="0.2,0.1,0.3", epochs=2)
    checkpoint, _ = train_and_save(config, load_digits(), folder / "checkpoint")
    save(freeze_checkpoint(checkpoint), folder / "model.sdnet")
    return folder


def test_own_network_from_training_to_report(run, cache):
    status, out, _ = run("train", "--widths", "20,14", "--p", "0.25", "--epochs", 2, "--out", "t")
    assert status == 0 and "scaledrop freeze t/checkpoint" in out
    assert "training accuracy" in out
    assert len(json.loads(Path("t/train.json").read_text())["history"]) == 2
    assert run("freeze", "t/checkpoint")[0] == 0
    assert [layer.out_features for layer in load(Path("t/model.sdnet")).layers] == [20, 14, 10]
    common = ("--model", "t/model.sdnet", "--images", 12, "--passes", 3, "--seed", 9)
    status, out, _ = run("evaluate", *common, "--out", "e")
    assert status == 0 and json.loads(Path("e/report.json").read_text())["images"] == 12
    shape = ("--rows", 16, "--columns", 8)
    status, out, err = run("cosim", *common, *shape, "--out", "c", "--cache", cache)
    assert (status, err) == (0, "")
    report = json.loads(Path("c/report.json").read_text())
    assert report["ok"] is True and report["mismatches"] == 0 and report["skipped"] == 0
    assert report["array"] == {"rows": 16, "columns": 8, "lanes": 8}
    assert report["checked"]["hidden_bits"] == 12 * 3 * (20 + 14)
    assert report["accuracy"]["float"] == report["accuracy"]["integer"]
    assert report["accuracy"]["integer"] == report["accuracy"]["rtl"]
    assert report["cycles"]["predicted"] == report["cycles"]["simulated"] > 0
    assert report["events"]["predicted"] == report["events"]["simulated"]
    assert report["energy_j"]["low"] < report["energy_j"]["value"] < report["energy_j"]["high"]
    page = Path("c/index.html").read_text()
    assert run("report", "c")[0] == 0
    assert Path("c/index.html").read_text() == page


def test_generate_twice_gives_the_same_bytes(run, model):
    for folder in ("a", "b"):
        arguments = ("--model", model / "model.sdnet", "--rows", 16, "--columns", 4)
        assert run("generate", *arguments, "--out", folder)[0] == 0
    for name in ("scaledrop.v", "scaledrop.json"):
        assert Path(f"a/{name}").read_bytes() == Path(f"b/{name}").read_bytes()


def test_doctor_finds_what_this_suite_runs_on(run):
    status, out, _ = run("doctor")
    assert status == 0 and "verilator" in out and "missing" not in out


def test_doctor_does_not_mind_what_is_optional(run, monkeypatch):
    there = doctor.shutil.which
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None if name == "sta" else there(name))
    status, out, _ = run("doctor")
    assert status == 0 and "OpenSTA" in out and "missing" not in out
    monkeypatch.setattr(doctor, "libpython", lambda: None)
    status, out, _ = run("doctor")
    assert status == 1 and "missing" in out


MISTAKES = {
    "no command": ((), "Missing command"),
    "config and model": (
        ("evaluate", "--config", "digits", "--model", "m"),
        "config: goes without --model; use one of --config and --model",
    ),
    "name": (("train", "--name", "réseau"), "name: 'réseau' must be 1 to 64 letters"),
    "option": (("cosim", "--nope"), "No such option: --nope"),
    "no number": (("train", "--epochs", "many"), "Invalid value for '--epochs'"),
    "config": (("cosim", "--config", "nope"), "config: 'nope' is not known; choose one of digits"),
    "rows": (("cosim", "--rows", 0), "rows: must be 1 to 1024, not 0"),
    "lanes": (("generate", "--lanes", 3), "lanes: must divide rows (64) and columns (16), not 3"),
    "mode": (
        ("cosim", "--mode", "turbo"),
        "mode: must be one of passes, shared, exact, not 'turbo'",
    ),
    "bus": (("cosim", "--bus", "apb"), "bus: must be none or axi, not 'apb'"),
    "card": (("cosim", "--spin", "nosuch"), "nosuch"),
    "calibrate nothing": (
        ("cosim", "--calibrate"),
        "calibrate: needs a device to hold; name its card with --spin",
    ),
    "calibrate behind a bus": (
        ("cosim", "--spin", "hikstor80", "--calibrate", "--bus", "axi", "--images", "1"),
        "calibrator: it has no registers behind a bus yet; leave one of them out",
    ),
    "spin in exact": (
        ("cosim", "--spin", "hikstor80", "--mode", "exact"),
        "spin: mode exact draws no bits; use passes or shared",
    ),
    "supply": (("cosim", "--spin", "hikstor80", "--supply", "7"), "supply: must be 0.5 to 2"),
    "weights": (("cosim", "--weights", "x"), "weights: must be memory or baked, not 'x'"),
    "datapath": (("cosim", "--datapath", "x"), "datapath: must be reference or folded, not 'x'"),
    "convolution": (
        ("cosim", "--convolution", "x"),
        "convolution: must be auto, unrolled or taps, not 'x'",
    ),
    "masks": (("cosim", "--masks", -1), "masks: must be a whole number, 0 or more, not -1"),
    "masks a word": (("cosim", "--masks", "all"), "Invalid value for '--masks'"),
    "idle": (("cosim", "--idle", 256), "idle: must be 0 to 240, not 256"),
    "p of one": (("train", "--p", "1.0"), "p[0]: dropout probability must be in [0, 1), not 1.0"),
    "p negative": (("train", "--p", "-0.1"), "must be in [0, 1), not -0.1"),
    "p a word": (("train", "--p", "often"), "p: 'often' is not a number"),
    "hidden": (("train", "--widths", "0"), "widths: must be 1 to 1048576, not 0"),
    "seed": (("train", "--seed", -1), "seed: must be a whole number, 0 or more, not -1"),
    "no model": (("evaluate", "--model", "gone.sdnet"), "gone.sdnet: cannot be read"),
    "no checkpoint": (("freeze", "gone"), "gone: cannot be read"),
    "no run": (("report", "gone"), "gone/gallery.npz: cannot be read"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_status_2(name, run):
    arguments, text = MISTAKES[name]
    status, _, err = run(*arguments)
    assert status == 2
    assert text in err
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err


FILE_MISTAKES = {
    "passes": (("--passes", 0), "passes: must be 1 to 65535, not 0"),
    "images": (("--images", 361), "images: digits, held-out part has 360, not 361"),
    "table": (("--table", "gone.yaml"), "gone.yaml"),
    "data": (("--data", "gone.npz"), "gone.npz: cannot be read"),
}


@pytest.mark.parametrize("name", FILE_MISTAKES)
def test_a_mistake_with_a_good_model_is_one_line(name, run, model, cache):
    arguments, text = FILE_MISTAKES[name]
    common = ("cosim", "--model", model / "model.sdnet", "--images", 2, "--passes", 1)
    status, _, err = run(*common, "--cache", cache, *arguments)
    assert status == 2
    assert text in err
    assert len(err.strip().splitlines()) == 1


def test_wrong_images_are_refused(run, model):
    np.savez("wrong.npz", images=np.zeros((3, 5, 5), dtype=np.uint8), labels=np.zeros(3, dtype=int))
    status, _, err = run("evaluate", "--model", model / "model.sdnet", "--data", "wrong.npz")
    assert status == 2 and "images: shape must be (N, 64), not (3, 5, 5)" in err


def test_one_flipped_bit_in_the_model_is_refused(run, model, tmp_path):
    data = bytearray((model / "model.sdnet").read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "flipped.sdnet").write_bytes(data)
    status, _, err = run("cosim", "--model", "flipped.sdnet")
    assert status == 2 and "sha256: does not match" in err


def test_model_without_checkpoint_says_what_it_could_not_run(run, model, tmp_path, cache):
    (tmp_path / "alone.sdnet").write_bytes((model / "model.sdnet").read_bytes())
    status, out, _ = run(
        *("cosim", "--model", "alone.sdnet", "--images", 3, "--passes", 2),
        *("--rows", 16, "--columns", 4, "--out", "o", "--cache", cache),
    )
    report = json.loads(Path("o/report.json").read_text())
    assert status == 0 and report["ok"] and report["accuracy"]["float"] is None
    assert report["skips"] == ["float64 PyTorch: no checkpoint beside alone.sdnet"]
    assert "skipped     float64 PyTorch" in out


@pytest.mark.parametrize(
    ("options", "leaves"),
    [
        (("--mode", "passes"), 3),
        (("--mode", "shared"), 3),
        (("--mode", "exact"), 8),
        (("--mode", "exact", "--masks", 3), 3),
    ],
)
def test_every_mode_and_what_the_report_says_of_it(run, model, cache, options, leaves):
    status, out, err = run(
        *("cosim", "--model", model / "model.sdnet", "--images", 4, "--passes", 3, *options),
        *("--rows", 16, "--columns", 4, "--out", "o", "--cache", cache),
    )
    report, page = json.loads(Path("o/report.json").read_text()), Path("o/index.html").read_text()
    assert (status, err) == (0, "") and report["ok"] and "equals the golden model" in out
    mode, masks = options[1], options[3] if len(options) > 2 else 0
    assert (report["mode"], report["masks"], report["leaves"]) == (mode, masks, leaves)
    assert (report["datapath"], report["convolution"]) == ("reference", "auto")
    assert (report["covered"] == 1.0) == (masks == 0) and 0.5 < report["covered"] <= 1.0
    assert report["checked"]["logits"] == 4 * leaves * 10
    assert report["checked"]["squares"] == report["checked"]["covered"] == 4 * 10
    assert report["accuracy"]["float"] == report["accuracy"]["integer"]
    assert report["cycles"]["predicted"] == report["cycles"]["simulated"] > 0
    drawn = sum(events["spin_writes"] for events in report["events"]["simulated"].values())
    assert drawn == (0 if mode == "exact" else 4 * 3 * 3)
    assert f"<dt>mode</dt><dd>{mode}</dd>" in page
    count = f"{leaves} masks" if mode == "exact" else "3 passes"
    assert f"{count}</title>" in page
    assert run("report", "o")[0] == 0 and Path("o/index.html").read_text() == page


def test_convolutions_on_the_folded_datapath(run, cache):
    conv, pool = Layer("conv", 4, Window(3, padding=1), planes=2), MaxPool("pool", 2)
    nodes = [conv, pool, Layer("head", 3, output=Kind.LOGITS)]
    save(random_graph_network(2, (6, 5), nodes, input_bits=4), Path("maps.sdnet"))
    rng = np.random.default_rng(1)
    images = rng.integers(0, 16, (6, 6, 5), dtype=np.uint8)
    np.savez("maps.npz", images=images, labels=np.arange(6) % 3)
    arguments = ("--model", "maps.sdnet", "--data", "maps.npz", "--images", 6, "--passes", 5)
    ways = ("--mode", "shared", "--datapath", "folded", "--convolution", "taps")
    status, _, err = run(
        *("cosim", *arguments, *ways, "--rows", 8, "--columns", 4),
        *("--out", "o", "--cache", cache),
    )
    report = json.loads(Path("o/report.json").read_text())
    assert (status, err) == (0, "") and report["ok"] and report["mismatches"] == 0
    assert (report["datapath"], report["convolution"]) == ("folded", "taps")
    assert report["checked"]["hidden_bits"] == 6 * 5 * 4 * 6 * 5
    events = report["events"]["simulated"]["conv"]
    assert events["scale_reads"] == events["multiplies"] == 0 < events["comparisons"]
    description = json.loads(Path("o/rtl/scaledrop.json").read_text())["parameters"]
    assert (description["datapath"], description["convolution"]) == ("folded", "taps")


@pytest.mark.parametrize("mode", ["shared", "exact"])
def test_through_the_driver_and_the_buses(run, cache, mode):
    network = random_network(6, (9, 5, 3), input_bits=4)
    save(network, Path("small.sdnet"))
    images = np.random.default_rng(2).integers(0, 16, (4, 9), dtype=np.uint8)
    np.savez("small.npz", images=images, labels=np.arange(4) % 3)
    arguments = ("--model", "small.sdnet", "--data", "small.npz", "--images", 4, "--passes", 3)
    shape = ("--rows", 8, "--columns", 4, "--mode", mode, "--idle", 40, "--stall", 40)
    status, _, err = run(
        "cosim", *arguments, *shape, "--bus", "axi", "--out", "o", "--cache", cache
    )
    report = json.loads(Path("o/report.json").read_text())
    assert (status, err) == (0, "") and report["ok"] and report["bus"] == "axi"
    assert report["skips"][1:] == [
        "cycle counters: not predicted behind a bus",
        "hidden_bits: frames carry no hidden layers",
    ]
    assert report["checked"]["logits"] == 4 * 3 * (4 if mode == "exact" else 3)
    assert [one["name"] for one in report["backends"]] == ["integer model", "RTL over AXI"]
    assert report["accuracy"]["rtl"] == report["accuracy"]["integer"]


@pytest.mark.parametrize("bus", ["none", "axi"])
def test_a_physical_device_makes_the_bits(run, cache, bus):
    network = random_network(6, (9, 5, 3), input_bits=4, p=0.2)
    save(network, Path("small.sdnet"))
    images = np.random.default_rng(2).integers(0, 16, (40, 9), dtype=np.uint8)
    np.savez("small.npz", images=images, labels=np.arange(40) % 3)
    arguments = ("--model", "small.sdnet", "--data", "small.npz", "--images", 40, "--passes", 30)
    shape = ("--rows", 8, "--columns", 4, "--mode", "shared", "--bus", bus)
    spin = ("--spin", "hikstor80", "--device-seed", 4, "--temperature", 60, "--supply", 0.99)
    status, out, err = run("cosim", *arguments, *shape, *spin, "--out", "o", "--cache", cache)
    report = json.loads(Path("o/report.json").read_text())
    assert (status, err) == (0, "") and report["ok"]
    found = report["spin"]
    assert (found["card"], found["device_seed"]) == ("hikstor80", 4)
    assert (found["temperature_c"], found["supply"]) == (60, 0.99)
    for layer in found["layers"]:
        assert layer["bits"] == 40 * 30 and abs(layer["programmed"] - 0.2) < 1e-4
        assert layer["low"] < layer["measured"] < layer["high"]
        assert f"{layer['name']}: p 0.2000 programmed, {layer['measured']:.4f} drawn" in out
    page = Path("o/index.html").read_text()
    assert "The bits of the device" in page and "<dd>hikstor80</dd>" in page


def test_a_node_that_does_not_fit_is_named(run, tmp_path):
    shape, nodes = GRAPHS["resnet, projections"]
    save(random_graph_network(1, shape, nodes), tmp_path / "resnet.sdnet")
    images = np.zeros((1, *shape), dtype=np.uint8)
    np.savez("one.npz", images=images, labels=np.zeros(1, dtype=int))
    arguments = ("--model", "resnet.sdnet", "--data", "one.npz", "--images", 1)
    for verb in (("cosim", *arguments), ("generate", *arguments[:2])):
        status, _, err = run(*verb)
        assert status == 2 and len(err.strip().splitlines()) == 1
        assert "the accelerator takes a chain of dense layers, convolutions and max pooling" in err


def test_unwritable_folder_is_one_line(run, model):
    Path("file").touch()
    shape = ("--rows", 16, "--columns", 4)
    status, _, err = run(
        *("generate", "--model", model / "model.sdnet", *shape, "--out", "file/inside")
    )
    assert status == 2 and "file/inside/scaledrop.v: cannot be written (Not a directory)" in err
    assert not os.path.exists("file/inside")


def test_weights_that_are_no_numbers_are_refused(run, model):
    import torch

    from scaledrop.training import load_checkpoint, save_checkpoint

    found = load_checkpoint(model / "checkpoint")
    with torch.no_grad():
        found.net.blocks[1].crossbar.weight[0, 0] = float("nan")
    save_checkpoint(found.net, found.config, Path("nan"))
    status, _, err = run("freeze", "nan")
    assert status == 2 and "layers.dense1.crossbar.weight: has a value that is not a number" in err


def test_an_interruption_is_one_line_and_leaves_nothing_half_done(run, monkeypatch):
    from scaledrop_flow.steps import train

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", interrupted)
    status, _, err = run("train", "--epochs", 2, "--out", "t")
    assert status == 130
    assert err == "scaledrop: interrupted; run the same command again\n"
    assert not list(Path("t").iterdir())


def test_a_table_that_cannot_price_the_array_does_not_stop_the_verification(run, model, cache):
    Path("table.yaml").write_text(TABLE.read_text().replace("adc_5b", "adc_15b"))
    status, out, _ = run(
        *("cosim", "--model", model / "model.sdnet", "--images", 3, "--passes", 2),
        *("--rows", 16, "--columns", 4, "--table", "table.yaml", "--out", "o", "--cache", cache),
    )
    report = json.loads(Path("o/report.json").read_text())
    assert status == 0 and report["ok"] and report["energy_j"] is None
    assert report["skipped"] == 1 and "energy: rows: 16 rows need" in report["skips"][0]
    assert "skipped     energy" in out


def test_gaps_and_back_pressure_say_what_is_not_compared(run, model, cache):
    status, out, _ = run(
        *("cosim", "--model", model / "model.sdnet", "--images", 3, "--passes", 2, "--idle", 90),
        *("--stall", 90, "--rows", 16, "--columns", 4, "--out", "o", "--cache", cache),
    )
    report = json.loads(Path("o/report.json").read_text())
    assert status == 0 and report["ok"] and report["cycles"]["predicted"] is None
    assert report["skips"] == ["cycle counters: not predicted under gaps or back-pressure"]
    assert "cycles      predicted not compared" in out


def test_a_failed_run_leaves_no_report_of_an_earlier_one(run, model, cache, monkeypatch):
    from scaledrop.errors import UserError
    from scaledrop_flow.steps import cosim

    common = ("cosim", "--model", model / "model.sdnet", "--images", 2, "--passes", 1)
    common = (*common, "--rows", 16, "--columns", 4, "--out", "o", "--cache", cache)
    assert run(*common)[0] == 0 and Path("o/report.json").exists()

    def broken(*_, **__):
        raise UserError("the simulator ended early")

    monkeypatch.setattr(cosim, "build", broken)
    assert run(*common)[0] == 2
    assert not {"report.json", "index.html", "gallery.npz"} & {p.name for p in Path("o").iterdir()}


@pytest.mark.parametrize(("name", "data"), [("report.json", b"[]"), ("gallery.npz", b"PK")])
def test_a_damaged_run_is_not_drawn(name, data, run, model, cache):
    common = ("cosim", "--model", model / "model.sdnet", "--images", 2, "--passes", 1)
    assert run(*common, "--rows", 16, "--columns", 4, "--out", "o", "--cache", cache)[0] == 0
    Path(f"o/{name}").write_bytes(data)
    status, _, err = run("report", "o")
    assert status == 2 and len(err.splitlines()) == 1 and "pickle" not in err


def test_a_cached_checkpoint_of_another_network_is_not_used(model, tmp_path, monkeypatch):
    from scaledrop.training import named_config
    from scaledrop_flow.steps import train

    config = train.with_choices(named_config("digits"), widths="7", epochs=1)
    path = tmp_path / f"{config.config_hash()[:20]}.checkpoint"
    path.write_bytes((model / "checkpoint").read_bytes())
    found = train.trained(config, tmp_path)
    assert found.config == config
    monkeypatch.setattr(train, "train_and_save", None)
    assert train.trained(config, tmp_path).sha256 == found.sha256
