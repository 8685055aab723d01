# SPDX-License-Identifier: Apache-2.0
"""The generated RTL under cocotb and Verilator against the golden model, at several shapes."""

import re

import numpy as np
import pytest

from networks import random_images, random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape
from scaledrop_cosim import toolchain
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance
from scaledrop_cosim.simulation import build
from scaledrop_flow.steps.generate import generate

SHAPES = {
    "several tiles": ([64, 96, 48, 10], ArrayShape(32, 8), 8),
    "more columns than rows, one lane at a time": ([13, 21, 9, 4], ArrayShape(6, 9, 1), 5),
    "one layer": ([20, 7], ArrayShape(8, 4), 8),
}


def made(name, folder, cache):
    """Generated accelerator of a shape, its network and its simulation."""
    sizes, array, input_bits = SHAPES[name]
    network = random_network(21, sizes, input_bits=input_bits)
    generated = generate(network, array, folder / "rtl")
    return network, generated, build(generated.verilog, cache)


def backend_of(generated, simulation, folder, disturbance=None):
    return RtlBackend(simulation, generated.mapping, generated.timing, folder / "run", disturbance)


@pytest.mark.parametrize("name", SHAPES)
def test_every_value_equals_the_golden_model(name, tmp_path, cache):
    network, generated, simulation = made(name, tmp_path, cache)
    for seed, images, passes in ((3, 17, 5), (2**31 - 1, 1, 1)):
        workload = Workload(network, random_images(seed, network, images), passes, seed)
        report = backend_of(generated, simulation, tmp_path).verify(workload)
        assert report.ok, str(report)
        hidden = sum(layer.out_features for layer in network.layers[:-1])
        assert report.checked == {
            "masks": workload.bits,
            **({"hidden_bits": images * passes * hidden} if hidden else {}),
            "logits": images * passes * network.classes,
            "sums": images * network.classes,
            "votes": images * network.classes,
            "device_writes": 1,
            "counters": 15 * len(network.layers),
        }


@pytest.mark.parametrize("disturbance", [Disturbance(idle=200), Disturbance(stall=230)])
def test_gaps_and_back_pressure_change_no_result(disturbance, tmp_path, cache):
    network, generated, simulation = made("one layer", tmp_path, cache)
    workload = Workload(network, random_images(4, network, 9), 3, seed=8)
    backend = backend_of(generated, simulation, tmp_path, disturbance)
    report = backend.verify(workload)
    assert report.ok, str(report)
    observed = backend.observation(workload).record
    golden = IntegerBackend().infer(workload).record
    assert np.array_equal(observed.sums, golden.sums)


def test_fault_in_the_verilog_is_named(tmp_path, cache):
    network, generated, _ = made("one layer", tmp_path, cache)
    text = generated.verilog.read_text()
    scales = re.search(r"sram\[0\] = 32'd(\d+);", text)
    changed = f"sram[0] = 32'd{int(scales[1]) ^ 1 << 31};"
    generated.verilog.write_text(text.replace(scales[0], changed))
    workload = Workload(network, random_images(5, network, 8), 4, seed=2)
    report = backend_of(generated, build(generated.verilog, cache), tmp_path).verify(workload)
    assert not report.ok
    assert re.fullmatch(
        r"image 0, pass \d, layer 0 \(dense1\), class 3: logit is -?\d+, expected -?\d+",
        report.first,
    )
    verdict = (tmp_path / "run" / "results.xml").read_text()
    assert "<failure" in verdict


def test_workload_refuses_what_no_run_can_do():
    network = random_network(1, [4, 2])
    images = random_images(1, network, 2)
    for passes, seed, text in (
        (0, 1, "passes: must be 1 to 65535, not 0"),
        (1, -1, "seed: must be 0 to 2147483647, not -1"),
    ):
        with pytest.raises(UserError, match=re.escape(text)):
            Workload(network, images, passes, seed)


def test_missing_tools_are_named_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    lines = toolchain.missing_tools()
    assert [line.split(" is missing: install ")[0] for line in lines] == ["g++", "make", "perl"]
    with pytest.raises(UserError, match="perl is missing: install perl"):
        toolchain.compile_verilator([], tmp_path, tmp_path / "log")


def test_an_accelerator_that_hangs_is_told_from_one_that_is_slow(tmp_path, cache):
    network, generated, _ = made("one layer", tmp_path, cache)
    text = generated.verilog.read_text()
    header, _, rest = text.partition("module scaledrop(")
    stuck = rest.replace("  output results__valid;", "  output results__valid;", 1)
    stuck = re.sub(r"results__valid\)", "never_valid)", stuck, count=1)
    assert stuck != rest
    generated.verilog.write_text(f"{header}module scaledrop({stuck}")
    workload = Workload(network, random_images(6, network, 2), 2, seed=2)
    report = backend_of(generated, build(generated.verilog, cache), tmp_path).verify(workload)
    assert not report.ok
    assert report.first == "the accelerator hung: no result for a long time"


def test_whatever_the_memories_hold_at_power_up_changes_nothing(tmp_path, cache):
    """Memories in silicon start with anything; only the baked-in ones are contents."""
    network, generated, _ = made("several tiles", tmp_path, cache)
    rng = np.random.default_rng(17)

    def anything(match):
        width = int(match[2])
        value = int.from_bytes(rng.bytes(width // 8 + 1)) & (1 << width) - 1
        return f"{match[1]}{width}'h{value:x};"

    line = re.compile(r"^(    (?:sums|votes|memory|plane_\d+)\[\d+\] = )(\d+)'[hd]\w+;", re.M)
    text, count = line.subn(anything, generated.verilog.read_text())
    assert count > 40
    generated.verilog.write_text(text)
    workload = Workload(network, random_images(7, network, 9), 4, seed=6)
    report = backend_of(generated, build(generated.verilog, cache), tmp_path).verify(workload)
    assert report.ok, str(report)
