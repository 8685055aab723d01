# SPDX-License-Identifier: Apache-2.0
"""The analog array against other people's programs: one matrix-vector product of one tile.

* aihwkit (IBM, Apache-2.0): the same effective cells with device-to-device spread, the same inputs,
  its own converter. Codes are compared with ``==``.
* badcrossbar (MIT): the same resistors with wires; its own nodal solution. Currents are compared.

Both are optional: ``pip install aihwkit==1.1.0 badcrossbar==1.1.0``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.analog import CellModel, WireModel, transfer
from scaledrop.converter import Converter
from scaledrop.errors import UserError

__all__ = ["CONVERTERS", "analog_check_study"]

ROWS, COLUMNS, INPUTS, SEED = 64, 32, 256, 7
SPREADS = (0.0, 0.05, 0.2)
CONVERTERS = tuple(
    Converter(bits, step) for bits, step in ((8, 1), (6, 2), (5, 2), (4, 4), (3, 4), (3, 8), (2, 8))
)
WIRES_OHM = (0.1, 1.0, 10.0, 100.0)
EDGE = 1e-4
"""Sums nearer to a converter's edge than this, in units of a cell, are not compared: aihwkit
computes in float32."""

Floats = npt.NDArray[np.float64]


def analog_check_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each spread and converter (aihwkit), and for each wire (badcrossbar).

    Raises:
        UserError: one of the two is not installed.
    """
    for name in ("aihwkit", "badcrossbar"):
        if importlib.util.find_spec(name) is None:
            raise UserError(f"{name}: is not installed; pip install {name}==1.1.0")
    for spread in SPREADS:
        for converter in CONVERTERS:
            progress(f"aihwkit, spread {spread:g}, {converter}")
            yield _converted(spread, converter)
    for ohm in WIRES_OHM:
        progress(f"badcrossbar, {ohm:g} ohm")
        yield _wired(ohm)


def _cells(spread: float) -> tuple[CellModel, Floats, np.random.Generator]:
    rng = np.random.default_rng(SEED)
    weights = rng.integers(0, 2, (ROWS, COLUMNS))
    model = CellModel(spread=spread)
    return model, model.conductances(weights, rng), rng


def _converted(spread: float, converter: Converter) -> dict[str, Any]:
    model, pairs, rng = _cells(spread)
    gains = (pairs[..., 0] - pairs[..., 1]) / model.unit_s
    inputs = rng.integers(-1, 2, (INPUTS, ROWS)).astype(np.float64)
    sums = inputs @ gains
    ours = sums.copy()
    converter.read(ours)
    # Its converter clips to the same magnitude on either side.
    limit = converter.high * converter.step
    expected = np.maximum(ours, -limit)
    theirs = _aihwkit(gains, inputs, limit, converter.step)
    edges = (sums + 0.5 + converter.before) / converter.step
    clear = np.abs(edges - np.rint(edges)) * converter.step > EDGE
    return {
        "program": "aihwkit",
        "version": version("aihwkit"),
        "spread": spread,
        "converter": str(converter),
        "compared": int(clear.sum()),
        "clipped": int((np.abs(expected[clear]) == limit).sum()),
        "near_an_edge": int((~clear).sum()),
        "mismatches": int((expected != theirs)[clear].sum()),
        "seed": SEED,
    }


def _aihwkit(gains: Floats, inputs: Floats, limit: float, step: int) -> Floats:
    """Outputs (INPUTS, COLUMNS) of aihwkit's tile with a converter from -limit to limit.

    A further row, always driven, holds the half unit by which our edges lie below a multiple of a
    step above 1. Weights are scaled into aihwkit's range of 1.
    """
    configs = importlib.import_module("aihwkit.simulator.configs")
    tiles = importlib.import_module("aihwkit.simulator.tiles.inference_torch")
    largest = float(np.abs(gains).max())
    config = configs.TorchInferenceRPUConfig()
    config.drift_compensation = None
    forward = config.forward
    forward.inp_bound, forward.inp_res, forward.inp_noise = 1.0, -1.0, 0.0
    forward.out_bound, forward.out_noise, forward.w_noise = limit / largest, 0.0, 0.0
    forward.out_res = step / (2.0 * limit)
    forward.noise_management = configs.NoiseManagementType.NONE
    forward.bound_management = configs.BoundManagementType.NONE
    tile = tiles.TorchInferenceTile(COLUMNS, ROWS + 1, config)
    bias = np.full((1, COLUMNS), 0.5 if step > 1 else 0.0)
    matrix = torch.tensor((np.concatenate([gains, bias]) / largest).T, dtype=torch.float32)
    tile.set_weights(matrix)
    tile.eval()
    driven = np.concatenate([inputs, np.ones((INPUTS, 1))], axis=1)
    with torch.no_grad():
        found = tile(torch.tensor(driven, dtype=torch.float32)).numpy() * largest
    levels = np.asarray(found, dtype=np.float64) / step
    return np.asarray(np.rint(levels) * step)


def _wired(ohm: float) -> dict[str, Any]:
    _, pairs, rng = _cells(0.1)
    conductances = pairs.reshape(ROWS, -1)
    volts = rng.integers(-1, 2, (ROWS, 16)) * 0.2
    matrix = transfer(conductances, WireModel(ohm, ohm, ohm, ohm))
    ours = volts.T @ matrix
    compute = importlib.import_module("badcrossbar").compute
    theirs = compute(volts, 1.0 / conductances, ohm).currents.output
    plain = volts.T @ conductances
    return {
        "program": "badcrossbar",
        "version": version("badcrossbar"),
        "spread": 0.1,
        "wire_ohm": ohm,
        "compared": ours.size,
        "largest_current_a": float(np.abs(ours).max()),
        "largest_difference_a": float(np.abs(ours - theirs).max()),
        "wires_change_a": float(np.abs(ours - plain).max()),
        "seed": SEED,
    }
