# SPDX-License-Identifier: Apache-2.0
"""The generated RTL under cocotb and Verilator against the golden model, in all its ways."""

import re
from dataclasses import replace

import numpy as np
import pytest

from networks import random_graph_network, random_images
from scaledrop.calibration import Calibration
from scaledrop.device.loop import spin_loop
from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape
from scaledrop.numbers import drop_code
from scaledrop.walk import Inference, Mode
from scaledrop_cosim import toolchain
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance
from scaledrop_cosim.simulation import build
from scaledrop_flow.steps.generate import generate
from verilog_words import changed_word, filled


def head(classes):
    return Layer("head", classes, output=Kind.LOGITS)


SHAPES = {
    "dense": ((40,), (Layer("a", 21), Layer("b", 18, planes=2), head(5)), ArrayShape(16, 6), 8),
    "convolution": (
        (2, 6, 5),
        (Layer("a", 5, Window(3, 1, 1)), MaxPool("pool", 2), Layer("b", 7, planes=2), head(4)),
        ArrayShape(12, 4, 2),
        3,
    ),
    "one layer": ((20,), (head(7),), ArrayShape(8, 4), 8),
}
INFERENCES = [
    Inference(Mode.PASSES, 4),
    Inference(Mode.SHARED, 9),
    Inference(Mode.EXACT),
    Inference(Mode.EXACT, masks=3),
]


def made(name, folder, datapath="reference", convolution="auto", weights="memory"):
    """Network of a shape, and the accelerator generated for it."""
    shape, nodes, array, bits = SHAPES[name]
    codes = [drop_code(p) for p in (0.4, 0.3, 0.5)]
    network = random_graph_network(21, shape, nodes, bits, codes=codes)
    ways = {"datapath": datapath, "convolution": convolution, "weights": weights}
    return network, generate(network, array, folder / "rtl", **ways)


def backend_of(generated, cache, folder, disturbance=None):
    simulation = build(generated.verilog, cache)
    return RtlBackend(simulation, generated.mapping, generated.timing, folder / "run", disturbance)


def workload_of(network, images=2, passes=3, seed=6, **ways):
    return Workload(network, random_images(seed, network, images), passes, seed, **ways)


@pytest.mark.parametrize(
    ("name", "datapath", "convolution"),
    [
        ("dense", "reference", "auto"),
        ("dense", "folded", "auto"),
        ("convolution", "reference", "unrolled"),
        ("convolution", "folded", "taps"),
    ],
)
def test_every_value_of_every_mode_equals_the_golden_model(
    name, datapath, convolution, tmp_path, cache
):
    network, generated = made(name, tmp_path, datapath, convolution)
    backend = backend_of(generated, cache, tmp_path)
    assert backend.folded == (datapath == "folded")
    for inference, images, seed in zip(INFERENCES, (5, 3, 2, 1), (3, 0, 2**31 - 1, 7), strict=True):
        workload = workload_of(network, images, inference.passes, seed, inference=inference)
        report = backend.verify(workload)
        assert report.ok, str(report)
        leaves, classes = images * workload.leaves_per_image, images * network.classes
        hidden = [network.graph.values[layer.name].shape for layer in network.layers[:-1]]
        assert report.checked == {
            "masks": leaves * 3,
            "hidden_bits": leaves * sum(int(np.prod(shape)) for shape in hidden),
            "logits": leaves * network.classes,
            **dict.fromkeys(("sums", "squares", "votes"), classes),
            **{"device_writes": 1, "monitors": 1},
            **dict.fromkeys(("predicted", "covered", "abstain"), classes),
            "counters": 17 * 3,
        }


def test_weights_in_the_logic_equal_the_golden_model(tmp_path, cache):
    network, generated = made("convolution", tmp_path, weights="baked")
    backend = backend_of(generated, cache, tmp_path)
    assert backend.simulation.sidecar["parameters"]["weights"] == "baked"
    report = backend.verify(workload_of(network))
    assert report.ok, str(report)
    assert report.checked["counters"] == 17 * 3


@pytest.mark.parametrize("disturbance", [Disturbance(idle=200), Disturbance(stall=230)])
@pytest.mark.parametrize("inference", INFERENCES[1:3])
def test_gaps_and_back_pressure_change_no_result(disturbance, inference, tmp_path, cache):
    network, generated = made("dense", tmp_path)
    workload = workload_of(network, 3, inference.passes, inference=inference)
    backend = backend_of(generated, cache, tmp_path, disturbance)
    report = backend.verify(workload)
    assert report.ok, str(report)
    assert report.checked["counters"] == 15 * 3
    observed = backend.observation(workload)
    golden = IntegerBackend().infer(workload).record
    assert np.array_equal(observed.record.sums, golden.sums)
    assert observed.walks == workload.walks


def test_images_are_told_as_they_finish(tmp_path, cache):
    network, generated = made("dense", tmp_path)
    backend, seen = backend_of(generated, cache, tmp_path), []
    backend.progress = seen.append
    backend.infer(workload_of(network, 4))
    assert sorted(set(seen)) == [1, 2, 3, 4] and seen == sorted(seen)


