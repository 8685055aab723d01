# SPDX-License-Identifier: Apache-2.0
"""Scale memory: who is served, every one and two wrong bits, when a scrub happens and when not."""

from itertools import combinations

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.hdl import ResetInserter, Signal
from simulate import play
from wrong_parameters import refusal

from scaledrop.secded import Status, check_bits, decode, encode
from scaledrop_hw.scale_memory import ScaleMemory

GOOD = {"lanes": 2, "scale_bits": 4, "init": [[1, 2], [3, 4], [5, 6]]}
WIDTH = 8
CODE = WIDTH + check_bits(WIDTH)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"scale_bits": 17}, "scale_bits must be an integer from 1 to 16, not 17"),
        ({"init": []}, "depth of the scale memory must be an integer from 1 to 1048576, not 0"),
        ({"macro": "a b"}, "macro must be a Verilog identifier or empty, not 'a b'"),
        (
            {"lanes": 257},
            "lanes * scale_bits with ecc must be an integer from 1 to 1024, not 1028",
        ),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ScaleMemory, GOOD, wrong) == message


def test_parameters_read_back():
    memory = ScaleMemory(**GOOD)
    assert (memory.lanes, memory.scale_bits, memory.depth) == (2, 4, 3)
    assert (memory.ecc, memory.macro, memory.init) == (True, "", GOOD["init"])
    assert (memory.data_bits, memory.code_bits, len(memory.inject)) == (WIDTH, CODE, CODE)
    plain = ScaleMemory(**GOOD, ecc=False, macro="ram")
    assert (plain.ecc, plain.macro, plain.code_bits, len(plain.inject)) == (False, "ram", 8, 8)


def test_wide_words_need_no_ecc():
    assert ScaleMemory(lanes=1024, scale_bits=16, init=[[0] * 1024], ecc=False).code_bits == 16384


def test_stored_words_are_coded():
    assert ScaleMemory.twin([0b0101, 0b1010], 4, ecc=True) == encode(0b1010_0101, 8)
    assert ScaleMemory.twin([0b0101, 0b1010], 4, ecc=False) == 0b1010_0101


def test_macro_form_holds_no_array():
    text = verilog.convert(
        ScaleMemory(**GOOD, macro="scale_ram"), name="scales", strip_internal_attrs=True
    )
    assert "scale_ram macro (" in text and "initial" not in text
    array = verilog.convert(ScaleMemory(**GOOD), name="scales", strip_internal_attrs=True)
    assert f"reg [{CODE - 1}:0] array [2:0];" in array


def unpack(word):
    return [word & 15, word >> 4]


class Model:
    """Cycle by cycle: the stored code words, the word that was fetched, that at the output, the
    scrub that waits."""

    def __init__(self, words, ecc):
        self.ecc = ecc
        self.stored = [ScaleMemory.twin(word, 4, ecc) for word in words]
        self.fetched = self.output = self.read_from = self.scrub = None
        self.fresh = self.void = False

    def decoded(self):
        return decode(self.output, WIDTH) if self.ecc else (self.output, Status.CLEAN)

    def outputs(self, read):
        """ready, scales, corrected, uncorrected, address of the error; None: not promised."""
        data, status = (0, Status.CLEAN) if self.output is None else self.decoded()
        pulses = [int(self.fresh and status is kind) for kind in list(Status)[1:]]
        scales = None if self.output is None else unpack(data)
        return [int(not read), scales, *pulses, self.read_from if any(pulses) else None]

    def write(self, address, code):
        """Any write of the address makes a scrub of it void, waiting or just found."""
        self.stored[address] = code
        if self.scrub and self.scrub[0] == address:
            self.scrub = None
        if self.fetched and self.fetched[0] == address:
            self.fetched = (*self.fetched[:2], True)

    def step(self, read, address, valid, write, host_address, word, inject):
        corrected = self.fresh and self.decoded()[1] is Status.CORRECTED
        free = not read and not valid
        waited = self.scrub
        if corrected and waited is None and not self.void:
            self.scrub = (self.read_from, encode(self.decoded()[0], WIDTH))
        fetch = address if read else host_address
        fetches = read or (valid and not write)
        if valid and not fetches:
            self.write(fetch, ScaleMemory.twin(word, 4, self.ecc) ^ inject)
        elif waited and free:
            self.write(*waited)
        self.fresh = self.fetched is not None
        if self.fresh:
            self.read_from, self.output, self.void = self.fetched
        self.fetched = (fetch, self.stored[fetch], False) if fetches else None


