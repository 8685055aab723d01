# SPDX-License-Identifier: Apache-2.0
"""Switching counts of a measured device, from a CSV file or from arrays."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.device.law import FloatArray
from scaledrop.errors import UserError

__all__ = ["Counts", "read_counts"]

REQUIRED = ("drive_v", "pulse_ns", "trials", "switched")
OPTIONAL = ("temperature_k",)
ROOM_K = 300.0


@dataclass(frozen=True)
class Counts:
    """Writes of a freshly reset device, and how many of them switched it.

    Attributes:
        drive_v, pulse_s, temperature_k: float64 (N,): volts, seconds, kelvin.
        trials, switched: int64 (N,): ``0 <= switched <= trials``.
        name: What messages call them.
        digest: sha256 of the file, empty without one.
    """

    drive_v: FloatArray
    pulse_s: FloatArray
    temperature_k: FloatArray
    trials: npt.NDArray[np.int64]
    switched: npt.NDArray[np.int64]
    name: str = "counts"
    digest: str = ""

    def __len__(self) -> int:
        return len(self.drive_v)

    @property
    def fraction(self) -> FloatArray:
        """Part of the writes that switched."""
        return self.switched / self.trials

    @property
    def widths(self) -> FloatArray:
        """The different pulse widths, in seconds."""
        return np.unique(self.pulse_s)

    @property
    def temperatures(self) -> FloatArray:
        """The different temperatures, in kelvin."""
        return np.unique(self.temperature_k)

    def require_transition(self) -> None:
        """Refuse counts from which no slope can be had.

        Raises:
            UserError: too few points, no transition, a transition between two points, or a
                switched part that falls with the drive; the message says what to measure.
        """
        needed = 3 + (len(self.widths) > 1) + (len(self.temperatures) > 1)
        if len(self) < needed:
            raise UserError(
                f"{self.name}: {len(self)} points; measure {needed} drive voltages or more, "
                "at least 2 of them where some of the writes switch and some do not"
            )
        fraction = self.fraction
        if fraction.max() == 0 or fraction.min() == 1:
            word, ask = ("no", "above") if fraction.max() == 0 else ("every", "below")
            edge = self.drive_v.max() if fraction.max() == 0 else self.drive_v.min()
            raise UserError(
                f"{self.name}: {word} write switched, so there is no transition; add drive "
                f"voltages {ask} {edge:g} V"
            )
        self._require_points_between()
        settings = np.stack([self.pulse_s, self.temperature_k])
        _, group = np.unique(settings, axis=1, return_inverse=True)
        centred = self.drive_v - _group_means(self.drive_v, group)
        if float(np.sum(centred * fraction)) <= 0:
            raise UserError(
                f"{self.name}: fewer writes switch as drive_v rises; give the magnitude of the "
                "drive, positive towards the switched state"
            )

    def _require_points_between(self) -> None:
        between = (self.switched > 0) & (self.switched < self.trials)
        settings = np.stack([self.pulse_s, self.temperature_k, self.drive_v])[:, between]
        distinct = np.unique(settings, axis=1)
        _, sizes = np.unique(distinct[:2], axis=1, return_counts=True)
        if sizes.size and sizes.max() >= 2:
            return
        low = self.drive_v[self.fraction < 0.5]
        high = self.drive_v[self.fraction > 0.5]
        span = f" between {low.max():g} and {high.min():g} V" if low.size and high.size else ""
        raise UserError(
            f"{self.name}: {distinct.shape[1]} drive voltages where some of the writes switch and "
            f"some do not, so the slope has no upper bound; add drive voltages{span} until there "
            "are 2 or more at one pulse width"
        )


def _group_means(values: FloatArray, group: npt.NDArray[np.intp]) -> FloatArray:
    group = group.ravel()
    return (np.bincount(group, values) / np.bincount(group))[group]


def _cell(row: dict[str, str], column: str, where: str) -> float:
    text = row.get(column, "")
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: {column} {text!r} is not a number; correct it") from None
    if not math.isfinite(value):
        raise UserError(f"{where}: {column} is {text}; leave the row out or measure it again")
    return value


def _count(row: dict[str, str], column: str, where: str) -> int:
    value = _cell(row, column, where)
    if value < 0 or value != int(value):
        raise UserError(f"{where}: {column} {value:g} must be a whole number, 0 or more")
    return int(value)


def _row(row: dict[str, str], where: str) -> tuple[float, float, float, int, int]:
    drive, pulse = _cell(row, "drive_v", where), _cell(row, "pulse_ns", where)
    temperature = _cell(row, "temperature_k", where) if row.get("temperature_k") else ROOM_K
    trials, switched = _count(row, "trials", where), _count(row, "switched", where)
    if pulse <= 0:
        raise UserError(f"{where}: pulse_ns {pulse:g} must be above 0; give it in nanoseconds")
    if temperature <= 0:
        raise UserError(f"{where}: temperature_k {temperature:g} must be above 0; give kelvin")
    if trials == 0:
        raise UserError(f"{where}: trials is 0; leave the row out")
    if switched > trials:
        raise UserError(
            f"{where}: switched {switched} is above trials {trials}; give counts, not percent, and "
            "correct the one that is wrong"
        )
    return drive, pulse * 1e-9, temperature, trials, switched


def _lines(path: Path) -> tuple[bytes, list[tuple[int, list[str]]]]:
    """The bytes of a file, and its cells by line, without comments and empty lines."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise UserError(f"{path}: cannot be read ({reason}); give a CSV file") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            # Line by line, so that a stray quotation mark spoils one line only.
            found.append((number, [cell.strip() for cell in next(csv.reader([line]))]))
        except csv.Error as error:
            raise UserError(f"{path.name} line {number}: is not CSV ({error})") from None
    return data, found


def _check_columns(columns: list[str], name: str) -> None:
    for column in REQUIRED:
        if column not in columns:
            raise UserError(
                f"{name}: has no column {column}; the first line must name "
                f"{', '.join(REQUIRED)} and, if wanted, temperature_k"
            )
    for column in columns:
        if column not in REQUIRED + OPTIONAL:
            raise UserError(f"{name}: unknown column {column!r}; remove it or correct its name")
        if columns.count(column) > 1:
            raise UserError(f"{name}: column {column} is there twice; remove one")


def read_counts(path: Path) -> Counts:
    """Counts from a CSV file with columns drive_v, pulse_ns, trials, switched.

    A column temperature_k is optional: 300 K where it or its value is missing. Lines that begin
    with ``#`` are comments.

    Raises:
        UserError: no such file, a missing or unknown column, or a cell that is no such number.
    """
    data, lines = _lines(path)
    columns = lines[0][1] if lines else []
    _check_columns(columns, path.name)
    rows = []
    for number, cells in lines[1:]:
        where = f"{path.name} line {number}"
        if len(cells) > len(columns):
            raise UserError(
                f"{where}: has {len(cells)} cells for {len(columns)} columns; write decimals with "
                "a point"
            )
        rows.append(_row(dict(zip(columns, cells, strict=False)), where))
    if not rows:
        raise UserError(f"{path.name}: has no measurements; give one line for each drive voltage")
    drive, pulse, temperature, trials, switched = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    digest = hashlib.sha256(data).hexdigest()
    return Counts(drive, pulse, temperature, trials, switched, path.name, digest)
