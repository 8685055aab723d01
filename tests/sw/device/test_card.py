# SPDX-License-Identifier: Apache-2.0
"""Device cards: the ones that ship are sound, and a broken one is refused by name."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from device_cards import card, document, plain, write

from scaledrop.device.card import SIGMAS
from scaledrop.device.card_file import CARDS, card_names, load_card, save_card
from scaledrop.device.parameter import Trust
from scaledrop.device.quantities import QUANTITIES
from scaledrop.errors import UserError


def refused(folder: Path, content: Any) -> str:
    with pytest.raises(UserError) as caught:
        load_card(write(folder, content))
    message = str(caught.value)
    assert "\n" not in message and message.startswith("card mine.yaml: ")
    return message.removeprefix("card mine.yaml: ")


@pytest.mark.parametrize("name", card_names())
def test_every_card_that_ships_names_its_sources_and_what_is_unverified(name: str) -> None:
    found = load_card(name)
    assert found.name == name and found.title and found.description
    for key, one in found.parameters.items():
        assert one.source, key
        if re.search("^assumed|typical|usual|customary|remembered", one.source):
            assert one.label is Trust.UNVERIFIED, key
        reach = SIGMAS * found.device_sigma(key)
        assert QUANTITIES[key].low <= found.si(key) - reach, key


def test_at_least_four_cards_and_both_laws_ship() -> None:
    assert {"hikstor80", "foundry1ns", "she100", "lowbarrier40"} <= set(card_names())
    assert {load_card(name).law.value for name in card_names()} == {"empirical", "macrospin"}


def test_values_and_spreads_are_in_si() -> None:
    found = card(
        pulse=plain(0.75, "ns"),
        tmr=plain(120, "%", spread=4),
        write_resistance=plain(0.8, "kOhm", spread_relative=0.05, cycle_relative=0.01),
    )
    assert found.si("pulse") == pytest.approx(0.75e-9, rel=1e-12, abs=0)
    assert found.si("tmr") == pytest.approx(1.2)
    assert found.device_sigma("tmr") == pytest.approx(0.04)
    assert found.device_sigma("write_resistance") == pytest.approx(40)
    assert found.cycle_sigma("write_resistance") == pytest.approx(8)
    assert found.si("back_hop") == 0 and found.si("retention") == math.inf
    assert found.device_sigma("back_hop") == 0


def test_a_card_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    for name in card_names():
        save_card(load_card(name), tmp_path / "again.yaml")
        assert load_card(tmp_path / "again.yaml") == load_card(name)


def test_a_macrospin_card_needs_an_anisotropy(tmp_path: Path) -> None:
    found = yaml.safe_load((CARDS / "lowbarrier40.yaml").read_text())
    del found["parameters"]["mu0_hk"]
    assert refused(tmp_path, found) == "parameters has neither mu0_hk nor k_i; add one of them"
    assert math.isnan(load_card("lowbarrier40").si("k_i"))


def unit_missing() -> dict[str, Any]:
    found = document()
    del found["parameters"]["slope"]["unit"]
    return found


BROKEN: list[tuple[Any, str]] = [
    (unit_missing(), "parameters.slope.unit: missing; add unit: 1/V"),
    (
        document(pulse=plain(1, "V")),
        "parameters.pulse: unit 'V' is no unit of time; give the value in s or ms or us or ns or "
        "ps or year",
    ),
    (
        document(write_resistance=plain(-800, "Ohm")),
        "parameters.write_resistance: value -800 Ohm must be above 0",
    ),
    (
        document(reset_failure=plain(3, "%"), back_hop=plain(130, "%")),
        "parameters.back_hop: value 130 % must be 0 % to 100 %",
    ),
    (
        document(vth_1ns=plain(1, "V")),
        "parameters.vth_1ns: unknown parameter; did you mean v_th_1ns?",
    ),
    (document(colour=plain(1, "V")), "parameters.colour: unknown parameter; remove it"),
    (
        document(slope=plain(40, "1/V", sigma=2)),
        "parameters.slope.sigma: unknown field with value 2; did you mean spread?",
    ),
    (
        document({"colour": "red"}),
        "colour: unknown field with value 'red'; remove it",
    ),
    (
        document(slope=None),
        "parameters has no slope (4 dP/dV at half height); add it with its value in 1/V, unit, "
        "source and label",
    ),
    (
        document(alpha=plain(0.1, "1")),
        "parameters.alpha: belongs to law macrospin, not empirical; remove it",
    ),
    (
        document(slope=plain(40, "1/V", cycle=1)),
        "parameters.slope: cycle is modelled for dac_full_scale, sense_offset, v_th_1ns, "
        "write_resistance only; remove it here",
    ),
    (
        document(pulse=plain(1, "ns", spread=0.1)),
        "parameters.pulse: spread is not modelled for it; remove it here",
    ),
    (
        document(read_time=plain(-1, "ns")),
        "parameters.read_time: value -1 ns must be above 0",
    ),
    (
        document(dac_bits=plain(17, "bit")),
        "parameters.dac_bits: value 17 bit must be 1 bit to 16 bit",
    ),
    (
        document(slope=plain(40, "1/V", spread_relative=0.3)),
        "parameters.slope: spread 12 1/V is too wide: 4 sigma from 40 1/V must be above 0; "
        "give a smaller spread",
    ),
    (
        document(slope=plain(40, "1/V", spread=-1)),
        "parameters.slope: spread must be a finite number, 0 or more, not -1",
    ),
    (
        document(slope=plain(40, "1/V", spread=1, spread_relative=0.1)),
        "parameters.slope: spread is given twice; keep spread or spread_relative",
    ),
    (
        document(slope=plain("40/V", "1/V")),
        "parameters.slope.value: must be a number; give the unit apart, not '40/V'",
    ),
    (
        document(slope=plain(math.nan, "1/V")),
        "parameters.slope: value is not a number; leave the parameter out or measure it",
    ),
    (
        document(pulse=plain(math.inf, "ns")),
        "parameters.pulse: value inf must be finite; measure it or leave it out",
    ),
    (
        document(slope=plain(40, "1/V", source=" ")),
        "parameters.slope: source is empty; name the paper, tool or calculation",
    ),
    (
        document(slope=plain(40, "1/V", label="MEM")),
        "parameters.slope.label: Input should be 'S', 'S-abs', 'S-sec', 'RUN', 'CALC' or "
        "'unverified', not 'MEM'",
    ),
    (document(dac_bits=plain(9.5, "bit")), "parameters.dac_bits: value 9.5 must be a whole number"),
    (document({"law": "llg"}), "law: Input should be 'empirical' or 'macrospin', not 'llg'"),
    (document({"reset_state": "up"}), "reset_state 'up' is unknown; give P or AP"),
    (document({"name": "a b"}), "name: 'a b' must be 1 to 64 letters, digits, '-' and '_' only"),
    (
        document(stuck_reset=plain(0.6, "1"), stuck_switched=plain(0.6, "1")),
        "stuck_reset and stuck_switched add up to more than 1; lower one",
    ),
    ("- 1", "must be a mapping with name, law and parameters; see hikstor80.yaml"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN, ids=[m[:40] for _, m in BROKEN])
def test_a_broken_card_is_refused_by_name(tmp_path: Path, content: Any, message: str) -> None:
    assert refused(tmp_path, content) == message


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "a: [").startswith("is not YAML (while parsing")
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"card mine\.yaml: cannot be read"):
        load_card(tmp_path / "mine.yaml")
    with pytest.raises(UserError) as caught:
        load_card("hikstor8")
    known = ", ".join(card_names())
    assert str(caught.value) == (
        f"card: no file hikstor8.yaml; give a YAML file or one of: {known}"
    )


def test_exponents_without_a_dot_are_numbers(tmp_path: Path) -> None:
    text = write(tmp_path, document(endurance=plain(1.5, "writes"))).read_text()
    path = write(tmp_path, text.replace("value: 1.5", "value: 1e12"))
    assert load_card(path).si("endurance") == 1e12
