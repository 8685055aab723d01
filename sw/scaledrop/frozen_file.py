# SPDX-License-Identifier: Apache-2.0
"""Reading and writing a frozen network: one text file that refuses every changed bit.

The first line is ``SCALEDROP-FROZEN <version> <sha256>``, the digest being that of every byte after
it. The rest is one canonical JSON object (sorted keys, no spaces, one final newline), documented in
``docs/design/0002-frozen-file.md``. Weights are packed most significant bit first, row by row, and
written in base64; everything else is plain numbers. The digest is the network's identity.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, FrozenNode, Head, Stream, Threshold
from scaledrop.frozen_layer import Output
from scaledrop.graph_json import node_from_json, node_to_json, window_from_json
from scaledrop.numbers import Coding
from scaledrop.sealed import Seal, read_sealed

__all__ = ["FORMAT_VERSION", "decode", "digest", "encode", "load", "save"]

FORMAT_VERSION = 1
SEAL = Seal("SCALEDROP-FROZEN", FORMAT_VERSION, "a frozen network", "freeze again")
MAX_FEATURES = 2**20


def _pack(weights: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(np.packbits(weights.astype(np.uint8), axis=1).tobytes()).decode()


def _layer_object(layer: FrozenLayer) -> dict[str, Any]:
    value: dict[str, Any] = {
        "kind": "dense" if layer.window is None else "conv",
        "name": layer.name,
        "in_features": layer.in_features,
        "out_features": layer.out_features,
        "coding": layer.coding.value,
        "planes": layer.planes,
        "weights": _pack(layer.weights),
        "scale": layer.scale.tolist(),
        "drop_code": layer.drop_code,
    }
    if layer.window is not None:
        value["window"] = dataclasses.asdict(layer.window)
    if layer.addends != 1:
        value["addends"] = layer.addends
    if layer.source:
        value["source"] = layer.source
    if isinstance(layer.output, Threshold):
        value["threshold"] = layer.output.threshold.tolist()
        value["flip"] = layer.output.flip.tolist()
    else:
        if isinstance(layer.output, Stream):
            value["stream"] = 1
        value["gain"] = layer.output.gain.tolist()
        value["offset"] = layer.output.offset.tolist()
        value["gain_bits"] = layer.output.gain_bits
        value["gain_frac_bits"] = layer.output.gain_frac_bits
    return value


def _node_object(node: FrozenNode) -> dict[str, Any]:
    return _layer_object(node) if isinstance(node, FrozenLayer) else node_to_json(node)


def encode(network: FrozenNetwork) -> bytes:
    """The file's bytes; equal networks give equal bytes.

    Raises:
        UserError: the provenance is not JSON.
    """
    body = {
        "name": network.name,
        "input_shape": list(network.input_shape),
        "input_bits": network.input_bits,
        "scale_bits": network.scale_bits,
        "scale_frac_bits": network.scale_frac_bits,
        "layers": [_node_object(node) for node in network.nodes],
        "provenance": dict(network.provenance),
    }
    if network.has_streams:
        body["stream_bits"] = network.stream_bits
        body["stream_frac_bits"] = network.stream_frac_bits
    try:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise UserError(f"provenance: must be plain JSON values ({error})") from None
    return SEAL.close(text.encode())[0]


def digest(network: FrozenNetwork) -> str:
    """sha256 of the network as written, in hexadecimal."""
    return SEAL.open(encode(network))[1]


class _Fields:
    """Typed access to a JSON object that names the field in every complaint."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise UserError(f"{where or 'file'}: must be an object, not {type(value).__name__}")
        self.value, self.where, self.seen = value, where, set[str]()

    def get(self, key: str, kind: type) -> Any:
        name = f"{self.where}.{key}" if self.where else key
        self.seen.add(key)
        if key not in self.value:
            raise UserError(f"{name}: is missing; freeze the network again")
        value = self.value[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UserError(f"{name}: must be {kind.__name__}, not {type(value).__name__}")
        return value

    def size(self, key: str) -> int:
        value: int = self.get(key, int)
        if not 1 <= value <= MAX_FEATURES:
            raise UserError(f"{self.where}.{key}: must be 1 to {MAX_FEATURES}, not {value}")
        return value

    def integers(self, key: str) -> npt.NDArray[np.int64]:
        values = self.get(key, list)
        if not all(type(v) is int and abs(v) < 2**62 for v in values):
            raise UserError(f"{self.where}.{key}: must be a list of integers")
        return np.array(values, dtype=np.int64)

    def finish(self) -> None:
        unknown = sorted(set(self.value) - self.seen)
        if unknown:
            raise UserError(
                f"{self.where or 'file'}: unknown field {unknown[0]!r}; is the file newer?"
            )


def _unpack(text: str, out_features: int, in_features: int, where: str) -> npt.NDArray[np.uint8]:
    row_bytes = (in_features + 7) // 8
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise UserError(f"{where}: is not base64; freeze the network again") from None
    if len(data) != out_features * row_bytes:
        raise UserError(f"{where}: holds {len(data)} bytes, {out_features * row_bytes} expected")
    packed = np.frombuffer(data, dtype=np.uint8).reshape(out_features, row_bytes)
    bits = np.unpackbits(packed, axis=1)
    if bits[:, in_features:].any():
        raise UserError(f"{where}: a padding bit is set; freeze the network again")
    return bits[:, :in_features].copy()


def _node(value: Any, where: str) -> FrozenNode:
    kind = _Fields(value, where).get("kind", str)
    if kind in ("dense", "conv"):
        return _layer(value, kind, where)
    return node_from_json(value, where)


def _layer(value: Any, kind: str, where: str) -> FrozenLayer:
    fields = _Fields(value, where)
    fields.get("kind", str)
    coding = fields.get("coding", str)
    if coding not in (c.value for c in Coding):
        raise UserError(f"{where}.coding: must be unsigned or bipolar, not {coding!r}")
    out_features = fields.size("out_features")
    in_features = fields.size("in_features")
    layer = FrozenLayer(
        name=fields.get("name", str),
        weights=_unpack(fields.get("weights", str), out_features, in_features, f"{where}.weights"),
        scale=fields.integers("scale"),
        drop_code=fields.get("drop_code", int),
        coding=Coding(coding),
        planes=fields.get("planes", int),
        output=_output(fields, where),
        window=window_from_json(fields.get("window", dict), where) if kind == "conv" else None,
        addends=fields.size("addends") if "addends" in value else 1,
        source=fields.get("source", str) if "source" in value else "",
    )
    fields.finish()
    return layer


def _output(fields: _Fields, where: str) -> Output:
    if "threshold" in fields.value or "flip" in fields.value:
        return Threshold(_thresholds(fields, where), fields.integers("flip"))
    kind: type[Head] | type[Stream] = Head
    if "stream" in fields.value:
        if fields.get("stream", int) != 1:
            raise UserError(f"{where}.stream: must be 1 or missing")
        kind = Stream
    return kind(
        fields.integers("gain"),
        fields.integers("offset"),
        fields.get("gain_bits", int),
        fields.get("gain_frac_bits", int),
    )


def _thresholds(fields: _Fields, where: str) -> npt.NDArray[np.int64]:
    """One integer a channel, or for codes of more bits one list a channel."""
    rows = fields.get("threshold", list)
    if not rows or not all(isinstance(row, list) for row in rows):
        return fields.integers("threshold")
    flat = [value for row in rows for value in row]
    if len({len(row) for row in rows}) != 1 or not all(
        type(value) is int and abs(value) < 2**62 for value in flat
    ):
        raise UserError(f"{where}.threshold: must be lists of as many integers each")
    return np.array(flat, dtype=np.int64).reshape(len(rows), -1)


def _body(data: bytes) -> Any:
    body, _ = SEAL.open(data)
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise UserError(f"body: is not a JSON object ({error}); freeze the network again") from None


def decode(data: bytes) -> FrozenNetwork:
    """Bytes of a file to a network, every field checked.

    Raises:
        UserError: names the first field that is wrong.
    """
    fields = _Fields(_body(data), "")
    nodes = tuple(_node(v, f"layers[{i}]") for i, v in enumerate(fields.get("layers", list)))
    formats = {
        name: fields.get(name, int)
        for name in ("stream_bits", "stream_frac_bits")
        if name in fields.value
    }
    shape = fields.integers("input_shape")
    network = FrozenNetwork(
        name=fields.get("name", str),
        input_shape=tuple(int(n) for n in shape),
        input_bits=fields.get("input_bits", int),
        scale_bits=fields.get("scale_bits", int),
        scale_frac_bits=fields.get("scale_frac_bits", int),
        nodes=nodes,
        provenance=fields.get("provenance", dict),
        **formats,
    )
    fields.finish()
    if encode(network) != data:
        raise UserError("body: is not in canonical form; freeze the network again")
    return network


def save(network: FrozenNetwork, path: Path) -> str:
    """Write ``path`` whole or not at all; returns the network's digest."""
    data = encode(network)
    write_atomically(path, data)
    return SEAL.open(data)[1]


def load(path: Path) -> FrozenNetwork:
    """Read a frozen network.

    Raises:
        UserError: the file cannot be read or any part of it is wrong; the message names the file
            and the field.
    """
    return read_sealed(path, decode, "freeze first")
