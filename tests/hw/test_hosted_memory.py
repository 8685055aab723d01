# SPDX-License-Identifier: Apache-2.0
"""Hosted memory: random accesses of both sides against a list, at widths from one bit to 1024."""

import re

import numpy as np
import pytest
from amaranth.back import verilog
from simulate import play, simulate
from wrong_parameters import refusal

from scaledrop_hw.hosted_memory import PART_BITS, HostedMemory

GOOD = {"width": 40, "depth": 3, "init": [1]}
WIDTHS = [1, 31, 32, 33, 64, 100, 1024]
FULL = (1 << PART_BITS) - 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be an integer from 1 to 1048576, not 0"),
        ({"depth": 0, "init": []}, "depth must be an integer from 1 to 1048576, not 0"),
        (
            {"init": [1 << 40]},
            "init[0] must be an integer from 0 to 1099511627775, not 1099511627776",
        ),
        ({"init": [0] * 4}, "number of words in init must be an integer from 0 to 3, not 4"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(HostedMemory, GOOD, wrong) == message


@pytest.mark.parametrize("registered", [False, True])
def test_parameters_read_back(registered):
    dut = HostedMemory(**GOOD, registered=registered)
    assert (dut.width, dut.depth, dut.init, dut.parts) == (40, 3, [1], 2)
    assert dut.registered is registered
    assert hasattr(dut, "read") is registered


@pytest.mark.parametrize(
    ("width", "parts"), [(1, 1), (32, 1), (33, 2), (1000, 32), (1024, 32), (8192, 256)]
)
def test_parts_cover_the_width(width, parts):
    assert HostedMemory(width=width, depth=1).parts == parts


def random_word(rng, width):
    return int.from_bytes(rng.bytes(-(-width // 8)), "little") % (1 << width)


def random_rows(rng, dut, count, share):
    """select, host write, host read, host address, part, data, read, address."""
    for _ in range(count):
        access = int(rng.integers(3))
        yield (
            int(rng.random() < share),
            int(access == 1),
            int(access == 2),
            int(rng.integers(dut.depth)),
            int(rng.integers(dut.parts)),
            int(rng.integers(FULL + 1)),
            int(rng.integers(2)),
            int(rng.integers(dut.depth)),
        )


def inputs_of(dut):
    host = dut.host
    common = [host.select, host.write, host.read, host.address, host.part, host.data]
    return [*common, *([dut.read] if dut.registered else []), dut.address]


def part_of(word, part):
    return word >> part * PART_BITS & FULL


def expected(dut, init, stimulus):
    """(word, host word) of each cycle; None where nothing is promised."""
    words, word, answer, rows = list(init), None, None, []
    for select, write, host_read, at, part, data, read, address in stimulus:
        now = words[at if select else address]
        rows.append((word if dut.registered else now, answer))
        if select and write:
            words[at] = dut.twin(words[at], part, data, dut.width)
        elif select and host_read:
            word, answer = now, part_of(now, part)
        elif not select and read:
            word, answer = now, None if dut.registered else answer
    return rows


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_random_accesses(width, registered, share):
    rng = np.random.default_rng(width)
    init = [random_word(rng, width) for _ in range(3)]
    dut = HostedMemory(width=width, depth=5, init=init, registered=registered)
    stimulus = list(random_rows(rng, dut, 600, share))
    driven = [row if registered else (*row[:6], row[7]) for row in stimulus]
    rows = play(dut, inputs_of(dut), driven, [dut.word, dut.host.word])
    for row, promised in zip(rows, expected(dut, [*init, 0, 0], stimulus), strict=True):
        for got, want in zip(row, promised, strict=True):
            assert want in (None, got)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("depth", [1, 4])
def test_host_reads_back_all_parts(registered, depth):
    """The padding reads as 0 although ones were written to it."""
    dut = HostedMemory(width=70, depth=depth, registered=registered)
    host = dut.host
    read_back = {}

    async def access(ctx):
        ctx.set(host.select, 1)
        ctx.set(host.data, FULL)
        ctx.set(host.write, 1)
        for at in range(depth):
            for part in range(3):
                ctx.set(host.address, at)
                ctx.set(host.part, part)
                await ctx.tick()
        ctx.set(host.write, 0)
        for at in range(depth):
            for part in range(3):
                ctx.set(host.address, at)
                ctx.set(host.part, part)
                ctx.set(host.read, 1)
                await ctx.tick()
                ctx.set(host.read, 0)
                read_back[at, part] = ctx.get(host.word)
                ctx.set(host.part, 0)
                await ctx.tick()
                assert ctx.get(host.word) == read_back[at, part]

    simulate(dut, access)
    assert read_back == {
        (at, part): [FULL, FULL, 0b111111][part] for at in range(depth) for part in range(3)
    }


@pytest.mark.parametrize("registered", [False, True])
def test_an_unselected_host_changes_nothing(registered):
    dut = HostedMemory(width=8, depth=2, init=[5, 6], registered=registered)
    row = (0, 1, 1, 1, 0, 99, 1, 1)
    row = row if registered else (*row[:6], row[7])
    rows = play(dut, inputs_of(dut), [row] * 4, [dut.word, dut.host.word])
    assert [word for word, _ in rows[1:]] == [6] * 3
    assert rows[-1][1] == (6 if registered else 0)


@pytest.mark.parametrize(("registered", "wide"), [(False, []), (True, [1024])])
def test_verilog_is_one_memory_and_no_wide_register_but_its_output(registered, wide):
    dut = HostedMemory(width=1000, depth=4, registered=registered)
    text = verilog.convert(dut, name="hosted", strip_internal_attrs=True)
    assert re.findall(r"reg \[(\d+):0\] \w+ \[(\d+):0\];", text) == [("1023", "3")]
    highs = re.findall(r"^ *reg \[(\d+):0\] \S+(?: = \S+)?;", text, re.M)
    assert [int(high) + 1 for high in highs if int(high) >= PART_BITS] == wide
