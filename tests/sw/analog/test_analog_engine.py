# SPDX-License-Identifier: Apache-2.0
"""The analog array as an evaluator: exact where it must be, wrong where the array is."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import GRAPHS, random_graph_network, random_images, random_network
from scaledrop import fast_windows
from scaledrop.analog import (
    AnalogArray,
    AnalogEngine,
    CellModel,
    ReadoutModel,
    WireModel,
    choose_converters,
)
from scaledrop.analog.choice import candidates
from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter
from scaledrop.data import load_digits
from scaledrop.engine import infer
from scaledrop.frozen_file import load
from scaledrop.layout import NetworkLayout
from scaledrop.predict import predict
from scaledrop.sampling import Exact, Passes
from scaledrop.tile_sums import tile_sum_rule

GOLDEN = Path(__file__).parents[2] / "golden/digits.sdnet"
SMALL = ArrayShape(24, 8)
COARSE = Converter(3, 4)


def case(name, seed=3, images=2, passes=4):
    network = random_graph_network(seed, *GRAPHS[name])
    rng = np.random.default_rng(seed + 1)
    masks = rng.integers(0, 2, (images, passes, len(network.layers)), dtype=np.uint8)
    return network, random_images(seed + 2, network, images), masks


@pytest.mark.parametrize("convolution", ["auto", "taps"])
@pytest.mark.parametrize("name", GRAPHS)
def test_ideal_cells_give_the_golden_integers(name, convolution):
    network, images, masks = case(name)
    for converter in (None, COARSE):
        engine = AnalogEngine(network, AnalogArray(SMALL), converter, convolution)
        rule = tile_sum_rule(network, SMALL, converter, convolution)
        expected = infer(network, images, masks, rule)
        np.testing.assert_array_equal(engine.logits(images, masks), expected.logits)
        record = infer(network, images, masks, engine.crossbar_sum)
        np.testing.assert_array_equal(record.logits, expected.logits)
        for one, other in zip(record.hidden, expected.hidden, strict=True):
            np.testing.assert_array_equal(one, other)
        if converter is None:
            np.testing.assert_array_equal(expected.logits, infer(network, images, masks).logits)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 99),
    st.lists(st.integers(1, 40), min_size=2, max_size=4),
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(1, 8),
    st.one_of(
        st.none(),
        st.builds(Converter, st.integers(2, 7), st.sampled_from([2, 4, 8]), st.booleans()),
    ),
)
def test_any_perceptron_on_any_array(seed, widths, rows, columns, input_bits, converter):
    network = random_network(seed, tuple(widths), input_bits=input_bits)
    images = random_images(seed, network, 2)
    masks = np.random.default_rng(seed).integers(0, 2, (2, 3, len(network.layers)), np.uint8)
    shape = ArrayShape(rows, columns)
    expected = infer(network, images, masks, tile_sum_rule(network, shape, converter))
    found = AnalogEngine(network, AnalogArray(shape), converter).logits(images, masks)
    np.testing.assert_array_equal(found, expected.logits)
    if converter is None:
        np.testing.assert_array_equal(found, infer(network, images, masks).logits)


def test_pieces_and_sharing_change_nothing_with_faulty_cells(monkeypatch):
    network, images, masks = case("lenet5", images=4)
    array = AnalogArray(SMALL, CellModel(spread=0.2, stuck_low=0.01), WireModel(), seed=5)
    expected = AnalogEngine(network, array).logits(images, masks)
    np.testing.assert_array_equal(
        AnalogEngine(network, array).logits(images, masks, False), expected
    )
    np.testing.assert_array_equal(
        infer(network, images, masks, AnalogEngine(network, array).crossbar_sum).logits, expected
    )
    monkeypatch.setattr(fast_windows, "PATCH_BYTES", 900)
    np.testing.assert_array_equal(AnalogEngine(network, array).logits(images, masks), expected)
    assert (AnalogEngine(network, AnalogArray(SMALL)).logits(images, masks) != expected).any()
    other = AnalogArray(SMALL, CellModel(spread=0.2, stuck_low=0.01), WireModel(), seed=6)
    assert (AnalogEngine(network, other).logits(images, masks) != expected).any()


def test_sums_of_faulty_cells_are_those_of_their_conductances():
    network = random_network(2, (30, 5), input_bits=1)
    cells, shape = CellModel(spread=0.3), ArrayShape(16, 4)
    array = AnalogArray(shape, cells, readout=ReadoutModel(0.05, 0.4), seed=9)
    mapped = NetworkLayout(network, shape).layers[0]
    tiles = array.tiles(mapped)
    images = random_images(3, network, 6)
    layer = network.layers[0]
    expected = np.zeros((6, 5))
    for tile, rows in enumerate(mapped.row_index[0]):
        used = rows >= 0
        analog = images[:, rows[used]] @ tiles.gains[0, tile][used] + tiles.offsets[0, tile]
        expected += np.clip(np.floor(analog + 0.5), -32, 31)
    found = AnalogEngine(network, array).crossbar_sum(layer, images[:, None].astype(np.int64))
    np.testing.assert_array_equal(found[:, 0], expected)
    ideal = 2.0 * layer.weights.T[mapped.row_index[0, 0]] - 1
    assert (tiles.gains[0, 0] - ideal).std() == pytest.approx(
        0.3 * np.hypot(cells.high_s, cells.low_s) / cells.unit_s, rel=0.3
    )
    assert (tiles.gains[0, 1][mapped.row_index[0, 1] < 0] == 0).all()


def test_wires_weaken_the_cells_and_a_trim_restores_their_mean():
    network = random_network(2, (60, 8))
    mapped = NetworkLayout(network, ArrayShape(32, 8)).layers[0]
    ideal = 2.0 * network.layers[0].weights.T[mapped.row_index] - 1
    wires = WireModel(*[300.0] * 4)
    means = []
    for trim in (False, True):
        gains = AnalogArray(ArrayShape(32, 8), wires=wires, trim=trim).tiles(mapped).gains
        means.append((gains * ideal).sum() / np.count_nonzero(gains))
    assert 0.7 < means[0] < 0.99
    assert means[1] == pytest.approx(1.0, abs=1e-4)


def test_read_noise_repeats_and_differs_between_seeds():
    network, images, masks = case("dense", images=5)

    def logits(seed):
        array = AnalogArray(SMALL, readout=ReadoutModel(noise=2.0), seed=seed)
        return AnalogEngine(network, array).logits(images, masks)

    np.testing.assert_array_equal(logits(1), logits(1))
    assert (logits(1) != logits(2)).any()
    quiet = AnalogEngine(network, AnalogArray(SMALL, readout=ReadoutModel(noise=0.01)))
    np.testing.assert_array_equal(quiet.logits(images, masks), infer(network, images, masks).logits)


def test_predictions_run_over_it():
    network, images, _ = case("lenet5")
    for sampling in (Exact(), Passes(7, seed=1), Passes(7, seed=1, shared=False)):
        expected = predict(network, images, sampling)
        found = predict(AnalogEngine(network), images, sampling)
        np.testing.assert_array_equal(found.mean, expected.mean)
        assert found.bound == expected.bound


def test_the_trained_digits_give_the_golden_integers():
    network, digits = load(GOLDEN), load_digits()
    engine = AnalogEngine(network, AnalogArray(ArrayShape(48, 16)))
    expected = predict(network, digits.test_images, Exact())
    found = predict(engine, digits.test_images, Exact())
    np.testing.assert_array_equal(found.mean, expected.mean)
    spread = AnalogArray(ArrayShape(48, 16), CellModel(spread=0.3), seed=1)
    worse = predict(AnalogEngine(network, spread), digits.test_images, Exact())
    right = [(one.predicted == digits.test_labels).mean() for one in (found, worse)]
    assert right[0] > 0.9 and right[1] < right[0]


def test_the_chosen_step_has_the_least_error():
    network, images, _ = case("lenet5", images=6)
    assert {str(one) for one in candidates(1, 8)} == {
        f"1 bits, step {step}, mid-rise" for step in (2, 4, 8, 16)
    }
    assert [str(one) for one in candidates(5, 8)] == ["5 bits, step 1"]
    lossless = choose_converters(network, SMALL, 6, images)
    assert {one.step for one in lossless} == {1}
    # The first layer sees the same inputs whatever the converter: its error must grow as bits go.
    layer = network.layers[0]
    pixels = images.reshape(6, 1, *network.graph.values["input"].shape).astype(np.int64)
    errors = []
    for bits in (5, 4, 3, 2, 1):
        chosen = choose_converters(network, SMALL, bits, images)
        assert all(one.bits == bits for one in chosen)
        sums = tile_sum_rule(network, SMALL, chosen)(layer, pixels)
        whole = tile_sum_rule(network, SMALL, None)(layer, pixels)
        errors.append(float(np.square(sums - whole).mean()))
        for rival in candidates(bits, SMALL.rows):
            there = tile_sum_rule(network, SMALL, rival)(layer, pixels)
            assert np.square(there - whole).mean() >= errors[-1]
    assert errors == sorted(errors) and errors[-1] > 0
