# SPDX-License-Identifier: Apache-2.0
"""What a network is made of, before any training: a checked, frozen object."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.graph import Graph, Node
from scaledrop.graph_json import nodes_from_json, nodes_to_json
from scaledrop.names import check_name
from scaledrop.nn.scale import INITS, MASKS, adaptive_p, check_choice
from scaledrop.nn.ste import check_ste
from scaledrop.nodes import MAX_PLANES
from scaledrop.numbers import drop_code
from scaledrop.topologies import TOPOLOGIES

__all__ = ["CUSTOM", "NetworkConfig"]

CUSTOM = "custom"
"""The topology of a configuration that brings its own nodes."""


@dataclass(frozen=True)
class NetworkConfig:
    """A network.

    Attributes:
        name: letters, digits, '-' and '_'; names files and modules.
        input_shape: shape of one image: (F,), (H, W) or (C, H, W).
        classes: number of logits, at least 2.
        topology: key of :data:`scaledrop.topologies.TOPOLOGIES`, or "custom" with ``nodes``.
        widths: as the topology has them; empty for its defaults, and for a perceptron ("mlp")
            without hidden layers.
        planes: bits of the hidden activations, 1 to 8.
        p: dropout probability per layer, in [0, 1). A single number stands for all layers and
            "adaptive" for :func:`adaptive_p` of the weight counts; both are stored expanded.
        input_bits: bits of an unsigned pixel, 1 to 16.
        scale_bits, scale_frac_bits: unsigned format of alpha.
        gain_bits: signed width of the gains of the last layer and of streams, 2 to 24.
        stream_bits, stream_frac_bits: signed format of the streams of residual additions.
        init: how the scales start, "ones", "mean" (mean magnitude of a channel's weights) or
            "spread".
        init_spread: standard deviation of "spread" around 1, 0 to 1.
        mask: training draws a bit per "sample" or one per "batch" (see :class:`ScaleDropout`).
        ste: straight-through estimator, key of :data:`scaledrop.nn.ste.ESTIMATORS`.
        normalise: divide centred weights by their standard deviation before the estimator.
        nodes: an own graph, for topology "custom"; ``widths`` and ``planes`` are then not used.

    Raises:
        UserError: names the field, the value and the remedy.
    """

    name: str
    input_shape: tuple[int, ...]
    classes: int
    topology: str = "mlp"
    widths: tuple[int, ...] = ()
    planes: int = 1
    p: tuple[float, ...] | float | str = 0.15
    input_bits: int = 8
    scale_bits: int = 8
    scale_frac_bits: int = 6
    gain_bits: int = 12
    stream_bits: int = 16
    stream_frac_bits: int = 8
    init: str = "spread"
    init_spread: float = 0.45
    mask: str = "sample"
    ste: str = "clip"
    normalise: bool = False
    nodes: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name, "name")
        for field in ("input_shape", "widths"):
            self._check_sizes(field)
        if not self.input_shape:
            raise UserError("input_shape: must have a dimension, not (); give for example (8, 8)")
        self._check_formats()
        check_choice("init", self.init, INITS)
        check_choice("mask", self.mask, MASKS)
        check_ste(self.ste)
        spread = self.init_spread
        if not isinstance(spread, int | float) or not 0.0 <= spread <= 1.0:
            raise UserError(f"init_spread: must be 0 to 1, not {spread!r}; 0.3 is usual")
        if not isinstance(self.normalise, bool):
            raise UserError(f"normalise: must be true or false, not {self.normalise!r}")
        self._check_graph()
        object.__setattr__(self, "p", self._expanded_p())

    def _check_sizes(self, field: str) -> None:
        sizes = getattr(self, field)
        if not isinstance(sizes, tuple | list):
            raise UserError(f"{field}: must be a list of sizes, not {sizes!r}; try (128, 128)")
        for size in sizes:
            check_integer(size, 1, 2**20, field, "give sizes such as 128")
        object.__setattr__(self, field, tuple(sizes))

    def _check_formats(self) -> None:
        check_integer(self.classes, 2, 2**20, "classes", "give the number of classes")
        check_integer(self.planes, 1, MAX_PLANES, "planes", "1 is a sign")
        check_integer(self.input_bits, 1, 16, "input_bits", "8 is usual")
        check_integer(self.scale_bits, 1, 16, "scale_bits", "8 is usual")
        top = self.scale_bits - 1
        check_integer(self.scale_frac_bits, 0, top, "scale_frac_bits", "1.0 must be exact")
        check_integer(self.gain_bits, 2, 24, "gain_bits", "12 is usual")
        check_integer(self.stream_bits, 2, 32, "stream_bits", "16 is usual")
        top = self.stream_bits - 2
        check_integer(self.stream_frac_bits, 0, top, "stream_frac_bits", "1.0 must be exact")

    def _check_graph(self) -> None:
        check_choice("topology", self.topology, (*TOPOLOGIES, CUSTOM))
        object.__setattr__(self, "nodes", tuple(self.nodes))
        if (self.topology == CUSTOM) != bool(self.nodes):
            raise UserError(
                f"nodes: topology 'custom', and no other, needs its own; topology is "
                f"{self.topology!r} and nodes has {len(self.nodes)}"
            )
        found = self.graph.logits.shape[0]
        if found != self.classes:
            raise UserError(f"nodes: the last layer gives {found} classes, not {self.classes}")

    def _expanded_p(self) -> tuple[float, ...]:
        layers = len(self.graph.layers)
        if isinstance(self.p, str):
            if self.p != "adaptive":
                raise UserError(f"p: must be numbers or 'adaptive', not {self.p!r}; try 0.1")
            shapes = (self.graph.weight_shape(layer) for layer in self.graph.layers)
            return adaptive_p([math.prod(shape) for shape in shapes])
        values = self.p if isinstance(self.p, tuple | list) else (self.p,) * layers
        if len(values) != layers:
            raise UserError(
                f"p: must have one value per layer, {layers}, not {len(values)}; "
                "or give a single number"
            )
        for index, value in enumerate(values):
            if not isinstance(value, int | float):
                raise UserError(
                    f"p[{index}]: must be a number, not {value!r}; give for example 0.1"
                )
            drop_code(value, f"p[{index}]")
        return tuple(float(value) for value in values)

    @cached_property
    def graph(self) -> Graph:
        """The nodes and what flows between them."""
        nodes = self.nodes
        if self.topology != CUSTOM:
            given = (self.widths,) if self.widths or self.topology == "mlp" else ()
            nodes = TOPOLOGIES[self.topology](self.classes, *given, planes=self.planes)
        return Graph(self.input_shape, self.input_bits, nodes)

    @property
    def layer_p(self) -> tuple[float, ...]:
        """``p`` with its type narrowed: one number per layer, in the order of the mask bits."""
        assert isinstance(self.p, tuple)
        return self.p

    @property
    def input_size(self) -> int:
        return math.prod(self.input_shape)

    def to_json(self) -> dict[str, Any]:
        """An object of plain JSON values; every field is in it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        return {**values, **lists, "nodes": nodes_to_json(self.nodes)}

    @classmethod
    def from_json(cls, values: Any) -> NetworkConfig:
        """The inverse of :meth:`to_json`; a field left out has its default.

        Raises:
            UserError: not an object, an unknown or missing field, or a value out of range.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"network: must be an object, not {type(values).__name__}")
        fields = dataclasses.fields(cls)
        unknown = sorted(set(values) - {field.name for field in fields})
        if unknown:
            raise UserError(f"network: unknown field {unknown[0]!r}; is the file newer?")
        for field in fields:
            if field.default is dataclasses.MISSING and field.name not in values:
                raise UserError(f"network.{field.name}: is missing; give it")
        given = dict(values)
        for name in ("input_shape", "widths", "p"):
            if isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        return cls(**{**given, "nodes": nodes_from_json(given.get("nodes", []))})
