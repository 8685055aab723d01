# SPDX-License-Identifier: Apache-2.0
"""Numbers that random ones miss: extremes, ties at thresholds, classes that are alike."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold

__all__ = ["corner_images", "with_corners"]

Integers = npt.NDArray[np.int64]


class _Corners:
    """Replaces a share of the channels' numbers."""

    def __init__(self, rng: np.random.Generator, share: float, network: FrozenNetwork) -> None:
        self.rng, self.share, self.network = rng, share, network

    def mixed(self, values: Integers, special: Integers) -> Integers:
        return np.where(self.rng.random(values.shape) < self.share, special, values)

    def weights(self, weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Some channels with all cells alike."""
        alike = self.rng.random((len(weights), 1)) < self.share / 2
        same = self.rng.integers(0, 2, (len(weights), 1), dtype=np.uint8)
        return np.where(alike, same, weights)

    def scale(self, scale: Integers) -> Integers:
        one, top = 1 << self.network.scale_frac_bits, (1 << self.network.scale_bits) - 1
        return self.mixed(scale, self.rng.choice([0, 1, one, top], scale.shape))

    def threshold(self, output: Threshold, scale: Integers, bound: int) -> Threshold:
        """A multiple of a scale, or of 1.0, is a sum that occurs; the rest always or never fires.

        Levels of one channel stay in their order.
        """
        levels = output.threshold.reshape(len(output.threshold), -1)
        ones = np.full(len(levels), 1 << self.network.scale_frac_bits)
        unit = np.maximum(np.where(self.rng.random(len(levels)) < 0.5, scale, ones), 1)[:, None]
        ties = np.clip(levels // unit * unit, -bound, bound)
        ends = self.rng.choice([-bound, -1, 0, 1, bound], levels.shape)
        special = np.where(self.rng.random(levels.shape) < 0.7, ties, np.clip(ends, -bound, bound))
        mixed = np.sort(self.mixed(levels, special), axis=1)
        return Threshold(mixed.reshape(output.threshold.shape), output.flip)

    def head(self, head: Head) -> Head:
        top = (1 << (head.gain_bits - 1)) - 1
        gains = self.rng.choice([-top, -1, 0, 1, top], head.gain.shape)
        offsets = self.rng.choice([-(2**28), 0, 2**28], head.offset.shape)
        gain, offset = self.mixed(head.gain, gains), self.mixed(head.offset, offsets)
        return dataclasses.replace(head, gain=gain, offset=offset)

    def layer(self, layer: FrozenLayer) -> FrozenLayer:
        scale, output = self.scale(layer.scale), layer.output
        if isinstance(output, Threshold):
            output = self.threshold(output, scale, layer.scaled_bound(self.network.scale_bits))
        elif isinstance(output, Head):
            output = self.head(output)
        weights = self.weights(layer.weights)
        changed = dataclasses.replace(layer, weights=weights, scale=scale, output=output)
        return self.alike(changed) if isinstance(output, Head) else changed

    def alike(self, head: FrozenLayer) -> FrozenLayer:
        """Some classes equal to another one, which ties them in every leaf."""
        count = head.out_features
        chosen = self.rng.random(count) < self.share
        source = np.where(chosen, self.rng.integers(0, count, count), np.arange(count))
        output = head.output
        assert not isinstance(output, Threshold | Stream)
        same = dataclasses.replace(output, gain=output.gain[source], offset=output.offset[source])
        return dataclasses.replace(
            head, weights=head.weights[source], scale=head.scale[source], output=same
        )


def with_corners(network: FrozenNetwork, seed: int, share: float) -> FrozenNetwork:
    """The network with about ``share`` of its channels' numbers replaced."""
    corners = _Corners(np.random.default_rng(seed), share, network)
    nodes = [corners.layer(one) if isinstance(one, FrozenLayer) else one for one in network.nodes]
    return dataclasses.replace(network, nodes=tuple(nodes))


def corner_images(images: Integers, seed: int, share: float, top: int) -> Integers:
    """The images, some of them dark, bright, or without a pixel in between."""
    rng = np.random.default_rng(seed)
    black_and_white = (images > top // 2) * top
    kinds = np.stack([images * 0, images * 0 + top, black_and_white])
    special = kinds[rng.integers(0, 3, len(images)), np.arange(len(images))]
    return np.where(rng.random((len(images), 1)) < share, special, images)
