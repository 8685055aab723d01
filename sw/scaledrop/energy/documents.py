# SPDX-License-Identifier: Apache-2.0
"""YAML files of rows: read, checked, and refused in one line that names row, field and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails

from scaledrop.errors import UserError

__all__ = ["Number", "read_rows"]

Model = TypeVar("Model", bound=BaseModel)


def _number(value: Any) -> float:
    # YAML 1.1 reads 1e-12, without a dot, as text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"must be a number, not {value!r}")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"must be a number in the unit of its name, not {value!r}") from None


Number = Annotated[float, BeforeValidator(_number)]
"""A float in the unit of the field's name; text with a unit of its own is refused."""


def _explain(document: Any, error: ErrorDetails, key: str, units: Mapping[str, str]) -> str:
    """One line for the first of pydantic's errors: which row, which field, what to do."""
    where = list(error["loc"])
    at = ""
    if len(where) >= 2 and isinstance(where[1], int):
        row = document[where[0]][where[1]]
        name = row.get(key) if isinstance(row, dict) else None
        at, where = f"{where[0]}[{where[1]}]" + (f" ({name})" if name else ""), where[2:]
    field = ".".join(str(part) for part in where)
    at = f"{at} {field}".strip()
    if error["type"] == "extra_forbidden":
        remedy = f"write {units[field]}" if field in units else "remove it or correct its spelling"
        return f"{at}: unknown key {field!r} with value {error['input']!r}; {remedy}"
    if error["type"] == "missing":
        return f"{at}: missing; add it"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "enum":
        message += f", not {error['input']!r}"
    return f"{at}: {message}" if at else message


def read_rows(
    path: Path,
    model: type[Model],
    *,
    kind: str,
    key: str,
    example: str,
    units: Mapping[str, str],
) -> Model:
    """A YAML mapping with ``name`` and ``rows``, checked by a pydantic model.

    Args:
        path: of the file.
        model: what it must be.
        kind: word for the file that begins every message.
        key: field that names a row.
        example: file to look at.
        units: keys that lack their unit, each to what should stand in its place.

    Raises:
        UserError: it is not text, not YAML, not a mapping, or breaks a rule of the model.
    """
    at = f"{kind} {path.name}"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise UserError(f"{at}: is not YAML ({line}); correct it") from None
    except UnicodeDecodeError:
        raise UserError(f"{at}: is not text in UTF-8; save it as such") from None
    if not isinstance(document, dict):
        raise UserError(f"{at}: must be a mapping with name and rows; see {example}")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # A misspelt key is at once unknown and missing: the unknown one says more.
        found = sorted(error.errors(), key=lambda one: one["type"] == "missing")
        raise UserError(f"{at}: {_explain(document, found[0], key, units)}") from None
