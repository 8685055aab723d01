# SPDX-License-Identifier: Apache-2.0
"""Layer sequencer: the steps of every visit, against nested loops over a random network."""

import pytest
from sequencer_bench import check, parameters_of
from simulate import plain, play, play_then_reset
from wrong_parameters import refusal

from chains import METHODS, SEEDS, mapping_of, random_mapping
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop_hw.sequencer import LayerSequencer

HEAD = Layer("head", 3, output=Kind.LOGITS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"descriptors": []}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"tiles": 0}, "number of tiles must be an integer from 1 to 1048576, not 0"),
        ({"masks": -1}, "number of row masks must be an integer from 0 to 1048576, not -1"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(LayerSequencer, parameters_of(random_mapping(1, "taps")), wrong) == message


def test_parameters_read_back():
    good = parameters_of(random_mapping(1, "taps"))
    dut = LayerSequencer(**good)
    assert {name: getattr(dut, name) for name in good if name != "command"} == {
        name: value for name, value in good.items() if name != "command"
    }
    assert dut.current.shape() == good["command"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", SEEDS)
def test_visits_of_random_networks(seed, method):
    stall, idle = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.3, 0.3)][seed // 4 % 4]
    check(random_mapping(seed, method), seed, stall, idle)


def test_tiles_and_row_masks_past_the_first_of_the_last_layer():
    """Their words need more bits than any layer's first word."""
    check(mapping_of(1, (20,), [HEAD], (4, 4, 0), "auto"), 1, 0.0, 0.0)
    check(mapping_of(1, (4,), [Layer("hidden", 8), HEAD], (4, 4, 0), "auto"), 1, 0.0, 0.0)


def test_a_kernel_far_larger_than_its_map():
    nodes = [Layer("conv", 2, Window(9, padding=8)), MaxPool("pool", 9), HEAD]
    check(mapping_of(1, (1, 1, 1), nodes, (4, 4, 0), "taps", 1), 1, 0.0, 0.0, rounds=1)


def test_a_host_loads_descriptors():
    """The descriptor of the last layer, written over that of the first one."""
    dut = LayerSequencer(**parameters_of(random_mapping(3, "mixed")))
    layout, host = dut.descriptor.shape(), dut.host
    word = layout.const(dut.descriptors[-1]).as_value().value
    assert dut.shape == (len(dut.descriptors), -(-layout.size // 32))
    inputs = [host.select, host.write, host.part, host.data]
    rows = [[1, 1, part, word >> 32 * part & 0xFFFFFFFF] for part in range(dut.shape.parts)]
    seen = play(dut, inputs, [*rows, [0] * 4], [dut.offered])
    assert seen[-1] == [plain(layout.const(dut.descriptors[-1]))]


@pytest.mark.parametrize("method", METHODS)
def test_idle_after_reset_in_the_middle_of_a_visit(method):
    dut = LayerSequencer(**parameters_of(random_mapping(2, method)))
    inputs = [dut.command.valid, dut.window_ready, dut.enable]
    outputs = [dut.active, dut.step_valid, dut.command.ready, dut.start_window, dut.advance_window]
    for cycles in range(4):
        stimulus = [[1, 0, 1], *[[0, 1, 1]] * cycles]
        first, after = play_then_reset(dut, inputs, stimulus, outputs)
        assert first == after == [[0, 0, 1, 0, 0]] * 2
