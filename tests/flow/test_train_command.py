# SPDX-License-Identifier: Apache-2.0
"""``scaledrop train`` and ``scaledrop data`` as a person uses them."""

import csv
import dataclasses
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scaledrop.data import SOURCES, at_hand, load_digits
from scaledrop.data.catalogue import set_folder
from scaledrop.frozen_file import load
from scaledrop.nn import NetworkConfig
from scaledrop.training import (
    CONFIGS,
    load_checkpoint,
    load_resume,
    save_resume,
    with_network,
)
from scaledrop_flow.console import TrainingBar
from scaledrop_flow.image_source import set_statuses
from scaledrop_flow.steps import train as steps
from scaledrop_flow.steps import train_run
from scaledrop_flow.steps.choices import with_choices

SMALL = ("--widths", "12", "--epochs", 4)


@pytest.fixture
def interrupt(monkeypatch):
    """Has the training interrupted at a batch of an epoch, as by Ctrl-C."""

    def at(epoch, batch, error=KeyboardInterrupt):
        def stop(self, at_epoch, at_batch, batches):
            if (at_epoch, at_batch) == (epoch, batch):
                monkeypatch.undo_stop()
                raise error

        original = TrainingBar.batch
        monkeypatch.undo_stop = lambda: setattr(TrainingBar, "batch", original)
        monkeypatch.setattr(TrainingBar, "batch", stop)

    return at


