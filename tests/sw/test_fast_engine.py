# SPDX-License-Identifier: Apache-2.0
"""The fast engine equals the golden model on every node, shared or not, chunked or not."""

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network, random_images
from scaledrop.engine import infer
from scaledrop.fast_engine import FastEngine


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
