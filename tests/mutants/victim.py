# SPDX-License-Identifier: Apache-2.0
"""Runs a small accelerator against the golden model; exit status 3 when they differ.

The network is chosen so that every fault of ``faults.py`` can show: ties at thresholds and between
classes, unused rows and columns, several row and column tiles, more columns than lanes.
"""

import dataclasses
import sys

import accelerator_bench
import numpy as np

from networks import random_images, random_network
from scaledrop.engine import infer
from scaledrop.frozen import FrozenNetwork, Head, Threshold
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.numbers import Coding, drop_code, scaled_sum
from scaledrop.record import PassRecord
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Observation, Workload
from scaledrop_hw.accelerator import Accelerator

DIFFERENT = 3
IMAGES, PASSES = 4, 4


def _with_threshold_ties(network, images):
    """Thresholds of the first layer lie exactly on sums of the first image, unscaled."""
    layer = network.layers[0]
    sums = images[0] @ (2 * layer.weights.astype(np.int64) - 1).T
    ties = scaled_sum(sums, layer.scale, np.array([1]), network.scale_frac_bits)
    output = Threshold(ties, layer.output.flip)
    return dataclasses.replace(layer, output=output)


def _with_class_tie(layer):
    """The last two classes are the same, and win often."""
    weights, scale = layer.weights.copy(), layer.scale.copy()
    gain, offset = layer.output.gain.copy(), layer.output.offset.copy()
    weights[-1], scale[-1], gain[-1] = weights[-2], scale[-2], gain[-2]
    offset[-2:] = offset.max() + 1
    head = Head(gain, offset, layer.output.gain_bits, layer.output.gain_frac_bits)
    return dataclasses.replace(layer, weights=weights, scale=scale, output=head)


def victim_network():
    """A network of three layers with different dropout codes, and its images."""
    network = random_network(11, [11, 9, 7, 5], input_bits=4)
    images = random_images(12, network, IMAGES)
    first, *middle, last = network.layers
    first = dataclasses.replace(_with_threshold_ties(network, images), drop_code=drop_code(0.3))
    layers = (first, *middle, _with_class_tie(last))
    layers = (*layers[:-1], dataclasses.replace(layers[-1], drop_code=drop_code(0.7)))
    fields = {f.name: getattr(network, f.name) for f in dataclasses.fields(FrozenNetwork)}
    return FrozenNetwork(**{**fields, "nodes": layers}), images


def _record(seen, mapping):
    network = mapping.network
    shape = (IMAGES, PASSES)
    layers = len(network.layers)
    order = [layer for layer, _ in seen.masks]
    if order != list(range(layers)) * (IMAGES * PASSES):
        raise ValueError(f"mask bits were used in the order {order}")
    bits = {}
    for layer, beat, value in seen.hidden:
        bits.setdefault(layer, []).append((beat, value))
    hidden = []
    for at, mapped in enumerate(mapping.layers[:-1]):
        lanes = mapped.array.lanes
        values = np.array([value for _, value in bits[at]]).reshape(*shape, mapped.beat_count, 1)
        unpacked = (values >> np.arange(lanes) & 1).reshape(*shape, -1)
        hidden.append(unpacked[:, :, : mapped.layer.out_features].astype(np.uint8))
    results = np.array(seen.results).reshape(IMAGES, network.classes, 3)
    logits = np.array([value for _, value in seen.logits]).reshape(*shape, network.classes)
    masks = np.array([keep for _, keep in seen.masks], dtype=np.uint8).reshape(*shape, layers)
    return PassRecord(masks, tuple(hidden), logits, results[:, :, 1], results[:, :, 2])


def verdict():
    """The checker's report, or the reason why there is none."""
    network, images = victim_network()
    assert infer(network, images, np.ones((IMAGES, 1, 3), dtype=np.uint8)).hidden[0].any()
    assert network.layers[0].coding is Coding.UNSIGNED
    mapping = NetworkMapping(network, ArrayShape(rows=4, columns=4, lanes=2))
    accelerator = Accelerator(mapping=mapping)
    workload = Workload(network, images, PASSES, seed=5)
    try:
        seen = accelerator_bench.run(accelerator, images, PASSES, seed=5, limit=20_000)
        observation = Observation(_record(seen, mapping), seen.counters, seen.writes)
    except (TimeoutError, ValueError, KeyError, IndexError) as error:
        return False, f"no complete record: {error}"
    report = check("RTL", workload, observation, mapping, accelerator.pipeline_timing)
    return report.ok, str(report)


if __name__ == "__main__":
    equal, text = verdict()
    print(text)
    sys.exit(0 if equal else DIFFERENT)
