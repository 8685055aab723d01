# SPDX-License-Identifier: Apache-2.0
"""Long streams of bits of one device at one code, fast, with memory and drift.

White jitter is folded exactly into the probability, so it costs nothing; the previous bit costs
work for the few words between the two thresholds; drift costs two thresholds for each epoch. The
bits are those of :meth:`SpinUnit.bits` for the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.device.chain import Bits, resolve
from scaledrop.device.defects import bit_probability
from scaledrop.device.drift import drift_path
from scaledrop.device.unit import SpinUnit, to_threshold
from scaledrop.device.wafer import code_drive

__all__ = ["BLOCK", "sample_bits", "stream_bits"]

BLOCK = 1 << 16
"""Words made at once: they stay in the cache."""


def _thresholds(unit: SpinUnit, code: int, epochs: int) -> npt.NDArray[np.uint32]:
    """uint32 (2, epochs): after a 0 and after a 1."""
    codes = unit.dac_code([[code]])
    drive = code_drive(unit.device, codes, unit.conditions)
    drift = drift_path(float(np.asarray(unit.device["drift"]).item()), epochs, unit.drift_seed)[
        None, :
    ]
    conditions = replace(unit.conditions, drift_v=unit.conditions.drift_v + drift)
    found = [bit_probability(unit.device, drive, bit, conditions)[0] for bit in (0, 1)]
    return np.stack([np.broadcast_to(to_threshold(one), (epochs,)) for one in found])


def stream_bits(
    unit: SpinUnit, code: int, count: int, seed: int, previous: int = 0
) -> Iterator[Bits]:
    """``count`` bits in blocks, bool (at most 65536,) each.

    Args:
        unit: The device; its drift begins at its first epoch.
        code: 16-bit drive code of every write.
        count: Number of bits.
        seed: Of the words: :func:`scaledrop.device.chain.spin_words`.
        previous: Bit before the first.

    Raises:
        UserError: an argument is out of range.
    """
    check_integer(code, 0, 2**16 - 1, "drive code")
    check_integer(count, 0, 2**40, "count")
    check_integer(seed, 0, 2**63 - 1, "seed")
    length = unit.epoch_writes or max(1, count)
    after_0, after_1 = _thresholds(unit, code, -(-count // length) or 1).tolist()
    return _blocks(length, after_0, after_1, count, seed, previous)


def _blocks(
    length: int, after_0: list[int], after_1: list[int], count: int, seed: int, previous: int
) -> Iterator[Bits]:
    generator = np.random.PCG64(seed)
    for at in range(0, count, BLOCK):
        raw = np.asarray(generator.random_raw(BLOCK // 2), dtype="<u8").view("<u4")
        words = raw[: count - at]
        bits = np.empty(len(words), dtype=bool)
        done = 0
        while done < len(words):
            epoch = (at + done) // length
            stop = min(len(words), (epoch + 1) * length - at)
            part = resolve(words[done:stop], after_0[epoch], after_1[epoch], previous)
            bits[done:stop], previous, done = part, int(part[-1]), stop
        yield bits


def sample_bits(unit: SpinUnit, code: int, count: int, seed: int, previous: int = 0) -> Bits:
    """All of :func:`stream_bits` in one array: bool (count,)."""
    bits = np.empty(count, dtype=bool)
    at = 0
    for block in stream_bits(unit, code, count, seed, previous):
        bits[at : at + len(block)] = block
        at += len(block)
    return bits
