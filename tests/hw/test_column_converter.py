# SPDX-License-Identifier: Apache-2.0
"""Column converter: every sum against the rule, the accelerator with it, nothing for lossless."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_cases import CASES, SMALL, Setup
from amaranth.back import rtlil
from amaranth.sim import Simulator
from wrong_parameters import refusal

from networks import random_graph_network, random_images
from scaledrop.analog import AnalogArray
from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter, default_converter
from scaledrop.energy.hardware import machine_of
from scaledrop.engine import infer
from scaledrop.mapping import NetworkMapping
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Mode
from scaledrop_cosim.backends.analog import AnalogBackend
from scaledrop_cosim.checker import check
from scaledrop_hw.column_converter import ColumnConverter
from scaledrop_hw.sum_pipeline import SumPipeline

GOOD = {"rows": 6, "columns": 2, "converter": Converter(2, 4)}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"columns": 1025}, "columns must be an integer from 1 to 1024, not 1025"),
        ({"converter": None}, "converter: must be a Converter, not None; leave the component out"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(ColumnConverter, GOOD, wrong) == message


def test_parameters_read_back():
    dut = ColumnConverter(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize(
    "converter",
    [
        Converter(1, 2, mid_rise=True),
        Converter(2),
        Converter(2, 8),
        Converter(3, 4, mid_rise=True),
        Converter(4, 16),
        Converter(16, 1),
    ],
    ids=str,
)
def test_every_sum(rows, converter):
    dut = ColumnConverter(rows=rows, columns=2, converter=converter)
    found = []

    async def every(ctx):
        for s in range(-rows, rows + 1):
            ctx.set(dut.sums[0], s)
            ctx.set(dut.sums[1], -s)
            found.append((ctx.get(dut.values[0]), ctx.get(dut.values[1])))

    simulator = Simulator(dut)
    simulator.add_testbench(every)
    simulator.run()
    assert found == [(converter.value(s), converter.value(-s)) for s in range(-rows, rows + 1)]


CONVERTED = {
    "dense, 2 bits": replace(CASES["nothing divides"], array=(4, 6, 2, Converter(2, 2))),
    "dense, 1 bit": replace(
        CASES["rows above columns"], array=(8, 2, 2, Converter(1, 8, True)), datapath="folded"
    ),
    "values beyond the sums": replace(
        CASES["three-bit codes"], array=(3, 3, 3, Converter(3, 16, True))
    ),
    "head of several column tiles": replace(
        CASES["head of several column tiles"], array=(4, 4, 2, Converter(2, 2, True))
    ),
    "tap by tap": replace(CASES["channels, tap by tap"], array=(8, 4, 2, Converter(3, 2))),
    "a bit of everything": replace(SMALL, array=(6, 4, 2, Converter(3, 2)), mode=Mode.SHARED),
}


@pytest.mark.parametrize("case", CONVERTED.values(), ids=CONVERTED)
def test_the_accelerator_equals_the_golden_model_with_converters(case):
    setup = Setup(case, seed=4)
    setup.check(setup.observation())
    work = setup.workload
    plain = infer(work.network, work.images, work.masks).logits
    record = infer(work.network, work.images, work.masks, work.crossbar_sum)
    assert (record.logits != plain).any(), "the converter changed nothing"
    array = AnalogArray(setup.mapping.array)
    analog = AnalogBackend(array, setup.mapping.convolution).infer(work)
    assert check("analog array", work, analog).ok


def test_a_model_without_the_converter_is_found_out():
    setup = Setup(CONVERTED["dense, 2 bits"], seed=4)
    observation = setup.observation()
    exact = replace(setup.workload, crossbar_sum=infer.__defaults__[0])
    assert not check("RTL", exact, observation, setup.mapping).ok


def mapping_of(case):
    network = random_graph_network(1, case.shape, case.nodes, case.input_bits)
    return NetworkMapping(network, ArrayShape(*case.array), case.convolution)


def test_widths_hold_what_converters_make_of_sums():
    mapping = mapping_of(CONVERTED["values beyond the sums"])
    network, rule = mapping.network, mapping_sums(mapping)
    plain = NetworkMapping(network, ArrayShape(3, 3, 3))
    assert mapping.sum_width > plain.sum_width == network.sum_width
    assert mapping.scaled_width > plain.scaled_width == network.scaled_width
    assert [one.sum_bound for one in plain.layers] == [one.sum_bound for one in network.layers]
    largest = {}

    def watched(layer, values):
        sums = rule(layer, values)
        largest[layer.name] = int(np.abs(sums).max())
        return sums

    masks = np.ones((9, 1, len(network.layers)), dtype=np.uint8)
    infer(network, random_images(2, network, 9), masks, watched)
    for entry in mapping.layers:
        assert largest[entry.layer.name] <= entry.sum_bound
    assert any(largest[layer.name] > layer.sum_bound for layer in network.layers)


def test_without_a_converter_nothing_stands_there_and_the_price_follows_its_bits():
    plain = mapping_of(CASES["one layer"])
    assert "converter" not in rtlil.convert(SumPipeline(mapping=plain, weight_bits=8))
    array = ArrayShape(4, 4, 2, default_converter(3, 4))
    mapping = NetworkMapping(plain.network, array)
    assert "converter" in rtlil.convert(SumPipeline(mapping=mapping, weight_bits=8))
    assert {size.converter_bits for size in machine_of(mapping).sizes.values()} == {3}
    assert {size.converter_bits for size in machine_of(plain).sizes.values()} == {None}
