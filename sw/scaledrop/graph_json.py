# SPDX-License-Identifier: Apache-2.0
"""Nodes of a graph as plain JSON values: ``kind`` is the class in lower case, then its fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from scaledrop.errors import UserError
from scaledrop.graph import (
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
    Window,
)

__all__ = [
    "node_from_json",
    "node_to_json",
    "nodes_from_json",
    "nodes_to_json",
    "window_from_json",
]

KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (Layer, MaxPool, SumPool, Upsample, Concat, Add, Subsample, Quantise)
}


def node_to_json(node: Node) -> dict[str, Any]:
    """An object of plain values; fields at their defaults are left out."""
    value: dict[str, Any] = {"kind": type(node).__name__.lower()}
    for field in dataclasses.fields(node):
        given = getattr(node, field.name)
        if given != field.default:
            value[field.name] = _plain(given)
    return value


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Kind):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def node_from_json(value: Any, where: str) -> Node:
    """The inverse of :func:`node_to_json`.

    Raises:
        UserError: an unknown kind, an unknown, missing or mistyped field.
    """
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be an object, not {type(value).__name__}")
    kind = KINDS.get(str(value.get("kind")))
    if kind is None:
        raise UserError(
            f"{where}.kind: {value.get('kind')!r} is not known to this version; "
            f"it knows dense, conv, {', '.join(sorted(KINDS))}"
        )
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(value) - {"kind", *fields})
    if unknown:
        raise UserError(f"{where}: unknown field {unknown[0]!r}; is the file newer?")
    for name, field in fields.items():
        if name not in value and field.default is dataclasses.MISSING:
            raise UserError(f"{where}.{name}: is missing")
    given = {name: _typed(name, value[name], where) for name in fields if name in value}
    node: Node = kind(**given)
    return node


def _typed(name: str, value: Any, where: str) -> Any:
    if name == "window":
        return None if value is None else window_from_json(value, where)
    if name == "sources":
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UserError(f"{where}.sources: must be a list of names, not {value!r}")
        return tuple(value)
    if name == "output":
        if value not in [kind.value for kind in Kind]:
            raise UserError(f"{where}.output: must be codes, stream or logits, not {value!r}")
        return Kind(value)
    kind = str if name in ("name", "source") else int
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UserError(f"{where}.{name}: must be {kind.__name__}, not {value!r}")
    return value


def window_from_json(value: Any, where: str) -> Window:
    """A kernel from an object of its fields.

    Raises:
        UserError: an unknown, missing or mistyped field, or a size out of range.
    """
    names = [field.name for field in dataclasses.fields(Window)]
    if not isinstance(value, dict) or not {"size"} <= set(value) <= set(names):
        raise UserError(f"{where}.window: must be an object with {', '.join(names)}")
    sizes = {name: _typed(name, value[name], f"{where}.window") for name in value}
    try:
        return Window(**sizes)
    except UserError as error:
        raise UserError(f"{where}.{error}") from None


def nodes_to_json(nodes: Iterable[Node]) -> list[dict[str, Any]]:
    """See :func:`node_to_json`."""
    return [node_to_json(node) for node in nodes]


def nodes_from_json(values: Any, where: str = "nodes") -> tuple[Node, ...]:
    """See :func:`node_from_json`."""
    if not isinstance(values, list):
        raise UserError(f"{where}: must be a list of objects, not {type(values).__name__}")
    return tuple(node_from_json(value, f"{where}[{i}]") for i, value in enumerate(values))
