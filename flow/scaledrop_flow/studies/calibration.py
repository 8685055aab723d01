# SPDX-License-Identifier: Apache-2.0
"""The calibrator on wafers: which share of the devices holds its probability, and how soon.

The devices are those of :func:`scaledrop.device.devices.draw`, with every defect of their card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from scaledrop.device.card_file import load_card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices, draw, nominal
from scaledrop.device.energy import bit_cost
from scaledrop.device.wafer import dac_bits, long_run, trim
from scaledrop.errors import UserError
from scaledrop_flow.studies.calibration_run import PROBABILITIES, Run

__all__ = ["TOLERANCE", "WAFERS", "calibration_study", "wafer_of"]

Table = npt.NDArray[np.float64]
TOLERANCE = 0.01
DEVICES, SEED = 300, 1
WAFERS = {
    "hikstor80": ("hikstor80", None),
    "hikstor80, offset 3.9 mV": ("hikstor80", 3.9e-3),
    "foundry1ns": ("foundry1ns", None),
    "foundry1ns, offset 3.9 mV": ("foundry1ns", 3.9e-3),
    "she100": ("she100", None),
    "lowbarrier40": ("lowbarrier40", None),
}
"""Card, and the spread of the amplifier's offset in volts where it is not the card's."""
CORNERS = ((27, 1.0), (-40, 0.9), (-40, 1.1), (125, 0.9), (125, 1.1))
"""Celsius and supply."""
SETTLED, IN_USE = 64, 256
"""Windows after the search until use is taken to begin, and windows of use."""
EPOCHS, EPOCH_WINDOWS, SECTION = 96, 128, 8
GRID_C = (-40.0, 0.0, 27.0, 55.0, 90.0, 125.0)
TURNS = ([27, 125, -40, 27], [1.0, 1.1, 0.9, 1.0])
"""Temperature and supply of the sweep, straight from turn to turn."""


def wafer_of(name: str, count: int = DEVICES) -> Devices:
    """Devices of an entry of :data:`WAFERS`.

    Raises:
        UserError: bits of the card depend on the bit before.
    """
    card, offset = WAFERS[name]
    devices = draw(load_card(card), count, SEED)
    if np.any(devices["reset_failure"]):
        raise UserError(f"{card}: reset_failure: must be 0 here, the study counts by windows")
    if offset is None:
        return devices
    scaled = devices["sense_offset"] * (offset / devices.card.device_sigma("sense_offset"))
    return replace(devices, values={**devices.values, "sense_offset": np.asarray(scaled)})


def _table(devices: Devices, celsius: float, supply: float) -> Table:
    """P (N, DAC codes)."""
    conditions = Conditions(temperature_k=celsius + 273.15, supply=supply)
    return long_run(devices, np.arange(2 ** dac_bits(devices))[None, :], conditions)


def _between(devices: Devices, celsius: float, supply: float) -> Table:
    """P at any temperature: the logit is straight between those of the grid."""
    low, high = next(pair for pair in pairwise(GRID_C) if pair[0] <= celsius <= pair[1])
    part = (celsius - low) / (high - low)
    ends = [logit(np.clip(_table(devices, t, supply), 1e-9, 1 - 1e-9)) for t in (low, high)]
    return np.asarray(expit((1 - part) * ends[0] + part * ends[1]))


def _sweep(devices: Devices) -> list[Table]:
    at, turns = np.linspace(0, 3, EPOCHS), np.arange(4)
    path = zip(*(np.interp(at, turns, one) for one in TURNS), strict=True)
    return [_between(devices, float(celsius), float(supply)) for celsius, supply in path]


@dataclass(frozen=True)
class _Scene:
    """What the devices are put through, and what they do with codes that stay."""

    name: str
    tables: list[Table]

    def reached(self, p: float) -> npt.NDArray[np.bool_]:
        """(N,) devices for which some code gives p within the tolerance, at each moment."""
        near = [
            (one.min(axis=1) <= p + TOLERANCE) & (one.max(axis=1) >= p - TOLERANCE)
            for one in self.tables
        ]
        return np.asarray(np.all(near, axis=0))

    def fixed(self, p: float, codes: npt.NDArray[np.int64]) -> float:
        """Share of devices whose mean P is within the tolerance at codes (N, 1) that stay."""
        mean = np.mean([np.take_along_axis(one, codes, axis=1) for one in self.tables], axis=0)
        return float(np.mean(np.abs(mean - p) <= TOLERANCE))


def _rows(name: str, scene: _Scene, run: Run, use: slice, extra: dict[str, Table]) -> Iterator[Any]:
    """One row for each probability; ``extra`` (N,) gives medians and largest values."""
    devices, error = run.devices, run.mean(run.error, use)
    held = np.abs(error) <= TOLERANCE
    rms = np.sqrt(run.mean(np.square(run.error), use))
    for p in PROBABILITIES:
        mine, reached = run.p == p, scene.reached(p)
        good = mine.copy()
        good[mine] = reached & (run.lock_bits[mine] >= 0)
        common = trim(nominal(devices.card), p)
        own = trim(devices, p)
        yield {
            "wafer": name,
            "scene": scene.name,
            "probability": p,
            "devices": len(devices),
            "held_one_code": scene.fixed(p, np.broadcast_to(common, own.shape)),
            "held_own_code": scene.fixed(p, own),
            "held_calibrated": float(held[mine].mean()),
            "within_reach": float(reached.mean()),
            "held_of_reach": float(held[mine][reached].mean()) if reached.any() else "",
            "worst_of_reach": float(np.nanmax(np.abs(error[good]))) if good.any() else "",
            "loop_rms": float(np.median(rms[good])) if good.any() else "",
            "losses": int(run.losses[good].sum()),
            "windows": int(good.sum() * len(run.error)),
            **{
                f"{key}_{kind}": float(find(value[good]))
                for key, value in extra.items()
                for kind, find in (("median", np.median), ("largest", np.max))
                if good.any()
            },
            "search_bits": run.bank.config.search_bits,
        }


def _begun(devices: Devices, table: Table) -> Run:
    """After the search, and time to lock."""
    run = Run(devices, SEED)
    return run.windows(table, run.bank.config.steps + SETTLED)


def _steady(name: str, devices: Devices) -> Iterator[Any]:
    """Each corner, the search included."""
    bit_s = bit_cost(devices, np.zeros((1, 1)), Conditions()).time_s
    for celsius, supply in CORNERS:
        scene = _Scene(f"{celsius} C, supply {supply:g}", [_table(devices, celsius, supply)])
        run = _begun(devices, scene.tables[0]).windows(scene.tables[0], IN_USE)
        locked = run.lock_bits.astype(np.float64)
        extra = {"lock_bits": locked, "lock_us": locked * bit_s * 1e6}
        yield from _rows(name, scene, run, slice(-IN_USE, None), extra)


def _swept(name: str, devices: Devices) -> Iterator[Any]:
    """Searched at 27 C; then temperature and supply go to their ends and back."""
    scene = _Scene("sweep in use", _sweep(devices))
    run = _begun(devices, scene.tables[0])
    for table in scene.tables:
        run.windows(table, EPOCH_WINDOWS)
    length = SECTION * EPOCH_WINDOWS
    starts = range(-EPOCHS * EPOCH_WINDOWS, 0, length)
    parts = [run.mean(run.error, slice(at, at + length or None)) for at in starts]
    worst = np.nanmax(np.abs(parts), axis=0, initial=0.0)
    use = slice(-EPOCHS * EPOCH_WINDOWS, None)
    yield from _rows(name, scene, run, use, {"section_error": worst})


def _jumped(name: str, devices: Devices) -> Iterator[Any]:
    """Searched at the nominal supply, which then jumps by 10 %."""
    before, after = (_table(devices, 27, supply) for supply in (1.0, 1.1))
    run = _begun(devices, before).windows(after, SETTLED + IN_USE)
    jump = slice(-SETTLED - IN_USE, None)
    near = np.abs(run.error[jump]) <= 2 * TOLERANCE
    ends = np.cumsum(run.bits[jump], axis=0)
    recovered = np.where(near.any(axis=0), ends[near.argmax(axis=0), range(len(run.p))], np.inf)
    scene = _Scene("supply jumps to 1.1", [after])
    yield from _rows(name, scene, run, slice(-IN_USE, None), {"recovery_bits": recovered})


def calibration_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each wafer, scene and probability."""
    for name in WAFERS:
        devices = wafer_of(name)
        for part in (_steady, _swept, _jumped):
            progress(f"{name}: {part.__name__.strip('_')}")
            yield from part(name, devices)
