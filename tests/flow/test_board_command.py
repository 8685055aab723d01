# SPDX-License-Identifier: Apache-2.0
"""``scaledrop board`` at a port behind which the golden model sits, and boards that are wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from golden_board import GoldenBoard
from networks import random_images, random_network
from scaledrop.driver.serial import SerialTransport
from scaledrop.frozen_file import save
from scaledrop.lfsr import lfsr_words
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.packets import Leaf
from scaledrop.spin import uniform_words
from scaledrop.walk import Inference, Mode, walk_words
from scaledrop_flow.board_check import words_of_leaves
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.demonstrator import Demonstrator
from scaledrop_hw.demonstrator_export import demonstrator_sidecar
from scaledrop_hw.system import System
from serial_loopback import Loopback

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

NETWORK = random_network(8, (10, 6, 3), p=0.3)
MAPPING = NetworkMapping(NETWORK, ArrayShape(8, 4))
SEED, COUNT = 5, 11


def described(source="lfsr", **form):
    system = System(accelerator=Accelerator(mapping=MAPPING, datapath="folded", **form))
    choices = {"clock_hz": 12_000_000, "baud": 115_200, "source": source, "seed": SEED}
    return demonstrator_sidecar(Demonstrator(system=system, **choices), "demo", "")


@pytest.fixture
def files(tmp_path):
    """Model, images and sidecar."""
    save(NETWORK, tmp_path / "model.sdnet")
    images = random_images(1, NETWORK, COUNT)
    labels = np.random.default_rng(0).integers(0, 3, COUNT)
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    (tmp_path / "demo.json").write_text(json.dumps(described()))
    return tmp_path


@pytest.fixture
def board(run, files, monkeypatch):
    """Runs the command with a board at its port."""

    def call(*arguments, sidecar=None, words=None, fault=lambda at, frame: frame):
        sidecar = sidecar or described()
        (files / "demo.json").write_text(json.dumps(sidecar))
        words = lfsr_words(SEED, 5000) if words is None else words
        device = GoldenBoard(MAPPING, sidecar, words, fault)
        opened = []

        def open_serial(port, baud):
            opened.append((port, baud))
            return SerialTransport(Loopback(device), port)

        monkeypatch.setattr("scaledrop.driver.port.open_serial", open_serial)
        common = ("--port", "/dev/board", "--sidecar", "demo.json", "--model", "model.sdnet")
        found = run("board", *common, "--data", "own.npz", "--out", "board.json", *arguments)
        assert opened in ([("/dev/board", 115_200)], [])
        report = files / "board.json"
        return found, json.loads(report.read_text()) if report.exists() else None

    return call


@pytest.mark.parametrize("mode", ["passes", "shared", "exact"])
def test_everything_is_compared_with_the_golden_model(board, mode):
    (status, out, _), report = board("--mode", mode, "--passes", 5, "--images", 0)
    assert status == 0 and report["ok"]
    leaves = 4 if mode == "exact" else 5
    assert report["checked"]["masks"] == COUNT * leaves * 2
    assert report["checked"]["logits"] == COUNT * leaves * 3
    assert sum(report["mismatches"].values()) == 0
    assert report["masks"] == "foreseen" and report["mode"] == mode
    assert len(report["answers"]) == COUNT
    right = [one["label"] == one["predicted"] for one in report["answers"]]
    assert report["accuracy"] == np.mean(right)
    assert "result      the board equals the golden model" in out
    assert out.count("image ") == COUNT
    assert "stand-in for the magnetic device" in out


def test_abstentions_are_told_and_compared(board):
    (status, out, _), report = board("--passes", 5, "--min-votes", 5, "--images", 9)
    assert status == 0
    few = [max(one["votes"]) < 5 for one in report["answers"]]
    # The predicted class is that of the largest sum, which need not have the most votes.
    assert report["abstained"] >= sum(few) > 0
    assert out.count(", abstains") == report["abstained"]
    assert f"abstained   on {report['abstained']}; accuracy" in out

    def never(at, frame):
        return replace(frame, result=replace(frame.result, abstain=False))

    (status, out, _), report = board("--passes", 5, "--min-votes", 5, "--images", 9, fault=never)
    assert status == 1 and not report["ok"]
    assert "abstain is" in report["first_difference"]


def wrong_sum(at, frame):
    sums = (frame.result.sums[0] + (at == 4), *frame.result.sums[1:])
    return replace(frame, result=replace(frame.result, sums=sums))


def test_a_wrong_value_is_found_and_named(board):
    (status, out, _), report = board("--passes", 3, "--images", 6, fault=wrong_sum)
    assert status == 1 and not report["ok"]
    assert report["mismatches"]["sums"] == 1
    assert "MISMATCH: " in out and "image 4" in report["first_difference"]


def test_bits_of_another_seed_are_found(board):
    words = lfsr_words(SEED + 1, 5000)
    (status, _, _), report = board("--passes", 20, "--images", 4, words=words)
    assert status == 1 and report["mismatches"]["masks"] > 0


@pytest.mark.parametrize("mode", ["passes", "shared"])
def test_bits_that_nobody_foresees_are_taken_from_the_leaves(board, mode):
    words, ring = uniform_words(3, 5000), described("ring")
    arguments = ("--mode", mode, "--passes", 6, "--images", 5)
    (status, out, _), report = board(*arguments, sidecar=ring, words=words)
    assert status == 0 and report["ok"] and report["masks"] == "observed"
    assert report["demonstrator"]["seed"] is None
    (status, out, _), report = board(*arguments, sidecar=ring, words=words, fault=wrong_sum)
    assert status == 1 and "MISMATCH" in out


@pytest.mark.parametrize("source", ["lfsr", "ring"])
def test_a_small_form_sends_no_leaves(board, source):
    (status, out, _), report = board(
        "--passes", 6, "--images", 5, sidecar=described(source, form="small")
    )
    assert status == 0 and report["ok"]
    if source == "lfsr":
        assert report["checked"]["sums"] == 5 * 3 and "masks" not in report["checked"]
    else:
        assert report["checked"] == {} and report["masks"] == "unseen"
        assert "compared    nothing: the board sends no leaves" in out


def test_words_of_leaves_make_the_same_leaves():
    rng = np.random.default_rng(4)
    codes = (20_000, 40_000, 30_000)
    for mode in (Mode.PASSES, Mode.SHARED):
        inference = Inference(mode, 9)
        for _ in range(20):
            words = rng.integers(0, 65536, 27)
            leaves = _leaves(walk_words(inference, codes, words))
            again = words_of_leaves(leaves, 3, inference)
            assert _leaves(walk_words(inference, codes, again)) == leaves


def _leaves(visits):
    found = []
    for visit in visits:
        if visit.layer == 2:
            sides = ((visit.path | 4, visit.kept), (visit.path, visit.dropped))
            found += [Leaf(path, weight, ()) for path, weight in sides if weight]
    return found


def test_what_is_refused(board, files, run):
    common = ("board", "--port", "/dev/none", "--sidecar", "demo.json")
    save(random_network(9, (10, 6, 3), p=0.3), files / "other.sdnet")
    (status, _, err), _ = board("--model", "other.sdnet")
    assert status == 2
    assert "is not the network of this board" in err
    plain = described()
    del plain["demonstrator"]
    (files / "demo.json").write_text(json.dumps(plain))
    status, _, err = run(*common, "--model", "model.sdnet", "--data", "own.npz")
    assert (status, err) == (
        2,
        "scaledrop: sidecar: describes no demonstrator; give the .json that scaledrop fpga wrote "
        "beside the bitstream\n",
    )
    status, _, err = run("board", "--port", "x", "--sidecar", "none.json")
    assert (status, err) == (
        2,
        "scaledrop: none.json: cannot be read (No such file or directory)\n",
    )
