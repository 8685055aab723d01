# SPDX-License-Identifier: Apache-2.0
"""Tables and picture of the transformer study.

``python -m scaledrop_flow.report.transformer docs/studies/transformer.csv docs`` draws the picture
and writes the tables into docs/transformer.md.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from scaledrop_flow.comparison.significance import over_seeds
from scaledrop_flow.report.style import LIGHT, bare, drawing, save

__all__ = [
    "clear",
    "methods_table",
    "options_picture",
    "options_table",
    "read_rows",
    "settings_table",
]

Row = dict[str, str]
Floats = npt.NDArray[np.float64]
BASE, NONE = "vit-scale-dropout", "-"

SCORES: dict[str, tuple[str, float, int]] = {
    "accuracy": ("accuracy, %", 100, 1),
    "nll": ("NLL", 1, 3),
    "brier": ("Brier", 1, 3),
    "ece": ("ECE", 1, 3),
    "mutual_information": ("MI, 1e-3 nat", 1000, 1),
    "auroc_entropy_mnist": ("AUROC H, MNIST", 1, 3),
    "auroc_entropy_notmnist": ("AUROC H, notMNIST", 1, 3),
    "auroc_mutual_information_mnist": ("AUROC MI, MNIST", 1, 3),
    "auroc_mutual_information_notmnist": ("AUROC MI, notMNIST", 1, 3),
}
"""Column to heading, factor and decimals."""


def read_rows(table: Path) -> list[Row]:
    """The rows of ``scaledrop study transformer``."""
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _of(rows: Iterable[Row], stage: str, case: str = "") -> list[Row]:
    """Rows of a stage and case, by seed."""
    found = [row for row in rows if row["stage"] == stage and case in ("", row["case"])]
    return sorted(found, key=lambda row: int(row["seed"])) if case else found


def _cases(rows: Iterable[Row], stage: str) -> list[str]:
    return list(dict.fromkeys(row["case"] for row in _of(rows, stage)))


def _told(rows: Sequence[Row], score: str) -> bool:
    """Whether a score says anything: a network that draws nothing has no mutual information."""
    return "mutual" not in score or rows[0]["bits_per_pass"] != "0"


def _values(rows: Sequence[Row], score: str) -> Floats:
    return np.array([float(row[score]) for row in rows])


def _spread(values: Floats, factor: float, digits: int, sign: str = "") -> str:
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{factor * values.mean():{sign}z.{digits}f} ± {factor * deviation:.{digits}f}"


def clear(differences: Floats) -> bool:
    """Whether paired differences lie apart from 0, by :func:`over_seeds`: Student's t, 95 %."""
    paired = over_seeds(differences.tolist())
    return abs(paired.mean) > paired.half


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    return [" | ".join(("", *cells, "")).strip() for cells in (head, ["---"] * len(head), *lines)]


def methods_table(rows: Sequence[Row]) -> list[str]:
    """Mean and standard deviation over the seeds, a method a line, as Markdown."""
    lines = []
    for case in _cases(rows, "method"):
        some = _of(rows, "method", case)
        scores = [
            _spread(_values(some, name), *form[1:]) if _told(some, name) else NONE
            for name, form in SCORES.items()
        ]
        lines.append([case, some[0]["setting"], *scores, some[0]["bits_per_pass"]])
    head = ["method", "value taken", *(form[0] for form in SCORES.values()), "bits a pass"]
    return _table(head, lines)


def settings_table(rows: Sequence[Row]) -> list[str]:
    """All values that were tried, at the first seed; the one taken is marked."""
    lines = []
    for case in _cases(rows, "method"):
        first = _of(rows, "method", case)[0]
        some = [first, *_of(rows, "setting", case)]
        for row in sorted(some, key=lambda row: float(row["setting"])):
            shown = (("valid_nll", 1, 3), ("accuracy", 100, 1), ("nll", 1, 3), ("ece", 1, 3))
            scores = (f"{factor * float(row[name]):.{n}f}" for name, factor, n in shown)
            taken = " (taken)" if row is first else ""
            lines.append([case, row["setting"] + taken, *scores])
    return _table(["method", "value", "validation NLL", "accuracy, %", "NLL", "ECE"], lines)