def rows(folder):
    with Path(folder, "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_training_leaves_what_it_says(run):
    status, out, err = run("train", *SMALL, "--p", "0.2", "--name", "mine", "--seed", 5)
    assert (status, err) == (0, "")
    assert "epoch 4: loss " in out and "training accuracy" in out and " s on cpu" in out
    assert "next: scaledrop freeze build/train/checkpoint" in out
    assert "then: scaledrop evaluate --model build/train/model.sdnet" in out
    folder = Path("build/train")
    names = {"checkpoint", "train.json", "log.csv", "curves.svg", "scales.svg", "variance.svg"}
    assert {path.name for path in folder.iterdir()} == names
    values = json.loads((folder / "train.json").read_text())
    found = load_checkpoint(folder / "checkpoint")
    assert values["checkpoint_sha256"] == found.sha256
    assert values["config"] == json.loads(found.config.to_json())
    assert (found.config.network.name, found.config.network.p) == ("mine", (0.2, 0.2))
    assert (values["seed"], found.config.seed, values["device"]) == (5, 5, "cpu")
    assert values["data"]["name"] == "digits" and values["data"]["train_images"] == 1437
    assert set(values["versions"]) == {"scaledrop", "torch", "python"}
    assert [one["layer"] for one in values["scales"]] == ["dense0", "dense1"]
    assert all(0.2 < one["ratio"] < 5 for one in values["variance_shift"])
    assert [float(row["loss"]) for row in rows(folder)] == [r["loss"] for r in values["history"]]
    assert [row["validation_accuracy"] for row in rows(folder)] == [""] * 4
    assert "epoch" in (folder / "curves.svg").read_text()


def test_the_same_command_gives_the_same_bytes(run):
    for folder in ("a", "b"):
        assert run("train", *SMALL, "--out", folder)[0] == 0
    assert Path("a/checkpoint").read_bytes() == Path("b/checkpoint").read_bytes()
    assert run("train", *SMALL, "--seed", 1, "--out", "c")[0] == 0
    assert Path("c/checkpoint").read_bytes() != Path("a/checkpoint").read_bytes()


def test_interrupted_and_resumed_is_the_same_training(run, interrupt):
    assert run("train", *SMALL, "--out", "whole")[0] == 0
    interrupt(3, 5)
    status, _, err = run("train", *SMALL, "--out", "a b")
    assert status == 130 and len(err.splitlines()) == 1
    assert err.startswith(
        "scaledrop: interrupted after epoch 2 of 4, kept in a b/last.checkpoint; go on with: "
    )
    assert len(rows("a b")) == 2
    command = shlex.split(err.split("go on with: ")[1])
    assert command == ["scaledrop", "train", *map(str, SMALL), "--out", "a b", "--resume"]

    status, _, err = run("train", *SMALL, "--out", "a b")
    assert status == 2 and err == (
        "scaledrop: a b/last.checkpoint: a training was interrupted here after epoch 2 of 4; go on "
        "with --resume, start again with --restart, or choose another --out\n"
    )
    status, _, err = run("train", "--out", "a b", "--resume", "--epochs", 9)
    assert status == 2 and "epochs: is 9 but was 4 in the interrupted run; give 4 to go on" in err

    status, out, err = run(*command[1:])
    assert (status, err) == (0, "") and "epoch 4: loss" in out
    assert Path("a b/checkpoint").read_bytes() == Path("whole/checkpoint").read_bytes()
    assert not Path("a b/last.checkpoint").exists()
    kept = [{k: v for k, v in row.items() if k != "seconds"} for row in rows("a b")]
    assert kept == [{k: v for k, v in row.items() if k != "seconds"} for row in rows("whole")]


def test_resume_needs_no_other_option(run, interrupt):
    interrupt(2, 1)
    assert run("train", *SMALL, "--seed", 8, "--out", "o")[0] == 130
    assert run("train", "--resume", "--out", "o")[0] == 0
    assert load_checkpoint(Path("o/checkpoint")).config.seed == 8
    status, out, _ = run("train", "--resume", "--out", "o")
    assert status == 0 and "o/checkpoint is finished; nothing is left to do" in out


@pytest.mark.parametrize("name", ["save_checkpoint", "summary", "save_pictures"])
def test_interrupted_after_the_last_epoch(run, monkeypatch, name):
    """While the checkpoint, the summary or the pictures are made."""

    def stop(*_, **__):
        raise KeyboardInterrupt

    assert run("train", *SMALL, "--out", "whole")[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(steps if name == "save_checkpoint" else train_run, name, stop)
        status, _, err = run("train", *SMALL, "--out", "o")
    assert status == 130 and err.startswith(
        "scaledrop: interrupted after epoch 4 of 4, kept in o/last.checkpoint; go on with: "
    )
    assert run("train", *SMALL, "--out", "o")[0] == 2
    command = shlex.split(err.split("go on with: ")[1])
    assert run(*command[1:])[::2] == (0, "")
    assert {one.name for one in Path("o").iterdir()} == {
        one.name for one in Path("whole").iterdir()
    }
    assert Path("o/checkpoint").read_bytes() == Path("whole/checkpoint").read_bytes()
    ours, theirs = (json.loads(Path(f, "train.json").read_text()) for f in ("o", "whole"))
    assert ours["checkpoint_sha256"] == theirs["checkpoint_sha256"] and ours["wall_s"] > 0
    assert len(rows("o")) == 4
    assert "nothing is left to do" in run("train", "--resume", "--out", "o")[1]


def test_a_run_is_resumed_on_its_own_device(run, interrupt):
    interrupt(3, 1)
    assert run("train", *SMALL, "--out", "o")[0] == 130
    path = Path("o/last.checkpoint")
    save_resume(dataclasses.replace(load_resume(path), device="cuda"), path)
    status, _, err = run("train", "--resume", "--out", "o")
    assert status == 2 and "device: is 'cpu' but was 'cuda' in the interrupted run; give" in err


def test_the_commands_to_go_on_with_can_be_pasted(run):
    digits = load_digits()
    np.savez("my [red] set.npz", images=digits.train_images, labels=digits.train_labels)
    status, out, _ = run("train", *SMALL, "--data", "my [red] set.npz", "--out", "a b[i]")
    assert status == 0
    lines = [line.split(": ", 1) for line in out.splitlines()]
    told = {line[0]: shlex.split(line[1]) for line in lines if line[0] in ("next", "then")}
    assert told["next"] == ["scaledrop", "freeze", "a b[i]/checkpoint"]
    assert run(*told["next"][1:])[0] == 0
    assert run(*told["then"][1:], "--out", "e", "--images", 2, "--passes", 2)[0] == 0


def test_other_widths_of_mixed_probabilities_have_the_default():
    default = NetworkConfig.p
    mixed = with_network(CONFIGS["digits"], p=(0.1, 0.2, 0.3))
    assert with_choices(mixed, widths="9").network.p == (default, default)
    common = with_network(CONFIGS["digits"], p=0.25)
    assert with_choices(common, widths="9").network.p == (0.25, 0.25)
    assert with_choices(mixed, name="n").network.p == (0.1, 0.2, 0.3)


def test_before_the_first_epoch_nothing_is_left(run, interrupt):
    interrupt(1, 3)
    status, _, err = run("train", *SMALL, "--out", "o")
    assert status == 130 and err == "scaledrop: interrupted; run the same command again\n"
    assert not list(Path("o").iterdir())
    status, out, _ = run("train", *SMALL, "--out", "o", "--resume")
    assert status == 0 and "nothing to resume in o; starting at epoch 1" in out


def test_a_finished_training_is_not_overwritten_unasked(run):
    assert run("train", *SMALL, "--out", "o")[0] == 0
    before = Path("o/checkpoint").read_bytes()
    status, _, err = run("train", *SMALL, "--seed", 1, "--out", "o")
    assert status == 2 and err == (
        "scaledrop: o/checkpoint: a training is finished here; replace it with --restart or choose "
        "another --out\n"
    )
    status, _, err = run("train", "--seed", 1, "--out", "o", "--resume")
    assert status == 2 and "seed: is 1 but the training in o is finished with 0; replace it" in err
    assert Path("o/checkpoint").read_bytes() == before
    assert run("train", *SMALL, "--seed", 1, "--out", "o", "--restart")[0] == 0
    assert Path("o/checkpoint").read_bytes() != before and len(rows("o")) == 4


def test_restart_forgets_the_interrupted_training(run, interrupt):
    interrupt(3, 1)
    assert run("train", *SMALL, "--out", "o")[0] == 130
    assert run("train", *SMALL, "--seed", 2, "--out", "o", "--restart")[0] == 0
    assert load_checkpoint(Path("o/checkpoint")).config.seed == 2 and len(rows("o")) == 4
    status, _, err = run("train", "--out", "o", "--restart", "--resume")
    assert status == 2 and "resume: goes without --restart; use one of them" in err


def test_a_damaged_state_says_how_to_begin_again(run, interrupt):
    interrupt(3, 1)
    assert run("train", *SMALL, "--out", "o")[0] == 130
    path = Path("o/last.checkpoint")
    path.write_bytes(path.read_bytes()[:-3])
    status, _, err = run("train", *SMALL, "--out", "o", "--resume")
    assert status == 2 and "o/last.checkpoint: sha256: does not match" in err
    assert err.endswith("train again, from the beginning with --restart\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "batch_size: a batch of 64 does not fit in memory; lower batch_size"),
        (RuntimeError("can't allocate memory"), "batch_size: a batch of 64 does not fit in"),
    ],
)
def test_a_lack_of_memory_keeps_the_last_epoch(error, message, run, interrupt):
    interrupt(3, 1, error)
    status, _, err = run("train", *SMALL, "--out", "o")
    assert status == 2 and len(err.splitlines()) == 1 and err.startswith(f"scaledrop: {message}")
    assert err.endswith("; the last good epoch is kept in o/last.checkpoint\n")
    assert len(load_resume(Path("o/last.checkpoint")).history) == 2


def test_a_configuration_file(run):
    Path("run.yaml").write_text("base: digits\nepochs: 2\nnetwork: {widths: [9], name: nine}\n")
    assert run("train", "--config", "run.yaml", "--out", "o")[0] == 0
    config = load_checkpoint(Path("o/checkpoint")).config
    assert (config.epochs, config.network.name, config.network.widths) == (2, "nine", (9,))
    Path("wrong.yaml").write_text("base: digits\nlearningrate: 0.1\n")
    status, _, err = run("train", "--config", "wrong.yaml")
    assert status == 2 and err == (
        "scaledrop: wrong.yaml: learningrate: is no field of the configuration; did you mean "
        "'learning_rate'?\n"
    )


def test_the_twin_has_no_dropout(run):
    assert run("train", *SMALL, "--deterministic", "--out", "o")[0] == 0
    network = load_checkpoint(Path("o/checkpoint")).config.network
    assert network.name == "digits-twin" and network.p == (0.0, 0.0)


def test_own_images_in_a_file(run):
    digits = load_digits()
    keep = digits.train_labels < 4
    np.savez("my set.npz", images=digits.train_images[keep], labels=digits.train_labels[keep])
    status, _, err = run("train", *SMALL, "--data", "my set.npz", "--out", "o")
    assert (status, err) == (0, "")
    config = load_checkpoint(Path("o/checkpoint")).config
    assert (config.data, config.network.name, config.network.classes) == ("my set", "my-set", 4)
    assert run("freeze", "o/checkpoint")[0] == 0
    assert load(Path("o/model.sdnet")).provenance["data"] == "my set"


def test_own_images_in_class_folders(run):
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 120)):
        Path("pictures", name).mkdir(parents=True)
        for index in range(20):
            pixels = (low + rng.integers(0, 100, (6, 5))).astype(np.uint8)
            Image.fromarray(pixels).save(f"pictures/{name}/{index}.png")
    common = ("train", "--data", "pictures", "--out", "o", "--epochs", 2)
    status, _, err = run(*common)
    assert status == 2 and "batch_size: 64 is more than the 32 training images; lower it" in err
    Path("run.yaml").write_text("base: digits\nbatch_size: 8\n")
    assert run(*common, "--config", "run.yaml")[0] == 0
    network = load_checkpoint(Path("o/checkpoint")).config.network
    assert (network.input_shape, network.classes, network.name) == ((6, 5), 2, "pictures")


