# SPDX-License-Identifier: Apache-2.0
"""Writing the marked tables of a document, and the pictures that they show."""

from __future__ import annotations

from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop_flow.comparison.page import filled, pictures_of
from scaledrop_flow.comparison.tables import Tables, read_csv
from scaledrop_flow.report.style import save

__all__ = ["TABLES", "save_docs"]

TABLES = ("methods", "methods-digits", "methods-cifar10")


def save_docs(document: Path, studies: Path) -> list[Path]:
    """Make a document's marked tables anew, and the pictures in the folder ``pictures`` beside it.

    Returns:
        What was written.

    Raises:
        UserError: the document cannot be read, or has a mark that is not known.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"docs: {document}: {error.strerror}; name a Markdown file") from None
    folder = document.parent / "pictures"
    written = []
    for name in TABLES:
        tables, bins = Tables.read(studies, name), read_csv(studies / f"{name}-reliability.csv")
        for one in tables.sets:
            for picture in pictures_of(tables, bins, one, name):
                path = folder / f"{picture.name}.svg"
                path.parent.mkdir(parents=True, exist_ok=True)
                save(picture.figure, path)
                written.append(path)
    write_atomically(document, filled(text, studies).encode())
    return [*written, document]
