# SPDX-License-Identifier: Apache-2.0
"""The shape of a network: which node feeds which.

Training configurations and frozen networks are walks over the same nodes, so a topology that can be
trained can be frozen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from scaledrop.errors import UserError
from scaledrop.names import check_name
from scaledrop.nodes import (
    Add,
    Concat,
    Kind,
    Layer,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Value,
    Window,
)
from scaledrop.numbers import sum_bound

__all__ = [
    "INPUT",
    "Add",
    "Concat",
    "Graph",
    "Kind",
    "Layer",
    "MaxPool",
    "Node",
    "Quantise",
    "Subsample",
    "SumPool",
    "Upsample",
    "Value",
    "Window",
]

INPUT = "input"
"""Name of the image among the sources."""


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they are evaluated; the last one, and only it, gives logits.

    Attributes:
        input_shape: (F,), (H, W) or (C, H, W) of one image.
        input_bits: bits of an unsigned pixel.

    Raises:
        UserError: a name used twice, a source that does not come before its use, a value nobody
            takes, or values that do not fit a node. The message names the node.
    """

    input_shape: tuple[int, ...]
    input_bits: int
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise UserError("layers: a network needs at least one layer")
        names = [INPUT, *(node.name for node in self.nodes)]
        for name in names:
            check_name(name, f"layers.{name}")
        if len(set(names)) != len(names):
            raise UserError(f"layers: names must be unique and not 'input', but are {names[1:]}")
        heads = [name for name, value in self.values.items() if value.kind is Kind.LOGITS]
        if heads != names[-1:]:
            raise UserError(
                f"layers: the last layer, and only that one, gives logits, not {heads or 'none'}"
            )
        for name in names[:-1]:
            if not self.users[name]:
                raise UserError(f"layers.{name}: nobody takes its values; remove it or use it")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The stochastic ones, in the order of their mask bits."""
        return tuple(node for node in self.nodes if isinstance(node, Layer))

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Names of what feeds each node, with the empty source resolved."""
        resolved, before = {}, INPUT
        for node in self.nodes:
            resolved[node.name] = tuple(source or before for source in node.sources)
            before = node.name
        return resolved

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the nodes that each value feeds."""
        return {
            name: tuple(user for user, sources in self.sources.items() if name in sources)
            for name in [INPUT, *self.sources]
        }

    def pool_behind(self, layer: Layer) -> MaxPool | None:
        """A max pool that is all that takes a layer's codes: evaluators may pool before the
        activation, which is monotone, with the same result."""
        users = [node for node in self.nodes if node.name in self.users[layer.name]]
        return users[0] if len(users) == 1 and isinstance(users[0], MaxPool) else None

    @cached_property
    def finished(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the values that nobody takes any more once a node has been evaluated."""
        return {
            node.name: tuple(
                name for name, users in self.users.items() if users[-1:] == (node.name,)
            )
            for node in self.nodes
        }

    @cached_property
    def peak_size(self) -> int:
        """Elements of the values alive together, at the node where they are most."""
        alive, most = {INPUT: self.values[INPUT].size}, 0
        for node in self.nodes:
            alive[node.name] = self.values[node.name].size
            most = max(most, sum(alive.values()))
            for name in self.finished[node.name]:
                del alive[name]
        return most

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """What each node gives, and the image under ``input``."""
        values = {INPUT: Value(Kind.PIXELS, self._image_shape(), self.input_bits)}
        for node in self.nodes:
            at = f"layers.{node.name}"
            for source in self.sources[node.name]:
                if source not in values:
                    raise UserError(f"{at}.source: {source!r} is not a node before it")
            values[node.name] = node.result(
                tuple(values[source] for source in self.sources[node.name]), at
            )
        return values

    def _image_shape(self) -> tuple[int, ...]:
        shape = self.input_shape
        if len(shape) == 2:
            return (1, *shape)
        return shape if len(shape) == 3 else (math.prod(shape),)

    def input_of(self, node: Layer) -> Value:
        """What feeds a layer."""
        return self.values[self.sources[node.name][0]]

    def weight_shape(self, node: Layer) -> tuple[int, int]:
        """(channels, fan-in) of a layer; a fan-in is ordered as (C, K, K) or (C, H, W)."""
        return node.channels, node.fan_in(self.input_of(node))

    def sum_bound(self, node: Layer) -> int:
        """Largest ``|s|`` of a layer."""
        value = self.input_of(node)
        return sum_bound(node.fan_in(value), value.planes, value.addends)

    @property
    def logits(self) -> Value:
        return self.values[self.nodes[-1].name]
