# SPDX-License-Identifier: Apache-2.0
"""A library whose tables are planes, so that every delay and energy has a closed form."""

SLEWS, LOADS = (0.1, 1.0), (0.001, 0.1)


def rows(plane):
    """Values of ``a + b slew + c load`` at the corners."""
    a, b, c = plane
    return ", ".join(f'"{", ".join(str(a + b * s + c * x) for x in LOADS)}"' for s in SLEWS)


def table(kind, plane, template="plane"):
    return f"{kind} ({template}) {{ values ({rows(plane)}); }}\n"


def timing(source, sense, delays, slews, kind="combinational"):
    """Planes for a rise and for a fall."""
    tables = (
        table("cell_rise", delays[0]),
        table("cell_fall", delays[1]),
        table("rise_transition", slews[0]),
        table("fall_transition", slews[1]),
    )
    return (
        f'timing () {{ related_pin : "{source}"; timing_sense : {sense}; timing_type : {kind};\n'
        f"{''.join(tables)}}}\n"
    )


def power(rise, fall, source="", when="", supply=""):
    """Constant energies."""
    about = f'related_pin : "{source}"; ' * bool(source) + f'when : "{when}"; ' * bool(when)
    about += f"related_pg_pin : {supply}; " * bool(supply)
    return (
        f'internal_power () {{ {about}rise_power (scalar) {{ values ("{rise}"); }} '
        f'fall_power (scalar) {{ values ("{fall}"); }} }}\n'
    )


def setup(rise, fall):
    tables = table("rise_constraint", rise, "check") + table("fall_constraint", fall, "check")
    return f'timing () {{ related_pin : "CK"; timing_type : setup_rising;\n{tables}}}\n'


def pin(name, inside="", load=(0.002, 0.003)):
    caps = f"rise_capacitance : {load[0]}; fall_capacitance : {load[1]}; "
    return f"pin ({name}) {{ direction : input; {caps}\n{inside}}}\n"


def output(name, function, inside):
    about = f'direction : output; function : "{function}"; max_capacitance : 0.1;'
    return f"pin ({name}) {{ {about}\n{inside}}}\n"


def cell(name, area, body, leakage="cell_leakage_power : 4;"):
    grounds = "pg_pin (VSS) { pg_type : primary_ground; }\n"
    return f"cell ({name}) {{ area : {area}; {leakage}\n{grounds}{body}}}\n"


INV = ((0.10, 0.2, 3.0), (0.20, 0.1, 2.0)), ((0.05, 0.3, 1.0), (0.04, 0.2, 2.0))
"""Delays (rise, fall) and slews (rise, fall), each (constant, by slew, by load)."""
BUF = ((0.3, 0.0, 1.0), (0.3, 0.0, 1.0)), ((0.02, 0.0, 1.0), (0.02, 0.0, 1.0))
DFF = ((0.5, 0.0, 4.0), (0.6, 0.0, 4.0)), ((0.06, 0.0, 2.0), (0.07, 0.0, 2.0))
SETUP = (0.11, 0.5, 0.0), (0.13, 0.25, 0.0)

HEADER = """\
library (planes) {
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  nom_voltage : 1.2;
  lu_table_template (plane) {
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0.1, 1.0"); index_2 ("0.001, 0.1");
  }
  lu_table_template (check) {
    variable_1 : constrained_pin_transition; variable_2 : related_pin_transition;
    index_1 ("0.1, 1.0"); index_2 ("0.001, 0.1");
  }
"""
WIRES = """\
  wire_load (w) {
    capacitance : 0.0001; resistance : 2.0; slope : 5.0;
    fanout_length (1, 10.0); fanout_length (3, 20.0);
  }
  default_wire_load : w;
"""
CELLS = (
    cell("INV", 2, pin("A") + output("Y", "!A", timing("A", "negative_unate", *INV)))
    + cell("BUF", 3, pin("A") + output("Y", "A", timing("A", "positive_unate", *BUF)))
    + cell(
        "NAND",
        3,
        pin("A")
        + pin("B")
        + output(
            "Y",
            "!(A * B)",
            timing("A", "negative_unate", *INV)
            + timing("B", "negative_unate", *INV)
            + power(0.2, 0.4, "A")
            + power(0.6, 0.8, "B"),
        ),
    )
    + cell(
        "DFF",
        9,
        'ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }\n'
        + pin(
            "CK",
            power(0.01, 0.03, when="D*Q")
            + power(0, 0.07, when="D*!Q")
            + power(9, 9)
            + power(5, 5, when="D*Q", supply="VSS"),
        )
        + pin("D", setup(*SETUP) + power(0.5, 0.1))
        + output("Q", "IQ", timing("CK", "non_unate", *DFF, "rising_edge") + power(1.0, 2.0, "CK")),
    )
)


def liberty(wires=False, cells=CELLS):
    return f"{HEADER}{WIRES if wires else ''}{cells}}}\n"
