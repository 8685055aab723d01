# SPDX-License-Identifier: Apache-2.0
"""Window buffer: in every cycle the word, the driven rows and the handshakes are the model's."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from window_bench import Script
from wrong_parameters import refusal

from scaledrop.nodes import Window
from scaledrop_hw.window_buffer import WindowBuffer

GOOD = {
    **{"channels": 5, "height": 6, "width": 7, "planes": 2},
    **{"window": Window(3, 2, 1), "rows": 8, "lanes": 2},
}


def shape(channels, height, width, planes, window, rows, lanes):
    """Keyword parameters from a short row."""
    return dict(zip(GOOD, (channels, height, width, planes, window, rows, lanes), strict=True))


SHAPES = [
    shape(1, 1, 1, 1, Window(1), 1, 1),
    shape(3, 4, 5, 2, Window(1), 2, 2),
    shape(2, 5, 4, 1, Window(1, 3), 4, 2),
    shape(2, 4, 3, 8, Window(2), 8, 4),
    shape(1, 3, 6, 3, Window(2, 2, 1), 3, 1),
    shape(3, 7, 5, 1, Window(2, 3), 5, 3),
    shape(1, 6, 9, 2, Window(2, 4, 1), 16, 3),
    shape(5, 6, 4, 2, Window(3, 1, 1), 8, 2),
    shape(4, 3, 7, 1, Window(3, 1, 2), 36, 1),
    shape(2, 8, 6, 4, Window(3, 2), 7, 2),
    shape(1, 9, 5, 5, Window(3, 3, 1), 4, 2),
    shape(2, 4, 8, 1, Window(3, 4, 2), 18, 4),
    shape(1, 4, 5, 2, Window(4, 1, 3), 6, 1),
    shape(3, 5, 6, 1, Window(4, 2, 1), 20, 2),
    shape(1, 2, 3, 6, Window(4, 3, 2), 5, 2),
    shape(1, 5, 7, 1, Window(5, 1, 2), 8, 1),
    shape(2, 3, 4, 2, Window(5, 2, 4), 64, 1),
    shape(1, 6, 5, 7, Window(5, 4, 2), 25, 1),
]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 0}, "channels must be an integer from 1 to 4096, not 0"),
        ({"height": 1025}, "height must be an integer from 1 to 1024, not 1025"),
        ({"width": 0}, "width must be an integer from 1 to 1024, not 0"),
        ({"planes": 17}, "planes must be an integer from 1 to 16, not 17"),
        ({"rows": 1025}, "rows must be an integer from 1 to 1024, not 1025"),
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"window": None}, "window must be a scaledrop.nodes.Window, not None"),
        ({"window": Window(7)}, "window of size 7 must fit a map of 6 x 7"),
    ],
)
def test_wrong_window_parameters(wrong, message):
    assert refusal(WindowBuffer, GOOD, wrong) == message


def test_parameters_read_back():
    dut = WindowBuffer(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    assert (dut.groups, dut.row_tiles) == (3, 6)


def test_twin_in_words():
    codes = [[[1, 2], [3, 0]], [[2, 2], [1, 3]]]
    window = Window(2, 1, 1)
    assert WindowBuffer.twin(codes, 2, window, 8, 0, 0, 0) == (0b10_00_00_00, 0b11_00_00_00)
    assert WindowBuffer.twin(codes, 2, window, 8, 0, 1, 0) == (0b01_00_00_00, 0b11_00_00_00)
    assert WindowBuffer.twin(codes, 2, window, 8, 4, 0, 0) == (0b10_11_01_10, 0b11_11_11_11)
    assert WindowBuffer.twin(codes, 2, window, 5, 4, 0, 1) == (0b101, 0b111)
    assert WindowBuffer.twin(codes, 2, window, 8, 5, 1, 0) == (0b00_00_10_00, 0b00_00_11_11)


@pytest.fixture
def script(request):
    dut = WindowBuffer(**request.param)
    script = Script(dut, np.random.default_rng(SHAPES.index(request.param)))
    script.refill()
    return script


every_shape = pytest.mark.parametrize("script", SHAPES, indirect=True, ids=repr)


@every_shape
def test_every_word_of_every_window(script):
    script.start()
    script.read_everything()
    script.rest(8)
    assert script.check() >= script.model.positions * script.dut.planes * script.dut.row_tiles


@every_shape
def test_advance_as_soon_as_ready_from_bank_to_bank(script):
    for _ in range(3):
        script.start()
        script.walk()
    script.rest(8)
    script.check()


@every_shape
def test_random_pauses_and_restarts(script):
    for _ in range(8):
        script.start()
        script.walk(patience=0.6, stop=int(script.rng.integers(25)))
    script.start()
    script.walk(patience=0.6)
    script.rest(8)
    script.check()


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_exact_timing(stride):
    size, padding = 3, 1
    window = Window(size, stride, padding)
    dut = WindowBuffer(**shape(1, 7, 7, 1, window, 9, 1))
    across = window.outputs(7)
    need = [min(stride, size) if at % across else size for at in range(across * across)]
    advances = [3 + 2 + size]
    for columns in need[1:]:
        advances.append(advances[-1] + columns)
    end = advances[-1] + 6
    stimulus = [(int(cycle == 3), int(cycle in advances)) for cycle in range(end)]
    rows = play(dut, [dut.start, dut.advance], stimulus, [dut.ready, dut.loaded])
    assert [at for at, (ready, _) in enumerate(rows) if ready] == advances
    loaded = [at for at, (_, loaded) in enumerate(rows) if loaded]
    assert loaded == list(range(5, 5 + sum(need)))


def test_an_advance_every_cycle():
    dut = WindowBuffer(**shape(1, 4, 6, 1, Window(1), 1, 1))
    stimulus = [(1, 0), *[(0, 0)] * 2, *[(0, 1)] * 24, (0, 0)]
    rows = play(dut, [dut.start, dut.advance], stimulus, [dut.ready])
    assert [ready for (ready,) in rows] == [0] * 3 + [1] * 24 + [0]


def test_nothing_is_walked_after_reset():
    dut = WindowBuffer(**shape(1, 3, 3, 1, Window(2), 4, 1))
    inputs = [dut.start, dut.bank]
    outputs = [dut.ready, dut.loaded, dut.word, dut.drive]
    for cycles in range(1, 6):
        stimulus = [(1, 1)] + [(0, 0)] * cycles
        first, after = play_then_reset(dut, inputs, stimulus, outputs)
        assert first == after == [[0, 0, 0, 0]] * 2
