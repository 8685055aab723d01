# SPDX-License-Identifier: Apache-2.0
"""Golden vectors: a small text file that any implementation can be held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.atomic import write_atomically
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork, Threshold
from scaledrop.frozen_file import digest
from scaledrop.frozen_layer import Output
from scaledrop.record import PassRecord
from scaledrop_cosim.contract import Workload

__all__ = ["golden_vectors", "read_vectors", "write_vectors"]

FORMAT = "scaledrop-golden-1"


def golden_vectors(workload: Workload) -> dict[str, Any]:
    """Images, mask bits and every result, as JSON values.

    Bits are strings of 0 and 1, one per image and pass; hidden ones one string per layer as well,
    maps flattened as (C, H, W). Hidden values of more bits are lists of integers instead.
    """
    record = infer(workload.network, workload.images, workload.masks, workload.crossbar_sum)
    return {
        "format": FORMAT,
        "model_sha256": digest(workload.network),
        "seed": workload.seed,
        "passes": workload.passes,
        "images": workload.images.tolist(),
        "masks": [[_text(bits) for bits in image] for image in record.masks],
        "hidden": [
            [[_flat(one, layer.output) for one in image] for image in values]
            for layer, values in zip(workload.network.layers, record.hidden, strict=False)
        ],
        "logits": record.logits.tolist(),
        "sums": record.sums.tolist(),
        "votes": record.votes.tolist(),
    }


def _text(bits: Any) -> str:
    return "".join(map(str, bits.tolist()))


def _is_bits(output: Output) -> bool:
    return isinstance(output, Threshold) and output.planes == 1


def _flat(values: Any, output: Output) -> Any:
    return _text(values.ravel()) if _is_bits(output) else values.ravel().tolist()


def _integer(values: dict[str, Any], name: str) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    return value


def _integers(values: dict[str, Any], name: str) -> Any:
    array = np.array(values[name])
    if array.size and array.dtype.kind != "i":
        raise TypeError(f"{name} must hold integers, not {array.dtype}")
    return array.astype(np.int64)


def _bits(rows: Any) -> Any:
    if not {c for image in rows for row in image for c in row} <= {"0", "1"}:
        raise ValueError("bits must be 0 or 1")
    return np.array([[[int(c) for c in row] for row in image] for image in rows], dtype=np.uint8)


def _hidden(values: Any, network: FrozenNetwork) -> tuple[Any, ...]:
    found = []
    for layer, rows in zip(network.layers[:-1], values, strict=True):
        array = _bits(rows) if _is_bits(layer.output) else np.array(rows)
        shape = network.graph.values[layer.name].shape
        if array.ndim == 3 and array.shape[2] == np.prod(shape):
            array = array.reshape(*array.shape[:2], *shape)
        found.append(array)
    return tuple(found)


def write_vectors(workload: Workload, path: Path) -> None:
    """Write the vectors, one value a line where a person would look for a difference.

    Raises:
        UserError: the path cannot be written.
    """
    vectors = golden_vectors(workload)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in vectors.items()]
    write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def read_vectors(path: Path, network: FrozenNetwork) -> tuple[Workload, PassRecord]:
    """The workload and the expected record.

    Raises:
        UserError: the file is not of this format or belongs to another network.
    """
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UserError(f"{path}: format must be {FORMAT!r}; remake it with make golden")
    if values.get("model_sha256") != digest(network):
        raise UserError(f"{path}: model_sha256 is of another network; remake it with make golden")
    try:
        runs = _integer(values, "passes"), _integer(values, "seed")
        workload = Workload(network, np.array(values["images"]), *runs)
        record = PassRecord(
            masks=_bits(values["masks"]),
            hidden=_hidden(values["hidden"], network),
            logits=_integers(values, "logits"),
            sums=_integers(values, "sums"),
            votes=_integers(values, "votes"),
        )
        _check_shapes(workload, record)
    except UserError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: a field is wrong ({error}); remake it with make golden") from None
    return workload, record


def _check_shapes(workload: Workload, record: PassRecord) -> None:
    layers, runs = workload.network.layers, (len(workload.images), workload.passes)
    network = workload.network
    last = (*network.positions, network.classes)
    expected: dict[str, tuple[Any, tuple[int, ...]]] = {
        "masks": (record.masks, (*runs, len(layers))),
        "logits": (record.logits, (*runs, *last)),
        "sums": (record.sums, (runs[0], *last)),
        "votes": (record.votes, (runs[0], *last)),
    }
    for layer, bits in zip(layers[:-1], record.hidden, strict=True):
        expected[f"hidden {layer.name}"] = (bits, (*runs, *network.graph.values[layer.name].shape))
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"{name} is {array.shape}, not {shape}")
