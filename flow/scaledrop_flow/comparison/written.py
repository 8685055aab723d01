# SPDX-License-Identifier: Apache-2.0
"""The tables of the comparison as cells of text: for the page and for Markdown alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaledrop.energy import Band, format_band
from scaledrop.methods.registry import METHODS
from scaledrop_flow.comparison.checks import judged
from scaledrop_flow.comparison.claims import Claim
from scaledrop_flow.comparison.scores import SCORED
from scaledrop_flow.comparison.tables import Line, Tables

__all__ = ["LEGEND", "Grid", "claims_grid", "set_grid", "settings_grid"]

OURS = "scale-dropout"
MARKS = {"better": " ↑", "worse": " ↓"}
LEGEND = (
    "Mean over the seeds ± standard deviation. An arrow stands where a method is better (↑) or "
    "worse (↓) than Scale-Dropout by more than seeds and test images scatter: the interval of "
    "Student's t over the seeds and that of a paired bootstrap over the images, 95 % each, both "
    "leave out 0. No arrow: nothing is said. The intervals are not corrected for their number."
)


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        title: Above it.
        note: Below the title.
        head: Names of the columns.
        body: Rows of as many cells.
    """

    title: str
    note: str
    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]


def _score(tables: Tables, line: Line, column: str) -> str:
    found, digits = line.over(column), SCORED[column].digits
    text = f"{found.mean:.{digits}f}"
    if len(found.values) > 1:
        text += f" ± {found.spread:.{digits}f}"
    return text + MARKS.get(tables.standing(line.set, line.method, OURS, column), "")


def _joules(line: Line) -> str:
    if not line.priced:
        return "no price"
    band = Band(*(line.over(name).mean * 1e-6 for name in ("uj", "uj_low", "uj_high")))
    return format_band(band).replace("uJ", "µJ")


def _numbers(line: Line) -> str:
    count = int(line["numbers_per_pass"])
    if not count:
        return "0"
    kind = "samples" if line["gaussian"] == "True" else "bits"
    return f"{count:,} {kind}"


def _passes(line: Line) -> str:
    passes, networks = int(line["passes"]), int(line["networks"])
    return f"{passes}" if networks == 1 else f"1 of {networks} networks"


def set_grid(tables: Tables, name: str) -> Grid:
    """All methods on one set."""
    lines = tables.of_set(name)
    first = lines[0]
    seeds = ", ".join(row["seed"] for row in first.rows)
    scores = [column for column in SCORED if column in first.rows[0]]
    titles = {"auroc_1": f"AUROC {first['unknown_1']}", "auroc_2": f"AUROC {first['unknown_2']}"}
    head = ("method", *(titles.get(column, SCORED[column].title) for column in scores))
    head += ("numbers a pass", "memory, kbit", "an image, estimated", "passes", "training, s")
    body = tuple(
        (
            line.title,
            *(_score(tables, line, column) for column in scores),
            _numbers(line),
            f"{int(line['memory_bits']) / 1000:,.0f}",
            _joules(line),
            _passes(line),
            f"{line.over('train_seconds').mean:.0f}",
        )
        for line in lines
    )
    images = f"{int(first['test_images']):,} test images"
    return Grid(name, f"{first['measured_on']}; {images}; seeds {seeds}", head, body)


def settings_grid(tables: Tables) -> Grid:
    """The setting of every method, the value that won on each set, and where its definition is
    from."""
    methods: Mapping[str, Line] = {line.method: line for line in tables.lines}
    head = ("method", "setting", *tables.sets, "definition")
    body = []
    for key, line in methods.items():
        won = [tables.line(name, key) for name in tables.sets]
        values = ("–" if one is None else f"{float(one['value']):g}" for one in won)  # noqa: RUF001
        source = METHODS[key].source if key in METHODS else "–"  # noqa: RUF001
        body.append((line.title, line["setting"], *values, source))
    note = "three values, seed 0, the lowest NLL on the validation part"
    return Grid("Settings", note, head, tuple(body))


def claims_grid(claims: tuple[Claim, ...], tables: Tables) -> Grid:
    """Claimed, measured here, on what, verdict."""
    body = []
    for claim in claims:
        found = judged(claim, tables)
        label = f"{claim.label}, unverified" if claim.label == "MEM" else str(claim.label)
        verdict = f"{found.verdict}: {found.reason}" if found.reason else str(found.verdict)
        row = (f"{claim.says} ({claim.source}; {label})", found.measured, found.on, verdict)
        body.append(tuple(cell or "–" for cell in row))  # noqa: RUF001
    head = ("claimed", "measured here", "on what", "verdict")
    return Grid("Claims", "verdicts are worked out from the tables", head, tuple(body))
