# SPDX-License-Identifier: Apache-2.0
"""Talk to a board: test images in; class, votes and abstention out; all of it held against the
golden model where the board's bits can be foreseen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.driver import Device, Transport, description_of
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.packets import Frame
from scaledrop_cosim.axi.frames import DeviceRun
from scaledrop_cosim.checker import CheckReport
from scaledrop_flow.board_check import BoardChoices, Masks, compare_run
from scaledrop_flow.data import LabelledImages

__all__ = ["BoardChoices", "BoardResult", "demonstrator_of", "run_board"]

AT_ONCE = 8
"""Images between two reports of progress."""

Json = Mapping[str, Any]
Progress = Callable[[int, Sequence[Frame]], None]


@dataclass(frozen=True, eq=False)
class BoardResult:
    """What a board did.

    Attributes:
        frames: Of every image.
        labels: (N,) of the images.
        masks: What was known of them.
        check: Against the golden model; None where the masks are unseen.
        wall_s: Seconds from the first image to the last result.
    """

    frames: Sequence[Frame]
    labels: npt.NDArray[np.int64]
    masks: Masks
    check: CheckReport | None
    wall_s: float

    @property
    def ok(self) -> bool:
        """Nothing that was compared differs."""
        return self.check is None or self.check.ok

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """(N,) classes."""
        return np.array([frame.result.predicted for frame in self.frames if frame.result])

    @property
    def abstained(self) -> npt.NDArray[np.bool_]:
        """(N,) flags."""
        return np.array([frame.result.abstain for frame in self.frames if frame.result])

    @property
    def accuracy(self) -> float:
        """Of all images."""
        return float(np.mean(self.predicted == self.labels))

    @property
    def accepted_accuracy(self) -> float | None:
        """Of the images that the board did not abstain on; None if it did on all."""
        kept = ~self.abstained
        return float(np.mean((self.predicted == self.labels)[kept])) if kept.any() else None


def demonstrator_of(sidecar: Json) -> Json:
    """How to reach the board that a sidecar describes, and where its bits come from.

    Raises:
        UserError: it describes none.
    """
    if "demonstrator" not in sidecar:
        raise UserError(
            "sidecar: describes no demonstrator; give the .json that scaledrop fpga wrote beside "
            "the bitstream"
        )
    values: Json = sidecar["demonstrator"]
    return values


def run_board(
    transport: Transport,
    sidecar: Json,
    network: FrozenNetwork,
    images: LabelledImages,
    choices: BoardChoices | None = None,
    progress: Progress | None = None,
) -> BoardResult:
    """Infer images on a board that was just reset, and compare what it says.

    Args:
        transport: As :func:`scaledrop.driver.port.open_serial` gives it.
        sidecar: Of the demonstrator.
        network: The one that is built in.
        progress: Called with the number of the first image and some frames.

    Raises:
        UserError: the sidecar is of another network, the board is another, or does not answer.
    """
    chosen = choices or BoardChoices()
    source = demonstrator_of(sidecar)
    if sidecar["model_sha256"] != digest(network):
        raise UserError(
            f"model: {network.name} is not the network of this board "
            f"({sidecar['network']['name']}, {sidecar['model_sha256'][:12]}); give the file that "
            "its bitstream was made of"
        )
    device = Device.described(transport, description_of(sidecar))
    device.identify()
    full = device.sizes.form is Form.FULL
    device.configure(
        mode=chosen.inference.mode,
        passes=chosen.inference.passes,
        cutoff=chosen.inference.cutoff([layer.drop_code for layer in network.layers]),
        min_votes=chosen.min_votes,
        records=full,
        drive_codes=[layer.drop_code for layer in network.layers],
    )
    begun = time.perf_counter()
    frames = _infer(device, images, progress or (lambda first, frames: None))
    wall_s = time.perf_counter() - begun
    monitors = sum(1 << flag for flag in device.status().monitors) if full else None
    run = DeviceRun(frames, device.counters() if full else None, monitors)
    masks = Masks.known(source["source"], full, chosen)
    report = compare_run(run, sidecar, network, images.pixels, chosen, masks)
    return BoardResult(frames, images.labels, masks, report, wall_s)


def _infer(device: Device, images: LabelledImages, progress: Progress) -> list[Frame]:
    frames: list[Frame] = []
    for at in range(0, len(images.pixels), AT_ONCE):
        some = device.infer(images.pixels[at : at + AT_ONCE])
        progress(at, some)
        frames += some
    return frames