def run(dut, stimulus):
    """Play read, address, valid, write, host address, data, inject beside the model."""
    host = dut.host
    inputs = [dut.read, dut.address, host.valid, host.write, host.address, host.data, dut.inject]
    watch = [host.ready, dut.scales, dut.corrected, dut.uncorrected, dut.error_address, host.word]
    model, promised = Model(dut.init, dut.ecc), []
    for row in stimulus:
        promised.append(model.outputs(row[0]))
        model.step(*row)
    rows = play(dut, inputs, stimulus, watch)
    for cycle, (row, want) in enumerate(zip(rows, promised, strict=True)):
        assert row[1] == row[5]
        assert [a if b is not None else None for a, b in zip(row, want, strict=False)] == want, (
            cycle
        )
    return rows


IDLE = (0, 0, 0, 0, 0, [0, 0], 0)


def read(address):
    return (1, address, *IDLE[2:])


def host_read(address):
    return (0, 0, 1, 0, address, [0, 0], 0)


def host_write(address, word, inject=0):
    return (0, 0, 1, 1, address, word, inject)


def while_host_asks(row, host_row):
    """The scale path and the host in one cycle."""
    return (*row[:2], *host_row[2:])


def pulses(rows):
    """Cycles with a corrected and with an uncorrected word."""
    return [[cycle for cycle, row in enumerate(rows) if row[at]] for at in (2, 3)]


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
@pytest.mark.parametrize("ecc", [False, True])
def test_host_loads_and_reads_back(depth, ecc):
    words = np.random.default_rng(depth).integers(0, 16, (depth, 2)).tolist()
    dut = ScaleMemory(lanes=2, scale_bits=4, init=[[0, 0]] * depth, ecc=ecc)
    loads = [host_write(address, word) for address, word in enumerate(words)]
    rows = run(dut, [*loads, *map(host_read, range(depth)), IDLE, IDLE])
    assert [row[1] for row in rows[-depth:]] == words


def test_host_waits_while_the_scale_path_reads():
    write = host_write(2, [9, 9])
    stimulus = [while_host_asks(read(0), write)] * 3 + [write, read(2), IDLE, IDLE]
    rows = run(ScaleMemory(**GOOD), stimulus)
    assert [row[0] for row in rows] == [0, 0, 0, 1, 0, 1, 1]
    assert [row[1] for row in rows[2:]] == [[1, 2]] * 4 + [[9, 9]]


@pytest.mark.parametrize("access", [read, host_read])
def test_every_wrong_bit_is_corrected_counted_once_and_gone(access):
    """Reported two cycles after the read, written back in the next, clean from then on."""
    words = np.random.default_rng(1).integers(0, 16, (4, 2)).tolist()
    dut = ScaleMemory(lanes=2, scale_bits=4, init=[[0, 0]] * 4)
    errors = [(address, 1 << bit) for address in range(4) for bit in range(CODE)]
    stimulus = []
    for address, error in errors:
        stimulus += [host_write(address, words[address], error), access(address), *[IDLE] * 3]
        stimulus += [access(address), IDLE, IDLE]
    rows = run(dut, stimulus)
    assert pulses(rows) == [[8 * index + 3 for index in range(len(errors))], []]
    for index, (address, _) in enumerate(errors):
        assert [row[1] for row in rows[8 * index + 3 : 8 * index + 8]] == [words[address]] * 5
        assert rows[8 * index + 3][4] == address


@pytest.mark.parametrize("access", [read, host_read])
def test_every_two_wrong_bits_are_counted_and_left_alone(access):
    dut = ScaleMemory(**GOOD)
    errors = [1 << a | 1 << b for a, b in combinations(range(CODE), 2)]
    stimulus = []
    for error in errors:
        stimulus += [host_write(1, [9, 6], error), access(1), *[IDLE] * 3, access(1), IDLE, IDLE]
    rows = run(dut, stimulus)
    counted = [8 * index + at for index in range(len(errors)) for at in (3, 7)]
    assert pulses(rows) == [[], counted]
    for index, error in enumerate(errors):
        raw = unpack((0b0110_1001 ^ error) & 255)
        assert rows[8 * index + 3][1] == rows[8 * index + 7][1] == raw


