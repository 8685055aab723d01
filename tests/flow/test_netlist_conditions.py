# SPDX-License-Identifier: Apache-2.0
"""Power tables under conditions: one stays for each input."""

from scaledrop_flow.netlist.conditions import without_conditions


def table(value, when="", related="", supply=""):
    lines = [f'when : "{when}";'] * bool(when) + [f'related_pin : "{related}";'] * bool(related)
    lines += [f"related_pg_pin : {supply};"] * bool(supply)
    body = "".join(f"    {line}\n" for line in lines)
    values = f'    rise_power (t) {{\n      values ("{value}");\n    }}\n'
    return f"  internal_power () {{\n{body}{values}  }}\n"


def pin(name, *tables):
    return f"pin ({name}) {{\n{''.join(tables)}}}\n"


def test_the_first_of_each_input_and_supply_stays():
    text = pin(
        "Y",
        table(1, "B", "A"),
        table(2, "!B", "A"),
        table(3, "", "B"),
        table(4, "A", "C", "VDD"),
        table(5, "A", "C", "VSS"),
        table(6, "!A", "C", "VSS"),
    )
    wanted = pin(
        "Y",
        table(1, "", "A"),
        table(3, "", "B"),
        table(4, "", "C", "VDD"),
        table(5, "", "C", "VSS"),
    )
    kept = [line for line in without_conditions(text).splitlines() if line.strip()]
    assert kept == wanted.splitlines()


def test_pins_do_not_mix_and_inputs_keep_their_conditions():
    clock = pin("CK", table(1, "D"), table(2, "!D"))
    text = clock + pin("Q", table(3, "", "CK")) + pin("QN", table(4, "", "CK"))
    assert without_conditions(text) == text
