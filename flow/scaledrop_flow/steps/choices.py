# SPDX-License-Identifier: Apache-2.0
"""The configuration that a user asks for with options."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from scaledrop.errors import UserError
from scaledrop.training import (
    TrainConfig,
    common_p,
    config_from_file,
    named_config,
    with_network,
)

__all__ = ["DEFAULT", "find_config", "with_choices"]

DEFAULT = "digits"
"""The configuration that is meant when none is named."""

SUFFIXES = (".yaml", ".yml", ".json")


def find_config(name: str) -> TrainConfig:
    """A configuration by its name, or from a file: what ends in .yaml, .yml or .json.

    Raises:
        UserError: the name is unknown, or the file wrong.
    """
    return config_from_file(Path(name)) if name.endswith(SUFFIXES) else named_config(name)


def with_choices(
    config: TrainConfig,
    widths: str | None = None,
    p: str | None = None,
    name: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
) -> TrainConfig:
    """A configuration with what the user chose otherwise.

    Args:
        widths: as the topology has them, such as ``96,48``; an empty string for a perceptron
            without hidden layers.
        p: one probability, one per layer, or ``adaptive``.

    Raises:
        UserError: a value that is no number or out of range.
    """
    changes: dict[str, Any] = {}
    if widths is not None:
        parts = [part for part in widths.split(",") if part.strip()]
        changes["widths"] = tuple(int(_number(part, "widths", int)) for part in parts)
    if p is not None:
        changes["p"] = _probabilities(p)
    elif widths is not None:
        changes["p"] = common_p(config.network)
    if name is not None:
        changes["name"] = name
    if changes:
        config = with_network(config, **changes)
    given: dict[str, Any] = {"epochs": epochs, "seed": seed}
    return dataclasses.replace(config, **{k: v for k, v in given.items() if v is not None})


def _number(text: str, field: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise UserError(f"{field}: {text.strip()!r} is not a number") from None


def _probabilities(text: str) -> float | tuple[float, ...] | str:
    if text == "adaptive":
        return text
    values = tuple(float(_number(part, "p", float)) for part in text.split(","))
    return values[0] if len(values) == 1 else values
