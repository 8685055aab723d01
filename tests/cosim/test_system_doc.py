# SPDX-License-Identifier: Apache-2.0
"""docs/system.md, block by block: commands, Verilog, Python, C."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from system_designs import DESIGNS

from scaledrop.driver import Transport
from scaledrop.frozen_file import save
from scaledrop_cosim.toolchain import compiler, verilator_root
from scaledrop_flow import cli

PAGE = Path(__file__).parent.parent.parent / "docs" / "system.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
KINDS = {"": 2, "verilog": 1, "python": 6, "c": 1}


@pytest.fixture(scope="module")
def blocks():
    found = BLOCK.findall(PAGE.read_text())
    return {kind: [text for one, text in found if one == kind] for kind in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, blocks, cache):
    """Where a reader would be after the commands of the page."""
    folder = tmp_path_factory.mktemp("reader")
    for name, network in (("mine", "network"), ("other", "other")):
        save(DESIGNS["dense"][network], folder / "build" / name / "model.sdnet")
    (folder / "build" / "cache").symlink_to(cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in "".join(blocks[""]).splitlines():
            patch.setattr(sys, "argv", shlex.split(line))
            with pytest.raises(SystemExit) as stop:
                cli.main()
            assert stop.value.code == 0, line
    return folder


def test_every_block_has_its_test(blocks):
    assert {kind: len(texts) for kind, texts in blocks.items()} == KINDS
    assert len(BLOCK.findall(PAGE.read_text())) == sum(KINDS.values())


def test_every_file_of_the_table_is_written(folder):
    named = set(re.findall(r"`(scaledrop_axi[\w.]*)`", PAGE.read_text()))
    assert named == {path.name for path in (folder / "build" / "axi").iterdir()}


def test_the_instance_fits_the_module(folder, blocks):
    (folder / "example.v").write_text(blocks["verilog"][0])
    root = verilator_root()
    result = subprocess.run(
        [
            *(str(root / "bin" / "verilator"), "--lint-only", "-Wno-fatal", "-Wno-UNDRIVEN"),
            *("-Werror-WIDTHEXPAND", "-Werror-WIDTHTRUNC", "-Werror-PINMISSING"),
            *("--top-module", "example", "example.v", "build/axi/scaledrop_axi.v"),
        ],
        cwd=folder,
        env={"VERILATOR_ROOT": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in result.stderr.splitlines() if "%Error" in line]
    assert not [line for line in errors if "example.v" in line], result.stderr[-2000:]


def test_the_c_program_compiles(folder, blocks):
    (folder / "program.c").write_text(blocks["c"][0])
    command = [compiler(), "-x", "c", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    result = subprocess.run(
        [*command, "-Ibuild/axi", "program.c"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_board_has_the_calls_of_a_transport(blocks):
    names = {}
    exec(compile(blocks["python"][0], str(PAGE), "exec"), names)
    calls = [name for name in vars(Transport) if not name.startswith("_")]
    assert len(calls) == 4 and all(callable(getattr(names["Board"], name)) for name in calls)


def test_the_board_moves_words_and_frames(blocks, tmp_path):
    names = {}
    exec(compile(blocks["python"][0], str(PAGE), "exec"), names)
    paths = [tmp_path / name for name in ("registers", "pixels", "results")]
    paths[0].write_bytes(bytes(4096))
    paths[1].write_bytes(b"")
    paths[2].write_bytes(b"\1\2\3\4\5\6\7\10")
    board = names["Board"](*map(str, paths))
    board.write32(8, 0x12345678)
    assert board.read32(8) == 0x12345678 and board.read32(12) == 0
    board.send(b"abc")
    assert paths[1].read_bytes() == b"abc"
    assert board.receive(9) == [0x04030201, 0x08070605]


def test_the_programs_run(folder, blocks, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    _, host, change, bench, *runs = blocks["python"]
    assert bench.startswith("# bench.py\n")
    Path("host.py").write_text(host + change)
    Path("bench.py").write_text(bench)
    for text in runs:
        exec(compile(text, str(PAGE), "exec"), {})
    out = capsys.readouterr().out
    first, second = re.search(r"^(\(.*?\)) (\(.*?\))$", out, re.M).groups()
    assert first != second
    assert re.search(r"RTL over AXI: \d+ values equal; no hidden_bits: ", out)
