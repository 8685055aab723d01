# SPDX-License-Identifier: Apache-2.0
"""``scaledrop generate --bus axi``: its files, and what a C compiler and a reader make of them."""

import re
import subprocess
from pathlib import Path

import pytest

from networks import random_network
from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.driver import read_contents, read_description
from scaledrop.frozen_file import digest, save
from scaledrop.packets import ABORTED_WORD, PacketType, packet_length
from scaledrop.registers import register_map
from scaledrop_cosim.toolchain import compiler
from scaledrop_flow.device_files import device_header, device_page

NETWORK = random_network(8, (10, 6, 3), input_bits=10)
FILES = [".v", ".json", "_contents.json", "_registers.h", "_device.h", "_registers.md"]
SHAPE = ("--rows", 8, "--columns", 4)
SIZES = DeviceSizes(
    layers=3,
    classes=4,
    input_bits=12,
    pixels=9,
    memories={Memory.SCALES: MemoryShape(5, 3), Memory.HEAD: MemoryShape(4, 2)},
    drive_codes=(100, 2000, 65535),
    digest="c0ffee" + "1" * 58,
)


@pytest.fixture
def model(tmp_path):
    save(NETWORK, tmp_path / "model.sdnet")
    return tmp_path / "model.sdnet"


def test_everything_is_written_and_agrees(run, model):
    status, out, _ = run("generate", "--model", model, *SHAPE, "--bus", "axi", "--out", "axi")
    assert status == 0
    assert sorted(path.name for path in Path("axi").iterdir()) == sorted(
        f"scaledrop_axi{name}" for name in FILES
    )
    assert all(f"axi/scaledrop_axi{name}" in out.replace("\n", "") for name in FILES)
    description = read_description(Path("axi/scaledrop_axi.json"))
    contents = read_contents(Path("axi/scaledrop_axi_contents.json"))
    assert description.sizes.digest == contents.digest == digest(NETWORK)
    assert (description.sizes.rows, description.sizes.columns) == (8, 4)
    assert set(contents.fitted(description)) == set(description.sizes.memories)
    header = Path("axi/scaledrop_axi_device.h").read_text()
    assert header == device_header(description.sizes, "scaledrop_axi_registers.h")
    page = Path("axi/scaledrop_axi_registers.md").read_text()
    assert page == device_page(description.sizes, "scaledrop_axi")


def test_without_a_bus_nothing_has_changed(run, model):
    common = ("generate", "--model", model, *SHAPE)
    assert run(*common, "--out", "a")[0] == 0
    assert run(*common, "--bus", "none", "--out", "b")[0] == 0
    for folder in ("a", "b"):
        names = sorted(path.name for path in Path(folder).iterdir())
        assert names == ["scaledrop.json", "scaledrop.v"]
    assert Path("a/scaledrop.v").read_bytes() == Path("b/scaledrop.v").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bus", "ahb"), "bus: must be none or axi, not 'ahb'"),
        (("--bus", "axi", "--pixel-bits", 24), "pixel_bits: must be 8, 16 or 32, not 24"),
        (
            ("--bus", "axi", "--pixel-bits", 8),
            "pixel_bits: a pixel takes 16, which 8 do not hold",
        ),
        (
            ("--bus", "axi", "--rows", 512, "--columns", 512),
            "rows * columns: a host can load tiles of at most 131040 cells, not 262144; "
            "use a smaller array, or no bus",
        ),
    ],
)
def test_a_mistake_is_one_line(run, model, options, message):
    status, _, err = run("generate", "--model", model, *SHAPE, *options)
    assert status == 2 and message in err and len(err.strip().splitlines()) == 1


def program():
    """A program that holds the header's numbers against the sizes."""
    device = "SCALEDROP_DEVICE_"
    result, leaf = (packet_length(kind, SIZES) for kind in (PacketType.RESULT, PacketType.LEAF))
    numbers = {
        f"{device}LAYERS": 3,
        f"{device}CLASSES": 4,
        f"{device}PIXELS": 9,
        f"{device}PIXEL_BYTES": 2,
        f"{device}IMAGE_BYTES": 18,
        f"{device}RESULT_WORDS": result,
        f"{device}LEAF_WORDS": leaf,
        f"{device}SCALES_WORDS": 5,
        f"{device}SCALES_PARTS": 3,
        "SCALEDROP_MEMORY_SCALES": 1,
        "SCALEDROP_MEMORY_HEALTH_LIMITS": 6,
        "SCALEDROP_MODE_EXACT": 2,
        "SCALEDROP_PACKET_LEAF": 2,
        "SCALEDROP_ABORTED_WORD": ABORTED_WORD,
    }
    lines = ['#include "x_device.h"', '#include "x_device.h"', "#include <assert.h>"]
    lines += [f'static_assert({name} == {value}u, "{name}");' for name, value in numbers.items()]
    lines += [
        f"static const unsigned hash[] = {device}MODEL_HASH;",
        f"static const unsigned codes[] = {device}DRIVE_CODES;",
        'static_assert(sizeof hash == 8 * sizeof *hash, "hash");',
        'static_assert(sizeof codes == 3 * sizeof *codes, "codes");',
        "unsigned first(void) { return hash[0] + codes[2]; }",
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("language", "standard"), [("c", "-std=c11"), ("c++", "-std=c++17")])
def test_the_header_compiles_and_says_what_the_sizes_say(language, standard, run, tmp_path):
    from scaledrop_flow.device_files import write_device_files

    names = [path.name for path in write_device_files(SIZES, tmp_path, "x")]
    assert names == ["x_registers.h", "x_device.h", "x_registers.md"]
    (tmp_path / "program").write_text(program())
    command = [compiler(), "-x", language, standard, "-Wall", "-Wextra", "-Werror"]
    command += ["-Wno-sign-compare", "-fsyntax-only", str(tmp_path / "program")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_page_has_every_register_and_what_was_built_in():
    page = device_page(SIZES, "mine")
    assert page.startswith("# Registers of mine\n") and "](" not in page
    registers = register_map(SIZES)
    for register in registers:
        assert f"**{register.name}" in page
    built = page.partition("## As built\n")[2]
    rows = dict(re.findall(r"^\| 0x\w+ \| ([A-Z_]+(?:\[\d+\])?) \| (.*) \|$", built, re.M))
    assert rows["NETWORK"] == "layers 0x3, classes 0x4"
    assert rows["MODEL_HASH[0]"] == "value 0xc0ffee11"
    assert rows["MEMORY_SHAPE[1]"] == "words 0x5, parts 0x3"
    assert rows["MEMORY_SHAPE[0]"] == "words 0x0, parts 0x0"
    assert rows["DRIVE_CODE[2]"] == "value 0xffff"
    assert "STATUS" not in rows
