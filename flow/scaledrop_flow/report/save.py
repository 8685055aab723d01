# SPDX-License-Identifier: Apache-2.0
"""Writing a finished run: ``report.json``, ``gallery.npz`` and the page drawn from the two."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop_flow.data import LabelledImages, read_arrays
from scaledrop_flow.report.assemble import gallery_of, report_of
from scaledrop_flow.report.page import Gallery, render
from scaledrop_flow.steps.cosim import CosimChoices, CosimResult

__all__ = ["redraw", "save_report"]


def save_report(
    result: CosimResult, choices: CosimChoices, images: LabelledImages, command: str, folder: Path
) -> dict[str, Any]:
    """Write everything into ``folder``; returns the report."""
    report, gallery = report_of(result, choices, images, command), gallery_of(result, images)
    write_atomically(folder / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    arrays = {field.name: getattr(gallery, field.name) for field in fields(Gallery)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(folder / "gallery.npz", buffer.getvalue())
    write_atomically(folder / "index.html", render(report, gallery).encode())
    return report


def redraw(folder: Path) -> Path:
    """Draw ``index.html`` from ``report.json`` and ``gallery.npz``.

    Raises:
        UserError: one of the two is missing or malformed.
    """
    arrays = read_arrays(folder / "gallery.npz", tuple(field.name for field in fields(Gallery)))
    try:
        report = json.loads((folder / "report.json").read_text())
        html = render(report, Gallery(**arrays))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise UserError(f"{folder}: is not a finished run; co-simulate again") from None
    page = folder / "index.html"
    write_atomically(page, html.encode())
    return page
