# SPDX-License-Identifier: Apache-2.0
"""The tables of the comparison as they stand in their files, and their means over seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scaledrop.errors import UserError

__all__ = ["Line", "Mean", "Row", "Tables", "read_csv"]

Row = dict[str, str]


def read_csv(path: Path) -> list[Row]:
    """Rows of a CSV; none where there is no such file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); measure it again") from None
    return list(csv.DictReader(io.StringIO(text)))


@dataclass(frozen=True)
class Mean:
    """Of a column over seeds: mean, standard deviation (n - 1; 0 of one), and the values."""

    mean: float
    spread: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), spread, tuple(values))


@dataclass(frozen=True, eq=False)
class Line:
    """A method on a set: its rows, one a seed."""

    set: str
    method: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return self.rows[0]["title"]

    @property
    def priced(self) -> bool:
        """Whether the estimator has a price for it."""
        return self.rows[0]["uj"] != ""

    def __getitem__(self, column: str) -> str:
        """A column that is the same for all seeds; that of the first."""
        return self.rows[0][column]

    def over(self, column: str) -> Mean:
        """A column over the seeds.

        Raises:
            UserError: it is missing or not of numbers.
        """
        try:
            return Mean.of([float(row[column]) for row in self.rows])
        except (KeyError, ValueError):
            raise UserError(
                f"methods.csv: column {column} of {self.method} on {self.set} is no number; "
                "measure it again"
            ) from None


@dataclass(frozen=True, eq=False)
class Tables:
    """What was measured.

    Attributes:
        lines: In the order of the file.
        differences: Rows of the table of differences.
        tuning: Rows of the table of tuning.
    """

    lines: tuple[Line, ...]
    differences: tuple[Row, ...] = ()
    tuning: tuple[Row, ...] = ()

    @classmethod
    def read(cls, folder: Path, name: str = "methods") -> Tables:
        """From ``NAME.csv``, ``NAME-differences.csv`` and ``NAME-tuning.csv``; what is not there is
        empty."""
        by_line: dict[tuple[str, str], list[Row]] = {}
        for row in read_csv(folder / f"{name}.csv"):
            by_line.setdefault((row["set"], row["method"]), []).append(row)
        return cls(
            tuple(Line(name, method, tuple(rows)) for (name, method), rows in by_line.items()),
            tuple(read_csv(folder / f"{name}-differences.csv")),
            tuple(read_csv(folder / f"{name}-tuning.csv")),
        )

    @property
    def sets(self) -> list[str]:
        return list(dict.fromkeys(line.set for line in self.lines))

    def of_set(self, name: str) -> list[Line]:
        """The methods measured on a set."""
        return [line for line in self.lines if line.set == name]

    def line(self, name: str, method: str) -> Line | None:
        """A method on a set, if it was measured."""
        found = (one for one in self.lines if (one.set, one.method) == (name, method))
        return next(found, None)

    def standing(self, name: str, method: str, against: str, score: str) -> str:
        """What is said of a method against another: "better", "worse", "no difference"; "" where
        they were not compared."""
        for row in self.differences:
            if (row["set"], row["method"], row["against"], row["score"]) == (
                name,
                method,
                against,
                score,
            ):
                return row["standing"]
        return ""
