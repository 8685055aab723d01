# SPDX-License-Identifier: Apache-2.0
"""Bits per second of the modelled device, against plain uniform numbers of NumPy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from scaledrop.device.card import Card
from scaledrop.device.card_file import load_card
from scaledrop.device.chain import spin_words
from scaledrop.device.devices import nominal
from scaledrop.device.parameter import Parameter, Trust
from scaledrop.device.sampler import BLOCK, stream_bits
from scaledrop.device.unit import SpinUnit
from scaledrop.device.wafer import trim
from scaledrop.errors import UserError
from scaledrop_flow.bench.entry import Entry, entry

__all__ = ["device_benchmarks"]

BITS, SEED = 1 << 24, 1
EFFECTS = {
    "reset_failure": (5.0, "%"),
    "drift": (2.0, "mV"),
    "drift_writes": (1e6, "writes"),
}
"""Cycle-to-cycle effects on top of the card's: the previous bit is remembered, the threshold
drifts. The sizes are the benchmark's own."""


def _with_effects(card: Card) -> Card:
    added = {
        name: Parameter(value=value, unit=unit, source="benchmark", label=Trust.UNVERIFIED)
        for name, (value, unit) in EFFECTS.items()
    }
    return card.model_copy(update={"parameters": {**card.parameters, **added}})


def _unit(card: Card) -> tuple[SpinUnit, int]:
    unit = SpinUnit(nominal(card))
    return unit, unit.drive_code(int(trim(unit.device, 0.1).item()))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _draw(unit: SpinUnit, code: int) -> int:
    return sum(int(np.count_nonzero(block)) for block in stream_bits(unit, code, BITS, SEED))


def _uniform() -> None:
    generator = np.random.default_rng(SEED)
    for _ in range(0, BITS, BLOCK):
        generator.random(BLOCK)


def _check(unit: SpinUnit, code: int) -> None:
    """No speed of wrong bits: the stream is that of the unit's tables."""
    count = 3 * BLOCK + 7
    stream = np.concatenate(list(stream_bits(unit, code, count, SEED)))
    if not np.array_equal(stream, unit.bits(code, spin_words(SEED, count))):
        raise UserError("benchmark refused: the stream differs from the unit's own bits")


def device_benchmarks(repeats: int) -> list[Entry]:
    """``device_bits_per_s`` with cycle-to-cycle effects, ``device_vs_generator`` without them.

    Raises:
        UserError: fewer than one repeat, or a stream that is not the unit's.
    """
    if repeats < 1:
        raise UserError(f"repeats: must be 1 or more, not {repeats}")
    card = load_card("hikstor80")
    full, plain = _unit(_with_effects(card)), _unit(card)
    for unit, code in (full, plain):
        _check(unit, code)
    ways: dict[str, Callable[[], object]] = {
        "full": lambda: _draw(*full),
        "plain": lambda: _draw(*plain),
        "generator": _uniform,
    }
    runs = [{name: _seconds(work) for name, work in ways.items()} for _ in range(repeats)]
    note = f"hikstor80 at p = 0.1, one core, {BITS} bits, median of {repeats} runs in turn"
    return [
        entry(
            "device_bits_per_s",
            BITS / statistics.median(run["full"] for run in runs),
            "1/s",
            f"{note}; with jitter, memory of the previous bit and slow drift",
        ),
        entry(
            "device_vs_generator",
            statistics.median(run["generator"] / run["plain"] for run in runs),
            "ratio",
            f"{note}; bits without memory and drift, against Generator.random per number",
        ),
    ]
