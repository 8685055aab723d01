# SPDX-License-Identifier: Apache-2.0
"""A workload through the driver, and what its frames say of it: on a board as in a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.driver import Device
from scaledrop.form import Form
from scaledrop.packets import Frame, Leaf, Result
from scaledrop.record import PassRecord
from scaledrop.walk import Mode
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.contract import Observation, Workload

__all__ = ["HIDDEN", "RESULTS_ALONE", "DeviceRun", "observe_run", "run_device"]

HIDDEN = {"hidden_bits": "frames carry no hidden layers"}
"""What a device does not show, and why."""

RESULTS_ALONE = {
    **HIDDEN,
    **dict.fromkeys(("masks", "logits"), "the small form sends no records"),
    "squares": "the small form has none",
    "monitors": "the small form has none",
    "counters": "the small form has none",
}
"""The same of a device of the small form."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DeviceRun:
    """What a device gave.

    Attributes:
        frames: Of every image, leaves included; without them from the small form.
        counters: Events of each layer; None from the small form.
        monitors: Status bits; see scaledrop.monitors.MonitorFlag. None from the small form.
        device_writes: Write pulses that the spin unit saw; None where nobody counts them.
    """

    frames: Sequence[Frame]
    counters: Sequence[Mapping[str, int]] | None
    monitors: int | None
    device_writes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values; :meth:`from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DeviceRun:
        frames = [
            Frame(
                tuple(
                    Leaf(leaf["path"], leaf["weight"], tuple(leaf["logits"]))
                    for leaf in frame["leaves"]
                ),
                _result(frame["result"]),
            )
            for frame in values["frames"]
        ]
        return cls(frames, values["counters"], values["monitors"], values["device_writes"])


def _result(values: Mapping[str, Any] | None) -> Result | None:
    if values is None:
        return None
    of_classes = {name: tuple(values[name]) for name in ("sums", "squares", "votes")}
    return Result(**{**values, **of_classes})


def run_device(device: Device, workload: Workload) -> DeviceRun:
    """Configure a device that came out of reset, infer every image, and ask how it went.

    Raises:
        UserError: it does not answer.
    """
    device.identify()
    full = device.sizes.form is Form.FULL
    device.configure(
        mode=workload.inference.mode,
        passes=workload.passes,
        cutoff=workload.cutoff,
        records=full,
        drive_codes=workload.drive_codes,
    )
    frames = device.infer(workload.images)
    if not full:
        return DeviceRun(frames, None, None)
    monitors = sum(1 << flag for flag in device.status().monitors)
    return DeviceRun(frames, device.counters(), monitors)


def _results(run: DeviceRun, images: int) -> list[Result]:
    results = [frame.result for frame in run.frames if frame.result is not None]
    if len(results) != images:
        raise CaptureError(f"results: {len(results)} came, {images} expected")
    return results


def _masks(leaves: Sequence[Leaf], layers: int) -> npt.NDArray[np.uint8]:
    """(leaves, L) bits of the paths."""
    rows = [[leaf.path >> layer & 1 for layer in range(layers)] for leaf in leaves]
    return np.array(rows, dtype=np.uint8).reshape(-1, layers)


def _each_pass(leaves: Sequence[Leaf], masks: npt.NDArray[np.uint8]) -> list[Leaf]:
    """The leaf of each pass: passes of one leaf cannot be told apart, so those that the seed gives
    to an earlier leaf get the earlier ones. ``masks`` (T, L) are the seed's."""
    repeated = [leaf for leaf in leaves for _ in range(leaf.weight)]
    order = np.lexsort(1 - masks.T[::-1].astype(np.int64))
    passes = list(repeated)
    for place, leaf in zip(order.tolist(), repeated, strict=True):
        passes[place] = leaf
    return passes


def _leaves(run: DeviceRun, workload: Workload) -> list[list[Leaf]]:
    """For each image one leaf a row of the record: by pass, or in ``exact`` as they came."""
    mode, masks = workload.inference.mode, workload.masks
    found = []
    for image, frame in enumerate(run.frames):
        leaves, wanted = list(frame.leaves), masks.shape[1]
        count = len(leaves) if mode is Mode.EXACT else sum(leaf.weight for leaf in leaves)
        if count != wanted:
            what = "leaves" if mode is Mode.EXACT else "passes in its leaves"
            raise CaptureError(f"image {image}: {count} {what}, {wanted} expected")
        found.append(_each_pass(leaves, masks[image]) if mode is Mode.SHARED else leaves)
    return found


def _wide(rows: Sequence[Sequence[int]]) -> Integers:
    """Integers of any size."""
    values = np.array(rows, dtype=object)
    fits = all(-(1 << 63) <= value < 1 << 63 for row in rows for value in row)
    return np.asarray(values.astype(np.int64) if fits else values)


def observe_run(run: DeviceRun, workload: Workload) -> Observation:
    """The observation, with masks from the paths of the leaves. From the small form, which sends
    none, it has neither passes nor masks, and only results.

    Raises:
        CaptureError: a result is missing, or the leaves of an image do not add up.
    """
    layers, classes = len(workload.network.layers), workload.network.classes
    results = _results(run, len(workload.images))
    alone = run.counters is None
    leaves = [[] for _ in results] if alone else _leaves(run, workload)
    exact = workload.inference.mode is Mode.EXACT
    weights = np.array([leaf.weight if exact else 1 for leaf in leaves[0]], dtype=np.int64)
    record = PassRecord(
        masks=np.stack([_masks(rows, layers) for rows in leaves]),
        hidden=(),
        logits=np.array(
            [[leaf.logits for leaf in rows] for rows in leaves], dtype=np.int64
        ).reshape(len(leaves), -1, classes),
        sums=_wide([result.sums for result in results]),
        votes=_wide([result.votes for result in results]),
        squares=_wide([result.squares for result in results]),
        weights=weights,
    )
    verdict = {
        name: np.repeat([[int(getattr(result, name))] for result in results], classes, axis=1)
        for name in ("predicted", "abstain", "covered")
    }
    names = [layer.name for layer in workload.network.layers]
    counters = None
    if run.counters is not None:
        counters = dict(zip(names, map(dict, run.counters), strict=True))
    unseen = RESULTS_ALONE if alone else HIDDEN
    return Observation(
        record, counters, run.device_writes, workload.walks, verdict, run.monitors, unseen
    )
