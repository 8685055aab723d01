# SPDX-License-Identifier: Apache-2.0
"""The fast engine equals the golden model on every node, shared or not, chunked or not."""

from dataclasses import replace

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network, random_images, random_network
from scaledrop import fast_engine, fast_layer, fast_windows
from scaledrop.engine import infer
from scaledrop.fast_engine import FastEngine
from scaledrop.frozen import Head
from scaledrop.graph import Kind, Layer, SumPool, Window


def case(name, images, passes, seed=3):
    shape, nodes = GRAPHS[name]
    network = random_graph_network(seed, shape, nodes)
    rng = np.random.default_rng(seed + 1)
    masks = rng.integers(0, 2, (images, passes, len(network.layers)), dtype=np.uint8)
    return network, random_images(seed + 2, network, images), masks


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "separate"])
@pytest.mark.parametrize("name", GRAPHS)
def test_equals_the_golden_model(name, shared):
    network, images, masks = case(name, 3, 6)
    expected = infer(network, images, masks)
    found = FastEngine(network).logits(images, masks, shared)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected.logits)
    assert len(np.unique(expected.logits[:, :, ..., 0])) > 3, "the passes do not differ"


@pytest.mark.parametrize("name", ["lenet5", "vgg_small", "resnet, projections", "unet"])
def test_chunks_and_pieces_change_nothing(name, monkeypatch):
    network, images, masks = case(name, 5, 4)
    expected = infer(network, images, masks).logits
    for chunk, patch in ((1, 1), (1, 2**24), (2**24, 1), (2**24, 700), (2**24, 20000)):
        monkeypatch.setattr(fast_engine, "CHUNK_BYTES", chunk)
        monkeypatch.setattr(fast_windows, "PATCH_BYTES", patch)
        np.testing.assert_array_equal(FastEngine(network).logits(images, masks), expected)


@pytest.mark.parametrize("limit", [0, 2**30])
def test_bands_and_patches_agree(limit, monkeypatch):
    network, images, masks = case("lenet5", 3, 4)
    monkeypatch.setattr(fast_layer, "MOST_BAND", limit)
    found = FastEngine(network).logits(images, masks)
    np.testing.assert_array_equal(found, infer(network, images, masks).logits)


@pytest.mark.parametrize("fan_in", [255, 256, 257])
def test_sums_on_both_sides_of_what_float32_holds(fan_in):
    network = random_network(1, (fan_in, 9, 5), input_bits=16)
    images = random_images(2, network, 7)
    images[:2] = 2**16 - 1
    masks = np.random.default_rng(3).integers(0, 2, (7, 4, 2), dtype=np.uint8)
    found = FastEngine(network).logits(images, masks)
    np.testing.assert_array_equal(found, infer(network, images, masks).logits)


def test_a_sum_pool_beyond_what_float32_holds():
    nodes = (
        Layer("a", 3, Window(1), planes=8),
        SumPool("b"),
        Layer("c", 4, output=Kind.LOGITS),
    )
    network = random_graph_network(1, (300, 300), nodes)
    images = random_images(2, network, 2)
    masks = np.random.default_rng(3).integers(0, 2, (2, 2, 2), dtype=np.uint8)
    found = FastEngine(network).logits(images, masks)
    np.testing.assert_array_equal(found, infer(network, images, masks).logits)


def test_logits_beyond_what_float64_holds():
    network = random_network(1, (16, 5), input_bits=16)
    layer = network.layers[0]
    rng = np.random.default_rng(2)
    head = Head(rng.integers(2**22, 2**23 - 1, 5), rng.integers(-9, 9, 5), 24, 10)
    wide = replace(layer, scale=rng.integers(2**15, 2**16, 5), output=head)
    network = replace(network, scale_bits=16, scale_frac_bits=8, nodes=(wide,))
    assert network.logit_width > 54
    images = random_images(3, network, 6)
    masks = rng.integers(0, 2, (6, 3, 1), dtype=np.uint8)
    found = FastEngine(network).logits(images, masks)
    np.testing.assert_array_equal(found, infer(network, images, masks).logits)


@pytest.mark.parametrize("scale", [0, 255])
def test_scales_at_the_ends_of_their_format(scale):
    network, images, masks = case("lenet5", 3, 4)
    nodes = tuple(
        replace(node, scale=np.full_like(node.scale, scale)) if hasattr(node, "scale") else node
        for node in network.nodes
    )
    network = replace(network, nodes=nodes)
    found = FastEngine(network).logits(images, masks)
    np.testing.assert_array_equal(found, infer(network, images, masks).logits)


def test_images_of_any_integer_type_and_order():
    network, images, masks = case("lenet5", 4, 3)
    expected = FastEngine(network).logits(images, masks)
    maps = images.reshape(4, 28, 28)
    for kind in (np.uint8, np.uint16, ">u2", np.int32, np.uint64):
        found = FastEngine(network).logits(maps.astype(kind), masks)
        np.testing.assert_array_equal(found, expected)
    found = FastEngine(network).logits(maps[::-1], masks[::-1])
    np.testing.assert_array_equal(found, expected[::-1])