def test_wrong_images_are_one_line(run):
    for name, labels in (("short", np.zeros(3, int)), ("low", np.full(4, -1))):
        np.savez(f"{name}.npz", images=np.zeros((4, 8, 8), np.uint8), labels=labels)
    Path("text.npz").write_text("no zip")
    for path, message in (
        ("short.npz", "short.npz: labels: has 3 for 4 images"),
        ("low.npz", "low.npz: labels: must be 0 to 9999, not -1"),
        ("text.npz", "text.npz: is no npz file"),
        ("gone", "gone: does not exist"),
    ):
        status, _, err = run("train", "--data", path)
        assert status == 2 and message in err and len(err.splitlines()) == 1


def test_a_set_that_is_not_at_hand_says_how_to_get_it(run):
    Path("sets/cifar10").mkdir(parents=True)
    status, _, err = run("train", "--config", "lenet5-mnist", "--data", "sets")
    assert status == 2 and "run 'scaledrop data fetch mnist'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--config", "digit"), "config: 'digit' is not known; choose one of digits,"),
        (("--config", "gone.yaml"), "gone.yaml: cannot be read"),
        (("--widths", "0"), "widths: must be 1 to 1048576, not 0"),
        (("--widths", "a"), "widths: 'a' is not a number"),
        (("--p", "0.1,0.1"), "p: must have one value per layer, 3, not 2"),
        (("--epochs", 0), "epochs: must be a whole number, 1 or more, not 0"),
        (("--device", "tpu"), "device: must be one of auto, cpu, cuda, not 'tpu'"),
        (("--config", "lenet5-mnist", "--widths", "3"), "widths: lenet5 takes 4, not 1"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, run):
    status, _, err = run("train", *arguments)
    assert status == 2 and message in err and len(err.splitlines()) == 1
    assert not Path("build/train/log.csv").exists()


