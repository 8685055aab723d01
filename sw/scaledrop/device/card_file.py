# SPDX-License-Identifier: Apache-2.0
"""Device cards as YAML files: the ones that ship, and a person's own."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scaledrop.atomic import write_atomically
from scaledrop.device.card import Card
from scaledrop.device.quantities import QUANTITIES
from scaledrop.errors import UserError

__all__ = ["card_names", "load_card", "save_card"]

CARDS = Path(__file__).parent / "cards"
UNKNOWN = {"sigma": "spread", "std": "spread", "c2c": "cycle", "d2d": "spread", "ref": "source"}


def card_names() -> list[str]:
    """Names of the cards that ship with the package."""
    return sorted(path.stem for path in CARDS.glob("*.yaml"))


def load_card(source: str | Path) -> Card:
    """A card by the name of one that ships with the package (``"hikstor80"``), or by its file.

    Raises:
        UserError: there is no such file, or it breaks a rule. The message names card, field,
            value and remedy.
    """
    path = Path(source)
    if path.suffix not in {".yaml", ".yml"}:
        path = CARDS / f"{source}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(card_names())
        raise UserError(f"card: no file {path.name}; give a YAML file or one of: {known}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise UserError(f"card {path.name}: cannot be read ({reason})") from None
    return parse_card(text, path.name)


def parse_card(text: str, name: str) -> Card:
    """The card that ``text`` describes; messages call it ``name``.

    Raises:
        UserError: as :func:`load_card`.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise UserError(f"card {name}: is not YAML ({line}); correct it") from None
    if not isinstance(document, dict):
        raise UserError(
            f"card {name}: must be a mapping with name, law and parameters; see hikstor80.yaml"
        )
    try:
        return Card.model_validate(document)
    except ValidationError as error:
        # A misspelt key is at once unknown and missing: the unknown one says more.
        found = sorted(error.errors(), key=lambda one: one["type"] == "missing")
        raise UserError(f"card {name}: {_explain(found[0])}") from None


def save_card(card: Card, path: Path) -> None:
    """Write ``card``, whole or not at all.

    Raises:
        UserError: the path cannot be written.
    """
    document = card.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    header = "# SPDX-License-Identifier: Apache-2.0\n"
    write_atomically(path, (header + text).encode())


def _explain(error: ErrorDetails) -> str:
    """One line: which field, which value, what to do."""
    where = ".".join(str(part) for part in error["loc"])
    field = str(error["loc"][-1]) if error["loc"] else ""
    message = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            return f"{where}: unknown field with value {error['input']!r}; {_remedy(field)}"
        case "missing":
            return f"{where}: missing; {_how_to_add(error['loc'])}"
        case "enum":
            return f"{where}: {message}, not {error['input']!r}"
        case "value_error":
            return f"{where}: {message}" if where else message
        case _:
            return f"{where}: {message}, not {error['input']!r}"


def _remedy(field: str) -> str:
    fields = ("value", "unit", "spread", "spread_relative", "cycle", "cycle_relative", "interval")
    close = difflib.get_close_matches(field, (*fields, "source", "page", "label", "note"), 1)
    guess = UNKNOWN.get(field) or (close[0] if close else None)
    return f"did you mean {guess}?" if guess else "remove it"


def _how_to_add(loc: tuple[Any, ...]) -> str:
    if len(loc) == 3 and loc[2] == "unit" and loc[1] in QUANTITIES:
        return f"add unit: {next(iter(QUANTITIES[loc[1]].dimension.value))}"
    return "add it"
