# SPDX-License-Identifier: Apache-2.0
"""Random frozen networks for tests: every field drawn, none trained."""

from itertools import pairwise

import numpy as np

from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold
from scaledrop.numbers import Coding, drop_code, scaled_bound, sum_bound

SCALE_BITS, SCALE_FRAC_BITS, GAIN_BITS = 8, 6, 12


def _threshold(rng, fan_in, out_features, input_bits, first):
    """Thresholds where sums really fall, so that both outcomes occur."""
    planes = input_bits if first else 1
    bound = scaled_bound(sum_bound(fan_in, planes), SCALE_BITS)
    spread = int(fan_in**0.5 * 100 * ((1 << planes) / 2 if first else 1))
    values = np.clip(rng.integers(-spread, spread + 1, out_features), -bound, bound)
    return Threshold(values, rng.integers(0, 2, out_features))


def random_network(seed, sizes, input_bits=8, p=0.4):
    """A dense network of the given layer sizes; ``p`` for every layer."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, (fan_in, out) in enumerate(pairwise(sizes)):
        first, last = index == 0, index == len(sizes) - 2
        if last:
            gain, offset = rng.integers(-2000, 2001, out), rng.integers(-(10**5), 10**5, out)
            output = Head(gain, offset, GAIN_BITS, 10)
        else:
            output = _threshold(rng, fan_in, out, input_bits, first)
        layers.append(
            FrozenLayer(
                name=f"dense{index + 1}",
                weights=rng.integers(0, 2, (out, fan_in), dtype=np.uint8),
                scale=rng.integers(0, 1 << SCALE_BITS, out),
                drop_code=drop_code(p),
                coding=Coding.UNSIGNED if first else Coding.BIPOLAR,
                planes=input_bits if first else 1,
                output=output,
            )
        )
    return FrozenNetwork(
        f"random{seed}", (sizes[0],), input_bits, SCALE_BITS, SCALE_FRAC_BITS, tuple(layers)
    )


def random_images(seed, network, count):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << network.input_bits, (count, network.input_size))
