# SPDX-License-Identifier: Apache-2.0
"""Wires: the exact nodal solution of a tile with resistive word lines and bit lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from scaledrop.errors import UserError

__all__ = ["WireModel", "transfer"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WireModel:
    """Resistances of a tile's wires, in ohms, all > 0.

    Attributes:
        row_ohm: of a word line between two neighbouring devices.
        column_ohm: of a bit line between two neighbouring devices.
        driver_ohm: of a word line's driver up to the first device.
        sense_ohm: of a bit line from the last device to the virtual ground of its converter.

    Raises:
        UserError: a value that is not a number above 0.
    """

    row_ohm: float = 1.0
    column_ohm: float = 1.0
    driver_ohm: float = 1.0
    sense_ohm: float = 1.0

    def __post_init__(self) -> None:
        for name in ("row_ohm", "column_ohm", "driver_ohm", "sense_ohm"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UserError(
                    f"{name}: must be a number above 0, not {value}; leave wires out for none"
                )


def transfer(conductances: Floats, wires: WireModel) -> Floats:
    """(R, C) siemens: the current into the virtual ground of bit line c for one volt on word line r
    and none on the others.

    The network of resistors is linear, so the currents of any drive are a product with this matrix:
    what is solved once, exactly, serves every input. An undriven word line is held at zero volts.

    Args:
        conductances: (R, C) of the devices, word line by bit line, drivers at column 0 and
            converters behind row R - 1; any of them may be 0.

    Source: Kirchhoff's current law at the two ends of every device; no approximation.
    """
    rows, columns = conductances.shape
    matrix = _nodal(conductances, wires)
    solver = splu(matrix)
    word = np.arange(rows) * columns
    bit = rows * columns + (rows - 1) * columns + np.arange(columns)
    drive, sense = 1.0 / wires.driver_ohm, 1.0 / wires.sense_ohm
    # The matrix is symmetric: solve for whichever side has fewer lines.
    if columns <= rows:
        return np.asarray(solver.solve(_unit(bit, matrix.shape[0]))[word] * (drive * sense))
    return np.asarray(solver.solve(_unit(word, matrix.shape[0]))[bit].T * (drive * sense))


def _unit(nodes: npt.NDArray[np.int64], size: int) -> Floats:
    sides = np.zeros((size, len(nodes)))
    sides[nodes, np.arange(len(nodes))] = 1.0
    return sides


def _nodal(conductances: Floats, wires: WireModel) -> coo_matrix:
    """Conductance matrix: nodes of the word lines row by row, then those of the bit lines."""
    rows, columns = conductances.shape
    word = np.arange(rows * columns).reshape(rows, columns)
    bit = word + rows * columns
    size = 2 * rows * columns
    edges = [
        (word, bit, conductances),
        (word[:, :-1], word[:, 1:], np.full((rows, columns - 1), 1.0 / wires.row_ohm)),
        (bit[:-1], bit[1:], np.full((rows - 1, columns), 1.0 / wires.column_ohm)),
    ]
    one, other, value = (
        np.concatenate([np.ravel(edge[part]) for edge in edges]) for part in range(3)
    )
    ground = np.zeros(size)
    ground[word[:, 0]] = 1.0 / wires.driver_ohm
    ground[bit[-1]] = 1.0 / wires.sense_ohm
    diagonal = ground + np.bincount(one, value, size) + np.bincount(other, value, size)
    nodes = np.arange(size)
    return coo_matrix(
        (
            np.concatenate([-value, -value, diagonal]),
            (np.concatenate([one, other, nodes]), np.concatenate([other, one, nodes])),
        ),
        shape=(size, size),
    ).tocsc()
