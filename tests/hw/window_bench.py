# SPDX-License-Identifier: Apache-2.0
"""Bench of the window buffer: its datasheet in cycles, and random stimulus that keeps to it."""

from itertools import product

from simulate import play

__all__ = ["Model", "Script"]

NEVER = 1 << 60


class Model:
    """The datasheet in cycles: which window is ready when, and what a read returns."""

    def __init__(self, dut):
        self.dut, self.window = dut, dut.window
        self.across = self.window.outputs(dut.width)
        self.positions = self.across * self.window.outputs(dut.height)
        self.map = self.next = self.use = None
        self.first_column = self.ready_from = NEVER
        self.word = None

    def ready(self, cycle):
        return int(cycle >= self.ready_from)

    def finished(self):
        return self.map is None or self.next == self.positions

    def step(self, cycle, start, advance, read):
        """What is seen in this cycle; ``start`` is a map, ``read`` (plane, row_tile), or None."""
        seen = [self.ready(cycle), 0, self.word]
        if read:
            codes, position = self.use
            self.word = self.dut.twin(
                codes, self.dut.planes, self.window, self.dut.rows, position, *read
            )
        if advance:
            self.use = self.map, self.next
            self.next += 1
            new_row = self.next % self.across == 0
            need = self.window.size if new_row else min(self.window.stride, self.window.size)
            self.first_column, self.ready_from = cycle, cycle + need
            if self.finished():
                self.first_column = self.ready_from = NEVER
        seen[1] = int(self.first_column <= cycle < self.ready_from)
        if start is not None:
            self.map, self.next = start, 0
            self.first_column, self.ready_from = cycle + 2, cycle + 2 + self.window.size
        return seen


class Script:
    """Random stimulus that keeps to the datasheet, and what the model says to it.

    While one bank is walked the other is written; the walk then goes on there.
    """

    NOTHING = 0, 0, 0, 0, 0

    def __init__(self, dut, rng):
        self.dut, self.rng, self.model = dut, rng, Model(dut)
        self.stimulus, self.expected = [], []
        self.bank, self.banks, self.writes = 0, [None, None], []

    def inputs(self):
        dut = self.dut
        write = [dut.write, dut.write_bank, dut.write_y, dut.write_x, dut.write_group, dut.codes]
        return [*write, dut.start, dut.bank, dut.advance, dut.read, dut.plane, dut.row_tile]

    def refill(self):
        """A new map, to be written in any order into the bank that is not walked."""
        dut, bank = self.dut, 1 - self.bank
        groups = range(dut.groups)
        padded = self.rng.integers(
            0, 1 << dut.planes, (dut.groups * dut.lanes, dut.height, dut.width)
        )
        self.banks[bank] = padded[: dut.channels].tolist()
        places = list(product(range(dut.height), range(dut.width), groups))
        self.rng.shuffle(places)
        self.writes = [
            (1, bank, y, x, g, padded[g * dut.lanes : (g + 1) * dut.lanes, y, x].tolist())
            for y, x, g in map(tuple, places)
        ]

    def cycle(self, start=False, advance=False, read=None):
        write = self.writes.pop() if self.writes else (*self.NOTHING, [0] * self.dut.lanes)
        if start:
            self.bank = 1 - self.bank
        bank = self.bank if start else int(self.rng.integers(2))
        row = (*write, int(start), bank, int(advance), int(read is not None), *(read or (0, 0)))
        codes = self.banks[self.bank] if start else None
        self.expected.append(self.model.step(len(self.stimulus), codes, advance, read))
        self.stimulus.append(row)

    def random_read(self, rate):
        if self.model.use is None or self.rng.random() >= rate:
            return None
        return int(self.rng.integers(self.dut.planes)), int(self.rng.integers(self.dut.row_tiles))

    def start(self, read_rate=0.5):
        """Write what is left to be written, then start on it."""
        while self.writes:
            self.cycle(read=self.random_read(read_rate))
        advance = self.model.ready(len(self.stimulus)) and self.rng.random() < 0.5
        self.cycle(start=True, advance=advance, read=self.random_read(read_rate))
        self.refill()

    def walk(self, patience=0.0, read_rate=0.8, stop=NEVER):
        """Advance to the end, or for ``stop`` cycles; after ``ready`` wait at random."""
        while not self.model.finished() and stop:
            stop -= 1
            ready = self.model.ready(len(self.stimulus))
            advance = bool(ready and self.rng.random() >= patience)
            self.cycle(advance=advance, read=self.random_read(read_rate))

    def read_everything(self):
        """Every word of every window."""
        while not self.model.finished():
            while not self.model.ready(len(self.stimulus)):
                self.cycle()
            self.cycle(advance=True)
            for read in product(range(self.dut.planes), range(self.dut.row_tiles)):
                self.cycle(read=read)

    def rest(self, cycles):
        for _ in range(cycles):
            self.cycle(read=self.random_read(0.5))

    def check(self):
        """Play it; returns how many words were compared."""
        dut = self.dut
        rows = play(dut, self.inputs(), self.stimulus, [dut.ready, dut.loaded, dut.word, dut.drive])
        for at, (row, want) in enumerate(zip(rows, self.expected, strict=True)):
            ready, loaded, word = want
            assert row[:2] == [ready, loaded], at
            assert word is None or tuple(row[2:]) == word, at
        return sum(word is not None for *_, word in self.expected)
