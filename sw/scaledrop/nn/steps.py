# SPDX-License-Identifier: Apache-2.0
"""The walk over a graph, planned once: where the bits of a layer are, and what pools with it."""

from __future__ import annotations

from typing import NamedTuple

from scaledrop.graph import Graph, Node

__all__ = ["Step", "plan"]


class Step(NamedTuple):
    node: Node
    sources: tuple[str, ...]
    bit: int
    """Column of the layer's mask bits; -1 for a node without weights."""
    pool: int
    """Max pool that the layer takes over, in evaluation, from the node behind it; 1 for none."""
    done: bool
    """Whether the layer before has done this node's work."""


def plan(graph: Graph) -> tuple[Step, ...]:
    bits = {layer.name: index for index, layer in enumerate(graph.layers)}
    pools = {layer.name: graph.pool_behind(layer) for layer in graph.layers}
    done = {pool.name for pool in pools.values() if pool is not None}
    steps = []
    for node in graph.nodes:
        pool = pools.get(node.name)
        size = pool.size if pool is not None else 1
        bit, sources = bits.get(node.name, -1), graph.sources[node.name]
        steps.append(Step(node, sources, bit, size, node.name in done))
    return tuple(steps)
