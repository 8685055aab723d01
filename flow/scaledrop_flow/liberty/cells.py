# SPDX-License-Identifier: Apache-2.0
"""What a library says of its cells: pins, arcs, setup times, energies, leakage; wires by load."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop_flow.liberty.parse import Group, parse
from scaledrop_flow.liberty.tables import Axes, Bank, numbers

__all__ = [
    "FALL",
    "RISE",
    "Arc",
    "CellData",
    "Check",
    "LibraryData",
    "Pin",
    "PowerTables",
    "Wires",
    "read_cells",
]

Floats = npt.NDArray[np.float64]

RISE, FALL = 0, 1
_PREFIX = {"k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18}
_UNIT = re.compile(r'"?\s*([0-9.]+)\s*([kmunpfa]?)[a-zA-Z]+')
_SENSES = {
    "positive_unate": ((RISE, RISE), (FALL, FALL)),
    "negative_unate": ((RISE, FALL), (FALL, RISE)),
    "non_unate": ((RISE, RISE), (FALL, FALL), (RISE, FALL), (FALL, RISE)),
}
_LOGIC = {"": (RISE, FALL), "combinational": (RISE, FALL)} | {
    "combinational_rise": (RISE,),
    "combinational_fall": (FALL,),
}
"""Type of an arc through logic to the changes of the output that it gives."""
_DELAYS = ("cell_rise", "cell_fall")
_SLEWS = ("rise_transition", "fall_transition")
_CONSTRAINTS = ("rise_constraint", "fall_constraint")
_POWERS = ("rise_power", "fall_power")


@dataclass(frozen=True)
class Arc:
    """One change of an output that one change of an input causes.

    Attributes:
        source, target: Pins.
        cause, change: RISE or FALL of each.
        delay, slew: Numbers of tables.
        clocked: The source is a clock pin, and its change the active edge.
    """

    source: str
    target: str
    cause: int
    change: int
    delay: int
    slew: int
    clocked: bool


@dataclass(frozen=True)
class Check:
    """Setup time of a pin before the rising clock edge: tables for a rise and for a fall."""

    pin: str
    clock: str
    tables: tuple[int | None, int | None]


@dataclass(frozen=True)
class PowerTables:
    """Numbers of the tables of internal energy for a rise and for a fall of a pin.

    Attributes:
        supply: The pin that it flows through; empty where the file does not say.
        conditioned: Whether it holds under a condition.
    """

    supply: str
    conditioned: bool
    rise: int | None
    fall: int | None


@dataclass
class Pin:
    """A pin. ``load`` has the capacitance for a rise and for a fall.

    Attributes:
        function: What an output gives, as the file writes it.
        most_load: Capacitance that an output may drive; infinite where the file does not say.
        passive: Its own energy.
        driven: Input pin to an output's energy when that input causes the change.
    """

    name: str
    is_output: bool
    load: tuple[float, float]
    function: str = ""
    most_load: float = math.inf
    passive: list[PowerTables] = field(default_factory=list)
    driven: dict[str, list[PowerTables]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class CellData:
    """A cell; ``leakage`` in watts, ``area`` in um2, ``grounds`` the names of its ground pins."""

    name: str
    pins: dict[str, Pin]
    arcs: list[Arc]
    checks: list[Check]
    leakage: float
    grounds: frozenset[str]
    area: float = 0.0

    @cached_property
    def clocks(self) -> set[str]:
        """Pins at which a clock is awaited."""
        return {one.clock for one in self.checks} | {one.source for one in self.arcs if one.clocked}


@dataclass(frozen=True)
class Wires:
    """A wire-load model: capacitance and resistance by fan-out, in the library's units."""

    capacitance: float
    resistance: float
    slope: float
    lengths: tuple[tuple[float, float], ...]

    def length(self, fanout: Floats) -> Floats:
        """By linear interpolation, and by the slope beyond the last fan-out."""
        if not self.lengths:
            return np.zeros(fanout.shape)
        at, length = np.array(self.lengths).T
        beyond = np.maximum(fanout - at[-1], 0) * self.slope
        first = np.where(fanout < at[0], fanout / at[0], 1.0)
        result: Floats = np.interp(fanout, at, length) * first + beyond
        return result


NO_WIRES = Wires(0.0, 0.0, 0.0, ())


@dataclass
class LibraryData:
    """The cells of a library with their tables.

    Attributes:
        time_s, load_f, energy_j: What a unit of its tables is.
        ohm_load: What a unit of resistance times one of load is, in units of time.
        supply_v: Volts.
        wires: The default wire-load model.
    """

    cells: dict[str, CellData]
    bank: Bank
    time_s: float
    load_f: float
    energy_j: float
    supply_v: float
    wires: Wires
    ohm_load: float = 1.0


def _unit(group: Group, name: str, default: str) -> float:
    text = group.simple.get(name, default)
    found = _UNIT.match(text)
    if found is None:
        raise UserError(f"liberty: {name} is {text!r}; give for example {default}")
    return float(found[1]) * _PREFIX[found[2]]


def _load_unit(group: Group) -> float:
    value, _, unit = group.simple.get("capacitive_load_unit", "1,pf").partition(",")
    return float(value) * _PREFIX[unit.strip().lower()[:-1]]


