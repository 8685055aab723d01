# SPDX-License-Identifier: Apache-2.0
"""Random topologies: dense chains, and convolutions with pooling and dense layers behind them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from scaledrop.graph import Window
from scaledrop_flow.fuzz.case import Conv, Dense, Pool

__all__ = ["draw_counts", "draw_topology"]

MOST_LAYERS = 6
MOST_CONVOLUTIONS = 4


@dataclass(frozen=True)
class _Draw:
    """``most`` is how large things may be; it falls with every attempt that was too slow."""

    rng: random.Random
    most: int

    def size(self, low: int, high: int) -> int:
        """Small ones more often than large ones."""
        high = min(high, max(low, self.most))
        return min(self.rng.randint(low, high), self.rng.randint(low, high))

    def drop_code(self) -> int:
        """One half makes both sides of a split equally heavy."""
        special = self.rng.choice([0, 1, 1 << 15, 1 << 15, (1 << 16) - 1])
        return special if self.rng.random() < 0.4 else self.rng.randrange(1 << 16)

    def layer(self, most: int) -> dict[str, Any]:
        planes = self.rng.choice([1, 1, 1, 2, 2, 3])
        channels = self.size(1, most)
        return {"channels": channels, "planes": planes, "drop_code": self.drop_code()}

    def window(self, edges: tuple[int, ...]) -> Window:
        """One that fits."""
        while True:
            size = self.rng.choice([1, 2, 2, 3, 3, 3, 4, 5])
            padding = self.rng.choice([0, self.rng.randrange(size)])
            window = Window(size, self.rng.choice([1, 1, 1, 2, 2, 3, 4]), padding)
            if min(window.outputs(edge) for edge in edges) >= 1:
                return window

    def convolutions(self, edges: tuple[int, ...], count: int) -> list[Conv | Pool]:
        nodes: list[Conv | Pool] = []
        for _ in range(count):
            window = self.window(edges)
            sizes = {"size": window.size, "stride": window.stride, "padding": window.padding}
            nodes.append(Conv.model_validate(self.layer(max(8, self.most)) | sizes))
            edges = tuple(window.outputs(edge) for edge in edges)
            pool = self.rng.choice([0, 0, 1, 2, 2, 3, 3, 3])
            if 0 < pool <= min(edges):
                nodes.append(Pool(size=pool))
                edges = tuple(edge // pool for edge in edges)
        return nodes

    def maps(self) -> tuple[int, ...]:
        edges = (self.rng.randint(2, self.most), self.rng.randint(2, self.most))
        return edges if self.rng.random() < 0.4 else (self.size(1, 5), *edges)


Topology = tuple[tuple[int, ...], tuple[Dense | Conv | Pool, ...]]


def draw_counts(rng: random.Random) -> tuple[int, int]:
    """Convolutions, and dense layers with the head."""
    layers = rng.choice([1, 2, 2, 3, 3, 3, 4, 4, 5, MOST_LAYERS])
    if rng.random() < 0.3 or layers == 1:
        return 0, layers
    convolutions = rng.randint(1, min(layers - 1, MOST_CONVOLUTIONS))
    return convolutions, layers - convolutions


def draw_topology(rng: random.Random, convolutions: int, dense: int, most: int) -> Topology:
    """Input shape and nodes; maps of 2 to ``most`` pixels an edge."""
    draw = _Draw(rng, most)
    nodes: list[Dense | Conv | Pool] = []
    if convolutions:
        shape = draw.maps()
        nodes += draw.convolutions(shape[-2:], convolutions)
    elif rng.random() < 0.3:
        shape = replace(draw, most=max(2, most // 2)).maps()
    else:
        shape = (draw.size(1, 4 * most),)
    nodes += [Dense(**draw.layer(14)) for _ in range(dense)]
    head = nodes.pop()
    return shape, (*nodes, head.model_copy(update={"planes": 1}))
