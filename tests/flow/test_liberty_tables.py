# SPDX-License-Identifier: Apache-2.0
"""Tables of slew and load: between their points, beyond them, and of other shapes."""

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop_flow.liberty.parse import parse
from scaledrop_flow.liberty.tables import Bank

TEMPLATES = """\
library (x) {
  t (two) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
            index_1 ("0, 1, 3"); index_2 ("0, 2"); }
  t (turned) { variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
               index_1 ("0, 2"); index_2 ("0, 1, 3"); }
  t (one) { variable_1 : input_transition_time; index_1 ("0, 10"); }
  t (load) { variable_1 : total_output_net_capacitance; index_1 ("0, 10"); }
  t (strange) { variable_1 : path_depth; index_1 ("0, 1"); }
  v (two) { values ("0, 4", "10, 14", "12, 20"); }
  v (turned) { values ("0, 10, 12", "4, 14, 20"); }
  v (one) { values ("5, 25"); }
  v (load) { values ("5, 25"); }
  v (scalar) { values ("7"); }
  v (two) { index_1 ("0, 2, 6"); values ("0, 4", "10, 14", "12, 20"); }
  bad (two) { values ("1, 2, 3"); }
  bad (strange) { values ("1, 2"); }
}
"""
LIBRARY = parse(TEMPLATES)
AXES = {one.name: one for one in LIBRARY.of("t")}


def banked():
    bank = Bank()
    return bank, [bank.add(one, AXES) for one in LIBRARY.of("v")]


def at(which, slew, load):
    bank, numbers = banked()
    tables = np.array([numbers[which]])
    return bank.look_up(tables, np.array([float(slew)]), np.array([float(load)]))[0]


@pytest.mark.parametrize("which", [0, 1])
def test_two_axes_in_either_order(which):
    assert at(which, 0, 0) == 0 and at(which, 3, 2) == 20
    assert at(which, 0.5, 1) == 7  # mean of 0, 4, 10 and 14
    assert at(which, 2, 0) == 11 and at(which, 2, 2) == 17
    # Beyond the last point the last piece goes on, and before the first the first.
    assert at(which, 5, 0) == 14 and at(which, -1, 0) == -10 and at(which, 0, 4) == 8


def test_one_axis_none_and_axes_of_its_own():
    assert at(2, 2.5, 99) == 10 and at(3, 99, 2.5) == 10 and at(4, 3, 4) == 7
    assert at(5, 1, 0) == 5


def test_many_at_once():
    bank, numbers = banked()
    tables = np.array([numbers[4], numbers[0], numbers[2]])
    found = bank.look_up(tables, np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    assert found.tolist() == [7.0, 14.0, 7.0]


def test_what_is_damaged_or_not_known():
    damaged, strange = LIBRARY.of("bad")
    with pytest.raises(UserError) as caught:
        Bank().add(damaged, AXES)
    assert str(caught.value) == (
        "liberty: a table bad (two) has 3 values for axes of [3, 2]; the file is damaged"
    )
    with pytest.raises(UserError) as caught:
        Bank().add(strange, AXES)
    assert str(caught.value) == "liberty: tables over path_depth are not known; use NLDM tables"