def test_sets_are_listed_and_fetched(run, monkeypatch):
    Path("root/mnist").mkdir(parents=True)
    status, out, _ = run("data", "list", "--data", "root")
    assert status == 0 and "digits" in out and "embedded" in out and "fetch mnist" in out
    assert not any(one.at_hand for one in set_statuses(Path("root")) if one.name != "digits")
    status, out, _ = run("data", "fetch", "digits")
    assert status == 0 and "digits is embedded; there is nothing to fetch" in out
    status, _, err = run("data", "fetch", "mnits")
    assert status == 2 and "data: no set is called 'mnits'; choose one of digits, mnist" in err
    calls = []

    def fetch(name, root, progress):
        progress("file.gz", 5, 10)
        calls.append((name, root))
        return [Path("root/mnist/file.gz")]

    monkeypatch.setattr("scaledrop.data.fetch", fetch)
    status, out, _ = run("data", "fetch", "mnist", "--data", "root")
    assert status == 0 and calls == [("mnist", Path("root"))] and "have root/mnist/file.gz" in out


def test_one_rule_says_whether_a_set_is_at_hand(tmp_path):
    forms = {
        "mnist": [source.file.removesuffix(".gz") for source in SOURCES["mnist"]],
        "breastmnist": ["breastmnist.npz"],
        "cifar10": ["train_00.webp"],
        "isbi2012": ["train-volume.tif", "train-labels.tif"],
    }
    for name, files in forms.items():
        folder = set_folder(name, tmp_path)
        folder.mkdir()
        for file in files:
            assert not at_hand(name, folder)
            (folder / file).touch()
        assert at_hand(name, folder)
    found = {one.name for one in set_statuses(tmp_path) if one.at_hand}
    assert found == {"digits", *forms}