def test_faults_in_the_verilog_are_named(tmp_path, cache):
    """A wrong bit of a gain, and one of a scale, which is put right but not in silence."""
    network, generated = made("one layer", tmp_path)
    text = generated.verilog.read_text()
    text = changed_word(text, "scale.memory.sram", 0, lambda word: word ^ 1)
    text = changed_word(text, "head.affine", 3, lambda word: word ^ 1 << 9)
    generated.verilog.write_text(text)
    report = backend_of(generated, cache, tmp_path).verify(workload_of(network, 8, 4))
    assert not report.ok
    assert re.fullmatch(
        r"image 0, pass \d, layer 0 \(head\), class 3: logit is -?\d+, expected -?\d+",
        report.first,
    )
    wrong = {kind for kind, count in report.mismatches.items() if count}
    assert {"logits", "sums", "squares", "monitors"} <= wrong <= {*wrong, "votes", "predicted"}
    assert not wrong & {"masks", "counters", "device_writes"}
    assert "<failure" in (tmp_path / "run" / "results.xml").read_text()


def test_whatever_the_memories_hold_at_power_up_changes_nothing(tmp_path, cache):
    """Memories in silicon start with anything; only the baked-in ones are contents."""
    network, generated = made("convolution", tmp_path, convolution="unrolled")
    names = r"row_\d+|open_windows|bit_\d|\w+_memory|storage|stack"
    rng = np.random.default_rng(17)
    text, count = filled(generated.verilog.read_text(), names, rng)
    assert count > 100
    generated.verilog.write_text(text)
    backend = backend_of(generated, cache, tmp_path)
    for inference in INFERENCES[1:3]:
        workload = workload_of(network, 3, inference.passes, inference=inference)
        report = backend.verify(workload)
        assert report.ok, str(report)


def test_an_accelerator_that_hangs_is_told(tmp_path, cache, monkeypatch):
    """Fewer cycles than the first image takes, as if it never came."""
    network, generated = made("dense", tmp_path)
    backend = backend_of(generated, cache, tmp_path)
    monkeypatch.setattr(RtlBackend, "cycles_per_image", lambda *_: -1155)
    report = backend.verify(workload_of(network))
    assert not report.ok
    assert report.first == "the accelerator hung: no result for a long time"


def test_missing_tools_are_named_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    lines = toolchain.missing_tools()
    assert [line.split(" is missing: install ")[0] for line in lines] == ["g++", "make", "perl"]
    with pytest.raises(UserError, match="perl is missing: install perl"):
        toolchain.compile_verilator([], tmp_path, tmp_path / "log")


@pytest.mark.parametrize("inference", INFERENCES[:2])
def test_a_physical_device_makes_the_bits(inference, cache, tmp_path):
    """A warm device that drifts and remembers; the alarms of the bits are its own affair."""
    network, generated = made("dense", tmp_path)
    codes = [layer.drop_code for layer in network.layers]
    images = random_images(1, network, 12)
    bits = 12 * inference.passes * len(codes)
    loop = spin_loop("hikstor80", codes, bits, seed=2, temperature_c=40.0)
    # Epochs short enough for several of them, and a strong memory.
    tables = np.concatenate([loop.tables, loop.tables[:, ::-1] >> 1, loop.tables | 1 << 30])
    spin = replace(loop, tables=tables, epoch_writes=bits // 4)
    workload = Workload(network, images, inference.passes, 5, inference=inference, spin=spin)
    report = backend_of(generated, cache, tmp_path).verify(workload)
    assert report.ok, str(report)
    ideal = replace(workload, spin=None)
    assert not np.array_equal(workload.masks, ideal.masks)


def test_the_calibrator_holds_a_warm_device(cache, tmp_path):
    """Search, dither and tracking in RTL are those of the twin; the bits come closer to p."""
    shape, nodes, array, bits = SHAPES["dense"]
    codes = [drop_code(0.2), 0, drop_code(0.4)]
    network = random_graph_network(21, shape, nodes, bits, codes=codes)
    calibration = Calibration(window_bits=6)
    generated = generate(network, array, tmp_path / "rtl", calibration=calibration)
    images, inference = random_images(1, network, 20), Inference(Mode.SHARED, 30)
    count = 20 * 30 * len(codes)
    held = spin_loop("hikstor80", codes, count, seed=2, temperature_c=60.0, calibrate=True)
    held = replace(held, calibration=calibration)
    free = spin_loop("hikstor80", codes, count, seed=2, temperature_c=60.0)
    work = Workload(network, images, 30, 5, inference=inference, spin=held)
    assert work.writes == count + 2 * calibration.search_bits
    report = backend_of(generated, cache, tmp_path).verify(work)
    assert report.ok, str(report)
    away = [
        np.abs((1 - one.masks.reshape(-1, 3).mean(axis=0)) - np.array(codes) / 2**16)
        for one in (work, replace(work, spin=free))
    ]
    assert (away[0][[0, 2]] < 0.06).all() and (away[1][[0, 2]] > 0.12).all()
    # Without a drive the device of the card still switches now and then.
    assert away[0][1] < 0.05
