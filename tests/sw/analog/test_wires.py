# SPDX-License-Identifier: Apache-2.0
"""Wires: closed forms of small tiles, a dense solution made another way, limits."""

import numpy as np
import pytest

from scaledrop.analog.wires import WireModel, transfer
from scaledrop.errors import UserError

RNG = np.random.default_rng(3)


def test_one_device_is_a_series_of_resistors():
    found = transfer(np.array([[1e-3]]), WireModel(7.0, 9.0, 200.0, 300.0))
    assert found[0, 0] == pytest.approx(1 / (1000 + 200 + 300), rel=1e-12)


def test_two_devices_on_a_word_line_divide_the_current():
    wires = WireModel(row_ohm=100.0, column_ohm=1.0, driver_ohm=50.0, sense_ohm=30.0)
    near, far = 1000.0 + 30, 500.0 + 100 + 30
    volts = (near * far / (near + far)) / (50 + near * far / (near + far))
    found = transfer(np.array([[1 / 1000, 1 / 500]]), wires)
    np.testing.assert_allclose(found[0], [volts / near, volts / far], rtol=1e-12)


@pytest.mark.parametrize("shape", [(5, 4), (4, 7), (1, 3), (6, 1)])
def test_agrees_with_kirchhoff_written_out(shape):
    """Another way: all branch currents and node voltages of one drive as unknowns, dense."""
    rows, columns = shape
    wires = WireModel(3.0, 5.0, 11.0, 13.0)
    cells = RNG.uniform(1e-3, 1e-2, shape)
    volts = RNG.uniform(-1, 1, rows)
    nodes = 2 * rows * columns
    branches = []
    for r in range(rows):
        for c in range(columns):
            word, bit = r * columns + c, rows * columns + r * columns + c
            branches.append((word, bit, 1 / cells[r, c]))
            before = -1 - r if c == 0 else word - 1
            branches.append((before, word, wires.driver_ohm if c == 0 else wires.row_ohm))
            if r + 1 < rows:
                branches.append((bit, bit + columns, wires.column_ohm))
            else:
                branches.append((bit, None, wires.sense_ohm))
    count = len(branches)
    matrix, right = np.zeros((nodes + count, nodes + count)), np.zeros(nodes + count)
    for at, (one, other, ohm) in enumerate(branches):
        # Current from one to other: v(one) - v(other) - ohm i = 0, and it leaves one node.
        matrix[nodes + at, nodes + at] = -ohm
        for node, sign in ((one, 1.0), (other, -1.0)):
            if node is None:
                continue
            if node < 0:
                right[nodes + at] -= sign * volts[-1 - node]
            else:
                matrix[nodes + at, node] = sign
                matrix[node, nodes + at] = sign
    currents = np.linalg.solve(matrix, right)[nodes:]
    out = [currents[at] for at, (_, other, _) in enumerate(branches) if other is None]
    np.testing.assert_allclose(volts @ transfer(cells, wires), out, rtol=1e-9)


def test_thin_wires_lose_and_thick_ones_do_not():
    cells = np.full((16, 8), 1e-4)
    thick, thin = (transfer(cells, WireModel(*[ohm] * 4)) for ohm in (1e-6, 50.0))
    np.testing.assert_allclose(thick, cells, rtol=1e-6)
    assert (thin < cells).all()
    assert thin[-1, 0] == thin.max() and thin[0, -1] == thin.min(), "the far corner loses most"


def test_a_wire_of_no_resistance_is_refused():
    with pytest.raises(UserError) as error:
        WireModel(row_ohm=0.0)
    assert (
        str(error.value) == "row_ohm: must be a number above 0, not 0.0; leave wires out for none"
    )
