# SPDX-License-Identifier: Apache-2.0
"""A case: one network on one array, and all that is done to it, as a small JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from scaledrop.errors import UserError

__all__ = ["Case", "Conv", "Dense", "Pool", "read_case"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dense(_Model):
    """A layer that takes everything; the last one is the head, which has no codes."""

    kind: Literal["dense"] = "dense"
    channels: int
    planes: int = 1
    drop_code: int = 0


class Conv(_Model):
    """A convolution; see :class:`scaledrop.graph.Window`."""

    kind: Literal["conv"] = "conv"
    channels: int
    planes: int = 1
    drop_code: int = 0
    size: int = 1
    stride: int = 1
    padding: int = 0


class Pool(_Model):
    """Max pooling behind a convolution."""

    kind: Literal["pool"] = "pool"
    size: int = 2


class Case(_Model):
    """What one run is made of. Everything else follows from ``seed``: weights, scales, thresholds,
    gains, pixels, the words of the spin unit, the gaps.

    Attributes:
        engine: simulator: ``amaranth`` (its own) or ``verilator`` (the generated Verilog).
        corners: share of the channels whose numbers are extreme, or make ties.
        rows, columns, lanes: of the array.
        converter: bits, step and whether mid-rise, of every column; lossless when None.
        pulses: cycles of reset, settle, write and read of the spin unit.
        depth: commands that the walk may be ahead.
        masks: limit of the leaves of mode ``exact``; 0 for none.
        idle, stall: chances, in 1/256 per cycle, that no pixel is offered or no result taken.
        pause: cycles that such a gap lasts.
        min_votes, min_margin: limits below which to abstain.
        records: the logits of every leaf are asked for.
    """

    seed: int
    engine: Literal["amaranth", "verilator"] = "amaranth"
    input_shape: tuple[int, ...]
    input_bits: int
    nodes: tuple[Dense | Conv | Pool, ...]
    scale_bits: int = 8
    scale_frac_bits: int = 6
    gain_bits: int = 12
    corners: float = 0.0
    rows: int
    columns: int
    lanes: int
    converter: tuple[int, int, bool] | None = None
    convolution: str = "auto"
    datapath: str = "reference"
    pulses: tuple[int, int, int, int] = (2, 1, 1, 1)
    depth: int = 16
    max_passes: int = 255
    mode: str = "passes"
    passes: int = 1
    masks: int = 0
    images: int = 1
    idle: int = 0
    stall: int = 0
    pause: int = 1
    min_votes: int = 0
    min_margin: int = 0
    records: bool = False

    @property
    def layers(self) -> Sequence[Dense | Conv]:
        """The nodes with weights."""
        return [node for node in self.nodes if not isinstance(node, Pool)]

    @property
    def quiet(self) -> bool:
        """Nothing disturbs the run, so that its cycles can be predicted."""
        return self.idle == 0 and self.stall == 0 and not self.records

    def but(self, **changes: Any) -> Case:
        """The same with some fields changed."""
        return self.model_copy(update=changes)

    def as_json(self) -> dict[str, Any]:
        """JSON values; :func:`read_case` takes them under the key ``case``."""
        return self.model_dump(mode="json")


def _first(error: ErrorDetails) -> str:
    """One line for the first of pydantic's errors."""
    where = ".".join(str(part) for part in error["loc"]) or "the case"
    return f"{where}: {error['msg']}"


def read_case(path: Path) -> Case:
    """The case in a stored file.

    Raises:
        UserError: no such file, no JSON, or no case in it; the message names file and field.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError:
        raise UserError(f"{path}: is no JSON; give a file that fuzz has stored") from None
    if not isinstance(values, dict) or "case" not in values:
        raise UserError(f"{path}: has no case in it; give a file that fuzz has stored")
    try:
        return Case.model_validate(values["case"])
    except ValidationError as error:
        raise UserError(f"{path}: {_first(error.errors()[0])}") from None