def test_a_cached_training_of_other_images_begins_anew(tmp_path, monkeypatch):
    config = dataclasses.replace(with_network(CONFIGS["digits"], widths=(8,)), epochs=3)

    def stop(epoch, batch, batches):
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.trained(config, tmp_path, None, stop)
    digits = load_digits()
    fewer = dataclasses.replace(
        digits, train_images=digits.train_images[:640], train_labels=digits.train_labels[:640]
    )
    monkeypatch.setattr(steps, "load_set", lambda *_: fewer)
    seen = []
    assert steps.trained(config, tmp_path, seen.append).config == config
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert not list(tmp_path.glob("last.*"))


def test_a_cached_training_goes_on(tmp_path, monkeypatch):
    config = dataclasses.replace(with_network(CONFIGS["digits"], widths=(8,)), epochs=6)
    whole = steps.trained(config, tmp_path / "whole").sha256

    def stop(epoch, batch, batches):
        if (epoch, batch) == (4, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.trained(config, tmp_path / "cut", None, stop)
    seen = []
    found = steps.trained(config, tmp_path / "cut", seen.append)
    assert found.sha256 == whole and seen[0].epoch == 4
    assert [path.suffix for path in (tmp_path / "cut").iterdir()] == [".checkpoint"]
    assert steps.freeze_checkpoint(found).provenance["data"] == "digits"
    monkeypatch.setattr(steps, "train", None)
    assert steps.trained(config, tmp_path / "cut").sha256 == whole


def test_lines_instead_of_a_bar_where_there_is_no_terminal(monkeypatch, capsys):
    from scaledrop.training import EpochRecord
    from scaledrop_flow import console

    clock = iter([0.0, 10.0, 30.0, 31.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    drawn = []
    bar = TrainingBar(4, lambda done, note: drawn.append((done, note)))
    bar.batch(1, 1, 2)
    bar(EpochRecord(1, 4, 0.5, 0.4, 0.75, 0.5))
    note = "epoch 1 loss 0.500 accuracy 0.750 validation 0.500"
    assert drawn == [(0.5, ""), (1, note)]
    assert capsys.readouterr().out == f"  {note}, about 2 min left\n"