def _difference(rows: Sequence[Row], stage: str, case: str, score: str) -> Floats:
    """Of the same seeds, less the scale dropout that it stands on."""
    base = {row["seed"]: float(row[score]) for row in _of(rows, "method", BASE)}
    return np.array([float(row[score]) - base[row["seed"]] for row in _of(rows, stage, case)])


def _compared(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Stage, case and name of all that stands beside scale dropout alone."""
    found = [(stage, case) for stage in ("method", "option") for case in _cases(rows, stage)]
    return [(*one, one[1].removeprefix(f"{BASE} + ")) for one in found if one[1] != BASE]


def options_table(rows: Sequence[Row]) -> list[str]:
    """Paired differences to scale dropout alone; a star where they are clear."""
    lines = []
    for stage, case, title in _compared(rows):
        cells, some = [], _of(rows, stage, case)
        for name, (_, factor, digits) in SCORES.items():
            found = _difference(rows, stage, case, name)
            star = " *" if clear(found) else ""
            shown = _spread(found, factor, digits, "+") + star if _told(some, name) else NONE
            cells.append(shown)
        means = (_values(some, f"gamma_mean_{role}").mean() for role in ("input", "output"))
        lines.append([title, *cells, *(f"{mean:.2f}" for mean in means), some[0]["bits_per_pass"]])
    head = ["less scale dropout", *(form[0] for form in SCORES.values())]
    return _table([*head, "mean gamma, input", "output", "bits a pass"], lines)


def options_picture(rows: Sequence[Row]) -> Figure:
    """Difference of each seed to scale dropout alone, in NLL and in AUROC by mutual information."""
    shown = _compared(rows)
    scores = ("nll", "auroc_entropy_notmnist", "auroc_mutual_information_notmnist")
    with drawing("transformer", 3.6, 7.0) as figure:
        for axes, score in zip(figure.subplots(1, len(scores), sharey=True), scores, strict=True):
            bare(axes)
            axes.grid(axis="x", color=LIGHT.grid, linewidth=0.5)
            axes.axvline(0, color=LIGHT.soft, linewidth=0.8)
            for line, (stage, case, _) in enumerate(shown):
                found = _difference(rows, stage, case, score)
                if not _told(_of(rows, stage, case), score):
                    continue
                colour = LIGHT.accent if clear(found) else LIGHT.soft
                axes.plot(found, [line] * len(found), "o", color=colour, markersize=3.5)
                axes.plot(found.mean(), line, "|", color=LIGHT.ink, markersize=10)
            axes.set_xlabel(f"difference in\n{SCORES[score][0]}")
            axes.set_ylim(len(shown) - 0.4, -0.6)
        figure.axes[0].set_yticks(range(len(shown)), [name for *_, name in shown])
    return figure


TABLES: Mapping[str, Callable[[Sequence[Row]], list[str]]] = MappingProxyType(
    {"settings": settings_table, "methods": methods_table, "options": options_table}
)


def with_tables(page: str, rows: Sequence[Row]) -> str:
    """The page with each table between ``<!-- NAME -->`` and the next empty line made anew."""
    for name, table in TABLES.items():
        head, mark, rest = page.partition(f"<!-- {name} -->\n")
        tail = rest[rest.index("\n\n") :]
        page = head + mark + "\n".join(table(rows)) + tail
    return page


if __name__ == "__main__":
    source, folder = map(Path, sys.argv[1:])
    found = read_rows(source)
    save(options_picture(found), folder / "pictures" / "transformer.svg")
    document = folder / "transformer.md"
    document.write_text(with_tables(document.read_text(encoding="utf-8"), found), encoding="utf-8")
