# SPDX-License-Identifier: Apache-2.0
"""A cell: one result of a study, kept as one JSON file that is named by all that it depends on.

A study lists its cells and hands them to :func:`scaledrop_flow.comparison.runner.run_cells`, which
works out those that are not kept yet::

    def measure(config: TrainConfig, kind: str, device: str) -> dict[str, Any]:  # on module level
        ...
        return {"accuracy": 0.98, "entropies": packed(entropies)}  # plain JSON values

    def shift_study(data, cache, progress, choices=Choices()):
        cells = [
            Cell(
                study="shift",
                version=1,  # raise it when the meaning of ``measure`` changes
                case=kind,
                seed=seed,
                depends={"config": config.to_values(), "kind": kind, "data": digest},
                work=measure,
                given=(config, kind, choices.place),
                device=choices.place,
                weight=30.0,  # seconds, roughly: for the order and the time left
            )
            for kind in KINDS
            for seed in choices.seeds or SEEDS
        ]
        for done in run_cells(cells, cache, choices, progress):
            yield {**done.row, "accuracy": done.result["accuracy"]}

Such a study takes ``scaledrop study shift --smoke --only KIND --set SET --seeds 0,1 --jobs 2
--device auto``; what of these it heeds is up to it. Arguments go to another process: dataclasses,
numbers, paths, no open files and no lambdas.

The name is a hash of study, version, case, seed, ``depends``, the device's kind and the release of
PyTorch: change one and the cell is measured anew. What a measurement takes from elsewhere (a data
set, a constant of another module) belongs into ``depends``; nothing else can know about it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError

__all__ = ["Cell", "Done", "digest_of_arrays", "keep", "kept", "packed", "unpacked"]

Floats = npt.NDArray[np.float32]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Cell:
    """One result of a study.

    Attributes:
        study: Name of the study, of letters, digits and hyphens.
        version: Of the study's code; a person raises it when results change their meaning.
        case: What the row is about, for people and for the hash.
        seed: Of every random number of the cell.
        depends: Plain JSON values: everything else that the result depends on.
        work: Function on module level, so that another process finds it; called as
            ``work(*given)``, and returns plain JSON values.
        given: Its arguments.
        weight: Rough cost in seconds: the longest are begun first, and the time left is told.
        device: Kind of device that the work runs on: "cpu" or "cuda".

    Raises:
        UserError: ``depends`` is not of plain JSON values.
    """

    study: str
    version: int
    case: str
    seed: int
    depends: Mapping[str, Any]
    work: Callable[..., Mapping[str, Any]]
    given: tuple[Any, ...] = ()
    weight: float = 1.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        try:
            _canonical(dict(self.depends))
        except (TypeError, ValueError) as error:
            raise UserError(
                f"depends: of {self.name} must be plain JSON values ({error}); give to_values() "
                "or a hash"
            ) from None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.case}, seed {self.seed}"

    @property
    def about(self) -> dict[str, Any]:
        """All that the result depends on, as JSON values."""
        values = {
            "study": self.study,
            "version": self.version,
            "case": self.case,
            "seed": self.seed,
            "depends": dict(self.depends),
            "device": self.device,
            "torch": str(torch.__version__),
        }
        return dict(json.loads(_canonical(values)))

    @property
    def key(self) -> str:
        """sha256, hexadecimal, of :attr:`about`."""
        return hashlib.sha256(_canonical(self.about).encode()).hexdigest()

    def path(self, cache: Path) -> Path:
        """Where it is kept."""
        return cache / "cells" / self.study / f"{self.key[:24]}.json"


@dataclass(frozen=True)
class Done:
    """A cell with its result.

    Attributes:
        cell: What was asked for.
        result: What ``work`` returned.
        provenance: Seconds, processor, releases; of the run that measured it.
        found: It was kept from before.
    """

    cell: Cell
    result: Mapping[str, Any]
    provenance: Mapping[str, Any]
    found: bool = False

    @property
    def row(self) -> dict[str, Any]:
        """What a row of the study's table begins with; :func:`write_table` lists the provenance
        beside the table."""
        return {
            "case": self.cell.case,
            "seed": self.cell.seed,
            "cell": self.cell.key[:12],
            "provenance": dict(self.provenance),
        }


def keep(cell: Cell, cache: Path, result: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    """Write the file of a cell, whole or not at all.

    Raises:
        UserError: it cannot be written, or the result is not of plain JSON values.
    """
    try:
        found = _canonical(dict(result))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"result: of {cell.study}, {cell.name} must be plain JSON values ({error}); "
            "give float(), int(), packed()"
        ) from None
    values = {"about": cell.about, "result": json.loads(found), "provenance": dict(provenance)}
    write_atomically(cell.path(cache), (json.dumps(values, indent=1) + "\n").encode())


def kept(cell: Cell, cache: Path) -> Done | None:
    """The result of a cell that was measured before; None if there is none, or it is damaged."""
    try:
        values = json.loads(cell.path(cache).read_text(encoding="utf-8"))
        if values["about"] != cell.about:
            return None
        return Done(cell, dict(values["result"]), dict(values["provenance"]), found=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def packed(values: npt.NDArray[Any]) -> dict[str, Any]:
    """An array as a JSON value: float32, little-endian, compressed, in base64."""
    array = np.ascontiguousarray(values, dtype="<f4")
    text = base64.b64encode(zlib.compress(array.tobytes(), 6)).decode()
    return {"shape": list(array.shape), "float32": text}


def unpacked(value: Mapping[str, Any]) -> Floats:
    """The inverse of :func:`packed`."""
    data = zlib.decompress(base64.b64decode(value["float32"]))
    return np.frombuffer(data, dtype="<f4").reshape(value["shape"]).copy()


def digest_of_arrays(*arrays: npt.NDArray[Any]) -> str:
    """sha256, hexadecimal, of arrays with their shapes and types: the images of a cell."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(repr((array.shape, array.dtype.str)).encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
