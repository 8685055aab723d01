# SPDX-License-Identifier: Apache-2.0
"""The comparison as one HTML file, and as tables between the marks of a Markdown document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scaledrop.errors import UserError
from scaledrop_flow.comparison.claims import load_claims
from scaledrop_flow.comparison.drawn import auroc_picture, energy_picture, reliability_picture
from scaledrop_flow.comparison.tables import Row, Tables, read_csv
from scaledrop_flow.comparison.written import LEGEND, Grid, claims_grid, set_grid, settings_grid
from scaledrop_flow.energy_report.page import Picture

__all__ = ["COMMANDS", "filled", "pictures_of", "rendered"]

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "report")
COMMANDS = (
    "scaledrop study methods",
    "scaledrop study methods-tuning",
    "scaledrop study methods-differences",
    "scaledrop study methods-reliability",
    "scaledrop compare --docs docs/baselines.md",
)
"""What makes everything again, from nothing."""
NOT_PRICED = (
    "dropped neurons and maps (MC-Dropout, SpinDrop, Spatial-SpinDrop, DropBlock): a register and "
    "a gate for each, and analog zeros into the crossbar; a word line that is dropped counts as "
    "driven",
    "DropBlock: the blocks made of their seeds, and the factor that differs from image to image",
    "Gaussian samples: the square root, product and sum that make a scaled sample of a number, and "
    "cells of more than two levels",
    "affine dropout: adding beta, and a second multiplexer; its four outcomes are compared and "
    "written",
    "SpinBayes: picking a crossbar, and the crossbars that stand by",
    "ensembles: area and leakage of the other crossbars; members run one after another",
    "more than one generator side by side: their area and leakage",
    "transformers, altogether: attention multiplies activations with activations, which no "
    "crossbar of fixed weights does",
)
MARK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.S)
BEGIN = re.compile(r"<!-- begin ([\w-]+) -->")


@dataclass(frozen=True, eq=False)
class _Part:
    grid: Grid
    pictures: tuple[Picture, ...] = ()
    text: bool = False


def pictures_of(tables: Tables, bins: list[Row], name: str, prefix: str) -> tuple[Picture, ...]:
    """Those of one set; reliability only where its table is there."""
    lines = tables.of_set(name)
    energy, auroc = f"{prefix}-{name}-energy", f"{prefix}-{name}-auroc"
    pictures = [
        Picture(
            energy,
            f"Accuracy and joules on {name}",
            energy_picture(lines, energy),
            "A diamond is the mean, dots are seeds, the line is the estimator's band.",
        ),
        Picture(
            auroc,
            f"Unknown images told from {name}",
            auroc_picture(lines, auroc),
            "Every seed a dot, the mean a bar.",
        ),
    ]
    own = [row for row in bins if row["set"] == name]
    if own:
        reliability = f"{prefix}-{name}-reliability"
        figure = reliability_picture(own, reliability)
        caption = "All seeds together; on the diagonal confidence is right."
        pictures.append(Picture(reliability, f"Reliability on {name}", figure, caption))
    return tuple(pictures)


def rendered(folder: Path, name: str = "methods") -> str:
    """The page, from the tables of a folder; the same tables give the same bytes.

    Raises:
        UserError: there is no table.
    """
    tables = Tables.read(folder, name)
    if not tables.lines:
        raise UserError(f"{folder}: has no {name}.csv; run 'scaledrop study {name}'")
    bins = read_csv(folder / f"{name}-reliability.csv")
    parts = [
        _Part(set_grid(tables, one), pictures_of(tables, bins, one, name)) for one in tables.sets
    ]
    parts += [_Part(settings_grid(tables)), _Part(claims_grid(load_claims(), tables), text=True)]
    environment = Environment(
        loader=FileSystemLoader([str(one) for one in FOLDERS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("methods.html.j2").render(
        grids=parts,
        sets=tables.sets,
        methods=len({line.method for line in tables.lines}),
        legend=LEGEND,
        not_priced=NOT_PRICED,
        commands="\n".join(COMMANDS),
    )


def _markdown(grid: Grid, title: bool = True) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rows = [line(grid.head), "|" + "---|" * len(grid.head), *(line(row) for row in grid.body)]
    above = f"### {grid.title}\n\n{grid.note}.\n\n" if title else ""
    return above + "\n".join(rows) + "\n"


def _pictures(folder: Path, tables: Tables, name: str, one: str, pictures: str) -> str:
    has_bins = any(row["set"] == one for row in read_csv(folder / f"{name}-reliability.csv"))
    kinds = ("energy", "auroc", "reliability") if has_bins else ("energy", "auroc")
    return "\n".join(f"![{one}, {kind}]({pictures}/{name}-{one}-{kind}.svg)" for kind in kinds)


def _table(folder: Path, name: str, pictures: str) -> str:
    tables = Tables.read(folder, name)
    if not tables.lines:
        return f"Not measured yet: `scaledrop study {name}`.\n"
    parts = []
    for one in tables.sets:
        shown = _pictures(folder, tables, name, one, pictures)
        parts.append(f"{_markdown(set_grid(tables, one))}\n{shown}\n")
    return "\n".join([*parts, _markdown(settings_grid(tables))])


def blocks(folder: Path, pictures: str) -> Mapping[str, str]:
    """Name of a mark to the Markdown that stands between it and its end."""
    methods = Tables.read(folder)
    claims = _markdown(claims_grid(load_claims(), methods), title=False)
    return {
        "methods": _table(folder, "methods", pictures),
        "methods-digits": _table(folder, "methods-digits", pictures),
        "methods-cifar10": _table(folder, "methods-cifar10", pictures),
        "claims": claims,
        "legend": f"{LEGEND}\n",
        "not-priced": "".join(f"- {one}\n" for one in NOT_PRICED),
    }


def filled(document: str, folder: Path, pictures: str = "pictures") -> str:
    """The document with everything between its marks made anew: ``<!-- begin NAME -->`` to
    ``<!-- end NAME -->``.

    Args:
        document: Markdown.
        folder: Of the tables.
        pictures: Folder of the pictures as the document names it.

    Raises:
        UserError: a mark of an unknown name, or without an end.
    """
    known = blocks(folder, pictures)
    closed = {match[2] for match in MARK.finditer(document)}
    for name in BEGIN.findall(document):
        if name not in known:
            raise UserError(f"mark: {name!r} is not known; choose one of {', '.join(known)}")
        if name not in closed:
            raise UserError(f"mark: {name!r} has no end; write <!-- end {name} -->")
    return MARK.sub(lambda match: match[1] + known[match[2]] + match[3], document)
