# SPDX-License-Identifier: Apache-2.0
"""What a case has in it, and what was seen while it ran: the rows of the coverage table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scaledrop.layer_mapping import LayerMapping
from scaledrop.mapping import NetworkMapping
from scaledrop.record import PassRecord
from scaledrop.walk import MASS
from scaledrop_cosim.contract import Observation
from scaledrop_flow.fuzz.case import Case, Conv, Dense, Pool

__all__ = ["features", "seen"]


def _node(one: Dense | Conv | Pool, head: bool) -> Iterator[str]:
    if isinstance(one, Pool):
        yield f"max pooling {one.size}"
        return
    if not head:
        yield f"codes of {one.planes} bits"
    if one.drop_code in (0, 65535):
        yield f"drop code {one.drop_code}"
    if isinstance(one, Conv):
        yield f"kernel {one.size}"
        yield f"stride {one.stride}" if one.stride <= one.size else "stride above the kernel"
        if one.padding:
            yield f"padding {one.padding}"


def _mapped(entry: LayerMapping) -> Iterator[str]:
    yield f"layer: {entry.method}"
    if entry.row_tiles > 1:
        yield "several row tiles"
    if entry.column_tiles > 1:
        yield "several column tiles"
    if entry.layer.out_features % entry.array.lanes:
        yield "lanes not in use"
    if entry.pool > 1 and any(edge % entry.pool for edge in entry.positions):
        yield "rest behind the pool"


def _array(case: Case) -> Iterator[str]:
    yield f"lanes {'odd' if case.lanes % 2 else 'even'}"
    if case.rows & (case.rows - 1):
        yield "rows no power of two"
    if case.rows == case.columns == 1:
        yield "one row, one column"
    yield f"datapath {case.datapath}"
    if case.converter is not None:
        bits, _, mid_rise = case.converter
        yield f"converter of {bits} bits{', mid-rise' if mid_rise else ''}"
    if case.pulses != (2, 1, 1, 1):
        yield f"spin unit {'slow' if sum(case.pulses) > 12 else 'quick'}"
    if case.depth != 16:
        yield "queue of 2 commands" if case.depth == 2 else "queue of another depth"


def _run(case: Case) -> Iterator[str]:
    yield f"mode {case.mode}"
    if case.mode == "exact":
        yield "masks limited" if case.masks else "all masks"
    else:
        yield f"T {case.passes}"
    for name in ("idle", "stall", "min_votes", "min_margin", "corners", "records"):
        if getattr(case, name):
            yield name.replace("_", " ")
    if not case.quiet and case.pause > 1:
        yield "long gaps"


def features(case: Case, mapping: NetworkMapping) -> set[str]:
    """What a case has in it."""
    shape = case.input_shape
    found = {f"{len(case.layers)} layers", f"pixels of {case.input_bits} bits"}
    found |= {"map not square"} if len(shape) > 1 and shape[-1] != shape[-2] else set()
    found |= {"several input channels"} if len(shape) > 2 and shape[0] > 1 else set()
    found |= {"formats"} if (case.scale_bits, case.scale_frac_bits) != (8, 6) else set()
    for at, node in enumerate(case.nodes):
        found.update(_node(node, at == len(case.nodes) - 1))
    for entry in mapping.layers:
        found.update(_mapped(entry))
    return found | set(_array(case)) | set(_run(case))


def _ties(record: PassRecord) -> bool:
    best = record.logits.max(axis=-1, keepdims=True)
    return bool(((record.logits == best).sum(axis=-1) > 1).any())


def seen(observation: Observation) -> set[str]:
    """What happened."""
    record, visits = observation.record, [one for walk in observation.walks for one in walk]
    drawn = bool(observation.device_writes)
    found = {
        "both outcomes of one sum": any(one.kept and one.dropped for one in visits),
        "prefix shared by passes": drawn and any(max(one.kept, one.dropped) > 1 for one in visits),
        "tied classes": _ties(record),
        "codes of both kinds": all(np.ptp(codes) > 0 for codes in record.hidden),
        "an image abstained from": bool(np.any(observation.verdict.get("abstain", 0))),
        "mass left out": not drawn and int(record.weights.sum()) < MASS,
    }
    return {f"seen: {name}" for name, was in found.items() if was}
