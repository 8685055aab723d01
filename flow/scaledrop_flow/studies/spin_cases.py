# SPDX-License-Identifier: Apache-2.0
"""What is done to the spin unit: one effect at a time, the rest as trimmed at 300 K."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaledrop.device.card import Card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import STUCK_RESET, STUCK_SWITCHED, Devices, draw, nominal
from scaledrop.device.parameter import Parameter, Trust
from scaledrop.device.wafer import NOMINAL, code_drive, long_run
from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS
from scaledrop_flow.studies.spin_bits import BitSource, Codes, table_bits, trimmed
from scaledrop_flow.studies.spin_held import HeldBits

__all__ = ["Case", "Wafer", "cases", "changed"]

TOLERANCE = 0.02
"""A device that misses its probability by more after the trim is a reject."""
SPARE, WAFER_SEED, DRIFT_SEED = 1.5, 1, 1
ZERO_CELSIUS = 273.15
TEMPERATURES_C = (-40, 0, 27, 40, 60, 85, 125)
SUPPLIES = (0.9, 0.95, 1.0, 1.05, 1.1)
DRIFTS = ((0.0, 1e6), (0.005, 1e6), (0.02, 1e6), (0.02, 1e4))
"""Rms over the drive of the nominal device, and the writes over which it is forgotten: assumed."""
KEPT_STATES = (0.0, 0.05, 0.2, 0.5, 0.9)


@dataclass(frozen=True)
class Case:
    """One row of the study: N devices under one effect."""

    sweep: str
    setting: str
    source: BitSource


def changed(card: Card, name: str, value: float, unit: str) -> Card:
    """``card`` with another value of one parameter, without spread."""
    one = Parameter(value=value, unit=unit, source="set by the study", label=Trust.UNVERIFIED)
    return card.model_copy(update={"parameters": {**card.parameters, name: one}})


class Wafer:
    """Devices of a card and their trim.

    Parameters:
        card: The card.
        drop_codes: Programmed drop code of each layer.
        count: Devices, N.
        writes: Of the longest run.

    Attributes:
        raw, raw_codes: The first N devices drawn, with rejects, and their DAC codes (N, L).
        devices, codes: The first N that hold the probabilities within 0.02, and their codes.

    Raises:
        UserError: more than a third of the devices drawn are rejects.
    """

    def __init__(self, card: Card, drop_codes: Sequence[int], count: int, writes: int) -> None:
        self.card, self.drop_codes, self.writes = card, tuple(drop_codes), writes
        drawn = draw(card, int(np.ceil(count * SPARE)), WAFER_SEED)
        codes = trimmed(drawn, drop_codes)
        miss = np.abs(long_run(drawn, codes) - np.array(drop_codes) / 2**DROP_BITS)
        good = np.flatnonzero((miss <= TOLERANCE).all(axis=1))[:count]
        if len(good) < count:
            raise UserError(
                f"card {card.name}: only {len(good)} of {len(drawn)} devices can be trimmed; "
                "narrow its spreads"
            )
        first = np.arange(count)
        self.raw, self.raw_codes = _rows(drawn, first), codes[first]
        self.devices, self.codes = _rows(drawn, good), codes[good]

    def source(
        self,
        conditions: Conditions = NOMINAL,
        devices: Devices | None = None,
        codes: Codes | None = None,
    ) -> BitSource:
        """Its devices at their codes under other conditions, or others."""
        return table_bits(
            self.devices if devices is None else devices,
            self.codes if codes is None else codes,
            conditions,
            self.writes,
            range(DRIFT_SEED, DRIFT_SEED + len(self.devices)),
        )


def _rows(devices: Devices, rows: np.typing.NDArray[np.intp]) -> Devices:
    values = {name: value[rows] for name, value in devices.values.items()}
    return Devices(devices.card, values, devices.stuck[rows], devices.lifetime[rows])


def cases(wafer: Wafer) -> Iterator[Case]:
    """Every sweep of one card."""
    yield from _bias(wafer)
    yield from _spread(wafer)
    yield from _drift(wafer)
    yield from _memory(wafer)
    for name, stuck in (("never drops", STUCK_RESET), ("always drops", STUCK_SWITCHED)):
        broken = replace(wafer.devices, stuck=np.full_like(wafer.devices.stuck, stuck))
        yield Case("stuck", name, wafer.source(devices=broken))


def _bias(wafer: Wafer) -> Iterator[Case]:
    places = [
        *(
            ("temperature", f"{celsius} C", Conditions(temperature_k=celsius + ZERO_CELSIUS))
            for celsius in TEMPERATURES_C
        ),
        *(("supply", f"{supply:g}", Conditions(supply=supply)) for supply in SUPPLIES),
    ]
    for sweep, setting, at in places:
        yield Case(sweep, setting, wafer.source(at))
    for sweep, setting, at in places:
        held = HeldBits(wafer.devices, wafer.drop_codes, at)
        yield Case(f"{sweep}, calibrated", setting, held)


def _spread(wafer: Wafer) -> Iterator[Case]:
    one = trimmed(nominal(wafer.card), wafer.drop_codes)
    shared = np.broadcast_to(one, wafer.raw_codes.shape)
    yield Case("trim", "each", wafer.source())
    yield Case("trim", "each, rejects kept", wafer.source(NOMINAL, wafer.raw, wafer.raw_codes))
    yield Case("trim", "one code for all", wafer.source(NOMINAL, wafer.raw, shared))
    held = HeldBits(wafer.raw, wafer.drop_codes, NOMINAL)
    yield Case("trim", "calibrated, rejects kept", held)


def _drift(wafer: Wafer) -> Iterator[Case]:
    plain = nominal(wafer.card)
    volts = float(code_drive(plain, trimmed(plain, wafer.drop_codes)).max())
    for part, memory in DRIFTS:
        card = changed(wafer.card, "drift", part * volts, "V")
        card = changed(card, "drift_writes", memory, "writes")
        setting = f"{part:.1%} over {memory:.0e} writes" if part else "0"
        yield Case("drift", setting, wafer.source(devices=replace(wafer.devices, card=card)))


def _memory(wafer: Wafer) -> Iterator[Case]:
    for kept in KEPT_STATES:
        card = changed(wafer.card, "reset_failure", kept, "1")
        devices = replace(wafer.devices, card=card)
        codes = trimmed(devices, wafer.drop_codes)
        yield Case("kept state", f"{kept:g}", wafer.source(devices=devices, codes=codes))
