# SPDX-License-Identifier: Apache-2.0
"""What the bits of a physical device were worth in a run, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.randomness import assess
from scaledrop_cosim.contract import Workload

__all__ = ["drawn_bits", "spin_report"]

ALPHA = 0.01


def drawn_bits(workload: Workload) -> list[npt.NDArray[np.uint8]]:
    """Of each layer the bits in the order in which they were drawn; 1 drops the scale."""
    found: list[list[int]] = [[] for _ in workload.network.layers]
    for visits in workload.walks:
        for visit in visits:
            found[visit.layer] += [1 - bit for bit in visit.bits]
    return [np.array(bits, dtype=np.uint8) for bits in found]


def _layer(bits: npt.NDArray[np.uint8], programmed: float) -> dict[str, Any]:
    values: dict[str, Any] = {"programmed": programmed, "measured": float(bits.mean())}
    if not 0 < programmed < 1:
        return values | {"note": "nothing is dropped: not judged"}
    try:
        report = assess(bits, p=programmed, alpha=ALPHA)
    except UserError as error:
        return values | {"note": str(error)}
    correlation = report.autocorrelation
    return values | {
        "low": report.ones.low,
        "high": report.ones.high,
        "lag_1": None if correlation is None else correlation.values[0],
        "band": None if correlation is None else correlation.band,
        "min_entropy": report.min_entropy,
        "ideal_entropy": report.ideal_entropy,
        "tests": len(report.verdicts),
        "failures": report.failures,
        "allowed_failures": report.allowed_failures,
        "rejected": list(report.rejected),
        "passed": report.passed,
    }


def spin_report(workload: Workload) -> dict[str, Any] | None:
    """Origin of the device, and for each layer its code, its bits and how they were judged.

    None for the ideal device.
    """
    if workload.spin is None:
        return None
    layers = zip(workload.network.layers, workload.spin.codes, drawn_bits(workload), strict=True)
    return {
        **workload.spin.origin,
        "dac_bits": workload.spin.dac_bits,
        "search_bits": workload.spin.search_bits,
        "layers": [
            {"name": layer.name, "code": code, "bits": len(bits)}
            | _layer(bits, layer.drop_probability)
            for layer, code, bits in layers
        ],
    }