def test_without_ecc_a_wrong_bit_stays_and_nobody_says_so():
    dut = ScaleMemory(**GOOD, ecc=False)
    rows = run(dut, [host_write(0, [1, 2], 1), read(0), IDLE, IDLE, read(0)])
    assert rows[3][1:4] == [[0, 2], 0, 0]


SPOILT = [host_write(0, [7, 7], 1 << 12), host_write(1, [8, 8], 1)]
"""Words 0 and 1 with one wrong bit each."""


def test_the_scale_path_never_waits_and_the_scrub_does():
    """Four reads in a row: word 0 is written back behind them; word 1 at its next read."""
    dut = ScaleMemory(**GOOD)
    busy = [read(0), read(1), read(0), read(2)]
    rows = run(
        dut, [*SPOILT, *busy, *[IDLE] * 3, read(0), read(1), *[IDLE] * 3, read(1), IDLE, IDLE]
    )
    assert pulses(rows)[0] == [4, 5, 6, 12]
    assert [row[1] for row in rows[4:8]] == [[7, 7], [8, 8], [7, 7], [5, 6]]


def test_the_host_goes_before_the_scrub():
    dut = ScaleMemory(**GOOD)
    busy = [read(0), host_read(2), host_read(0), host_write(2, [3, 3]), host_read(0)]
    rows = run(dut, [*SPOILT, *busy, *[IDLE] * 3, host_read(0), IDLE, IDLE])
    assert all(row[0] for cycle, row in enumerate(rows) if cycle != 2)
    assert pulses(rows)[0] == [4, 6, 8]


@pytest.mark.parametrize("later", [0, 1, 2, 3])
def test_a_host_write_drops_the_scrub(later):
    """Also one in the very cycle in which the error is reported, or in that before."""
    dut = ScaleMemory(**GOOD)
    waiting = [host_read(2)] * later
    rows = run(
        dut, [*SPOILT, read(1), *waiting, host_write(1, [5, 9]), IDLE, IDLE, read(1), IDLE, IDLE]
    )
    assert pulses(rows)[0] == [4]
    assert rows[-1][1] == [5, 9]


def test_a_host_write_elsewhere_does_not_drop_it():
    dut = ScaleMemory(**GOOD)
    rows = run(dut, [*SPOILT, read(0), host_write(2, [5, 9]), IDLE, IDLE, read(0), IDLE, IDLE])
    assert pulses(rows)[0] == [4]


@pytest.mark.parametrize("ecc", [False, True])
@pytest.mark.parametrize("read_rate", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("host_rate", [0.3, 0.9])
def test_random_accesses_and_errors(ecc, read_rate, host_rate):
    rng = np.random.default_rng(3)
    depth = 5
    dut = ScaleMemory(lanes=2, scale_bits=4, init=rng.integers(0, 16, (depth, 2)).tolist(), ecc=ecc)
    bits = dut.code_bits
    stimulus = [
        (
            int(rng.random() < read_rate),
            int(rng.integers(depth)),
            int(rng.random() < host_rate),
            int(rng.integers(2)),
            int(rng.integers(depth)),
            rng.integers(0, 16, 2).tolist(),
            sum(1 << at for at in rng.choice(bits, rng.integers(3), replace=False).tolist()),
        )
        for _ in range(3000)
    ]
    rows = run(dut, stimulus)
    assert all(len(cycles) > 20 for cycles in pulses(rows)) is ecc


def test_reset_drops_a_waiting_scrub_and_keeps_the_words():
    """The word stays wrong, no pulse is left over, and the next read finds the error again."""
    reset, dut = Signal(), ScaleMemory(**GOOD)
    host = dut.host
    inputs = [reset, dut.read, host.valid, host.write, host.data, dut.inject]
    rest, fetch = (0, 0, 0, 0, [0, 0], 0), (0, 1, 0, 0, [0, 0], 0)
    stimulus = [(0, 0, 1, 1, [7, 7], 1), fetch, fetch, fetch, (1, *fetch[1:]), rest, rest, rest]
    stimulus += [fetch, rest, rest, rest, fetch, rest, rest]
    watch = [dut.corrected, dut.uncorrected, dut.scales]
    rows = play(ResetInserter(reset)(dut), inputs, stimulus, watch)
    assert [cycle for cycle, row in enumerate(rows) if row[0]] == [3, 4, 10]
    assert not any(row[1] for row in rows)
    assert all(row[2] == [7, 7] for row in rows[3:5] + rows[10:])
