# SPDX-License-Identifier: Apache-2.0
"""A library of four cells, written by hand."""

HEADER = """\
library (four) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  nom_voltage : 1.2;
  lu_table_template (delay) {
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("0.1, 1.0");
    index_2 ("0.001, 0.1");
  }
"""
TABLE = ' (delay) {\n values ("0.1, 0.2", "0.1, 0.2");\n }\n'
TABLES = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
AREAS = {"BUF": 4, "INV": 2, "NAND": 3, "DFF": 10}
GATES = {"BUF": "A", "INV": "!A", "NAND": "!(A * B)"}
FLIPFLOP = """\
ff (IQ, IQN) {
 clocked_on : "CK";
 next_state : "D";
}
"""


def pin(name, more="direction : input;\n capacitance : 0.001;\n"):
    return f"pin ({name}) {{\n {more}}}\n"


def arc(source):
    tables = "".join(f"{name}{TABLE}" for name in TABLES)
    return f'timing () {{\n related_pin : "{source}";\n {tables}}}\n'


def gate(function):
    inputs = [name for name in "AB" if name in function]
    output = f'direction : output;\n function : "{function}";\n{"".join(map(arc, inputs))}'
    return "".join(map(pin, inputs)) + pin("Y", output)


BODIES = {
    **{name: gate(function) for name, function in GATES.items()},
    "DFF": FLIPFLOP + pin("CK") + pin("D") + pin("Q", 'direction : output;\n function : "IQ";\n'),
}
CELLS = (f"cell ({name}) {{\n area : {AREAS[name]};\n{body}}}\n" for name, body in BODIES.items())
LIBERTY = HEADER + "".join(CELLS) + "}\n"