class _CellReader:
    """Reads cells of one file into a bank that several files share."""

    def __init__(self, library: Group, bank: Bank) -> None:
        self.library, self.bank = library, bank
        kinds = ("lu_table_template", "power_lut_template")
        self.templates: Axes = {one.name: one for kind in kinds for one in library.of(kind)}
        self.leakage_w = _unit(library, "leakage_power_unit", "1nW")
        self.input_load = library.number("default_input_pin_cap", 0.0)

    def table(self, group: Group, kind: str) -> int | None:
        inside = group.first(kind)
        return None if inside is None else self.bank.add(inside, self.templates)

    def pin(self, group: Group, name: str) -> Pin:
        is_output = group.simple.get("direction") == "output"
        plain = group.number("capacitance", 0.0 if is_output else self.input_load)
        load = tuple(group.number(f"{one}_capacitance", plain) for one in ("rise", "fall"))
        function = group.simple.get("function", "").strip("() ")
        most = group.number("max_capacitance", math.inf)
        pin = Pin(name, is_output, (load[0], load[1]), function, most)
        for power in group.of("internal_power"):
            supply = power.simple.get("related_pg_pin", "")
            rise, fall = (self.table(power, kind) for kind in _POWERS)
            if rise is None and fall is None:
                rise = fall = self.table(power, "power")
            tables = PowerTables(supply, "when" in power.simple, rise, fall)
            related = power.simple.get("related_pin", "").split()
            for source in related:
                pin.driven[source].append(tables)
            if not related:
                pin.passive.append(tables)
        return pin

    def arcs(self, timing: Group, target: str) -> Iterator[Arc]:
        kind = timing.simple.get("timing_type", "")
        clocked = kind == "rising_edge"
        if not clocked and kind not in _LOGIC:
            return
        changes = (RISE, FALL) if clocked else _LOGIC[kind]
        pairs = [(RISE, RISE), (RISE, FALL)]
        if not clocked:
            pairs = list(_SENSES[timing.simple.get("timing_sense", "non_unate")])
        for change in changes:
            delay, slew = self.table(timing, _DELAYS[change]), self.table(timing, _SLEWS[change])
            if delay is None or slew is None:
                continue
            for source in timing.simple["related_pin"].split():
                for cause, effect in pairs:
                    if effect == change:
                        yield Arc(source, target, cause, change, delay, slew, clocked)

    def checks(self, timing: Group, pin: str) -> Iterator[Check]:
        if timing.simple.get("timing_type") == "setup_rising":
            rise, fall = (self.table(timing, kind) for kind in _CONSTRAINTS)
            for clock in timing.simple["related_pin"].split():
                yield Check(pin, clock, (rise, fall))

    def leakage(self, group: Group) -> float:
        """``cell_leakage_power``, or the mean over the conditions, summed over the supplies."""
        if "cell_leakage_power" in group.simple:
            return group.number("cell_leakage_power", 0.0) * self.leakage_w
        by_supply: dict[str, list[tuple[bool, float]]] = defaultdict(list)
        for one in group.of("leakage_power"):
            supply = one.simple.get("related_pg_pin", "")
            by_supply[supply].append(("when" in one.simple, one.number("value", 0.0)))
        return sum(_mean_leakage(values) for values in by_supply.values()) * self.leakage_w

    def cell(self, group: Group) -> CellData:
        grounds = frozenset(
            pin.name
            for pin in group.of("pg_pin")
            if pin.simple.get("pg_type", "").endswith("ground")
        )
        data = CellData(
            group.name, {}, [], [], self.leakage(group), grounds, group.number("area", 0.0)
        )
        for pin in group.of("pin"):
            for name in pin.name.split(","):
                data.pins[name] = self.pin(pin, name)
                for timing in pin.of("timing"):
                    data.arcs += self.arcs(timing, name)
                    data.checks += self.checks(timing, name)
        return data


def _mean_leakage(values: Sequence[tuple[bool, float]]) -> float:
    plain = [value for conditioned, value in values if not conditioned]
    chosen = plain or [value for _, value in values]
    return float(np.mean(chosen))


def _wires(library: Group) -> Wires:
    name = library.simple.get("default_wire_load")
    for one in library.of("wire_load"):
        if one.name == name:
            pairs = (numbers(text) for text in one.many.get("fanout_length", []))
            lengths = sorted((pair[0], pair[1]) for pair in pairs)
            capacitance, resistance, slope = (
                one.number(what, 0.0) for what in ("capacitance", "resistance", "slope")
            )
            return Wires(capacitance, resistance, slope, tuple(lengths))
    return NO_WIRES


def read_cells(files: Iterable[Path]) -> LibraryData:
    """The cells of one library, which may come in several files.

    Raises:
        UserError: a file is no Liberty, damaged, or its tables are not over slew and load.
    """
    bank = Bank()
    cells: dict[str, CellData] = {}
    libraries = [parse(path.read_text()) for path in files]
    for library in libraries:
        reader = _CellReader(library, bank)
        cells |= {group.name: reader.cell(group) for group in library.of("cell")}
    head = libraries[0]
    load = _load_unit(head)
    volts = _unit(head, "voltage_unit", "1V")
    supply = head.number("nom_voltage", 1.0) * volts
    time = _unit(head, "time_unit", "1ns")
    ohms = _unit(head, "pulling_resistance_unit", "1kohm")
    energy, wires = load * volts**2, _wires(head)
    return LibraryData(cells, bank, time, load, energy, supply, wires, ohms * load / time)
