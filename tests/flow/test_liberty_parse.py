# SPDX-License-Identifier: Apache-2.0
"""Liberty text as a tree, whatever its habits."""

import pytest

from scaledrop.errors import UserError
from scaledrop_flow.liberty.parse import parse

TEXT = """\
/* a licence { with a brace */
library ("one") { // named
  time_unit : "1ns";
  capacitive_load_unit (1, pf);
  wire_load ("w") { fanout_length (1, 2.5); fanout_length( 2 , 4 ); }
  cell (A) {
area : 0.0729
    leakage_power () { when : "(A * !Y)"; value : 1.5; }
    pin ("a,b") { direction : input; values ( "1, 2", \\
      "3, 4" ); }
  };
}
"""


def test_groups_attributes_and_their_habits():
    library = parse(TEXT)
    assert (library.kind, library.name) == ("library", "one")
    assert library.simple == {"time_unit": "1ns", "capacitive_load_unit": "1,pf"}
    wires, cell = library.groups
    assert wires.many["fanout_length"] == ["1,2.5", "2,4"]
    # Without a semicolon an attribute ends with its line.
    assert cell.number("area", 0) == 0.0729 and cell.number("height", 7) == 7
    leakage, pin = cell.groups
    assert leakage.simple["when"] == "(A * !Y)" and pin.name == "a,b"
    assert pin.simple["values"] == "1, 2,3, 4"
    assert [one.name for one in library.of("cell")] == ["A"] and library.first("bus") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("module x;", "the file does not begin with a library group; give a Liberty file"),
        ("library (x) { cell (A) { area : 1;", "cell A is not closed; the file is cut off"),
        (
            "library (x) { cell A }",
            "'cell' in library x is neither an attribute nor a group; correct the file",
        ),
    ],
)
def test_what_is_no_liberty(text, said):
    with pytest.raises(UserError) as caught:
        parse(text)
    assert str(caught.value) == f"liberty: {said}"


def test_a_number_that_is_none():
    cell = parse("library (x) { cell (A) { area : big; } }").groups[0]
    with pytest.raises(UserError) as caught:
        cell.number("area", 0)
    assert str(caught.value) == "liberty: area of cell A is 'big', not a number; correct it"
