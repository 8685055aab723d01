# SPDX-License-Identifier: Apache-2.0
"""Driver: turns a workload into the shell's stimulus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.images import stream_order
from scaledrop.numbers import DROP_BITS
from scaledrop.walk import Mode
from scaledrop_cosim.contract import Workload

__all__ = ["DEVICE", "Disturbance", "plusargs", "spin_plusargs", "write_stimulus"]

WORDS, DEVICE = "words.bin", "device.bin"


@dataclass(frozen=True)
class Disturbance:
    """How badly the outside world behaves.

    Attributes:
        idle: Chance, in 1/256 per cycle, that no pixel is offered.
        stall: Chance, in 1/256 per cycle, that no result is taken.
    """

    idle: int = 0
    stall: int = 0

    def __post_init__(self) -> None:
        for name in ("idle", "stall"):
            if not 0 <= getattr(self, name) <= 240:
                raise UserError(f"{name}: must be 0 to 240, not {getattr(self, name)}")

    @property
    def quiet(self) -> bool:
        """Cycle predictions hold only for an undisturbed run."""
        return self.idle == 0 and self.stall == 0


def write_stimulus(workload: Workload, folder: Path) -> None:
    """Write ``pixels.bin`` (16 bits each) and ``words.bin`` (16 or 32), and the tables of a device.

    All of it little-endian.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pixels = stream_order(workload.images, workload.network.input_shape)
        (folder / "pixels.bin").write_bytes(pixels.astype("<u2").tobytes())
        (folder / WORDS).write_bytes(workload.words.astype(_little(workload)).tobytes())
        if workload.spin is not None:
            (folder / DEVICE).write_bytes(workload.spin.tables.astype("<u4").tobytes())
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None


def _little(workload: Workload) -> str:
    return "<u2" if workload.spin is None else "<u4"


def spin_plusargs(workload: Workload, folder: Path) -> list[str]:
    """Arguments of the spin unit's device."""
    values: dict[str, object] = {"words": folder / WORDS}
    if workload.spin is not None:
        values |= {
            "device": folder / DEVICE,
            "dac_bits": workload.spin.dac_bits,
            "epoch": workload.spin.epoch_writes,
            "epochs": len(workload.spin.tables),
            "calibrate": int(workload.spin.calibration is not None),
        }
    return [f"+{name}={value}" for name, value in values.items()]


def plusargs(
    workload: Workload, folder: Path, disturbance: Disturbance, cycles_per_image: int
) -> list[str]:
    """Arguments of the simulation.

    Args:
        cycles_per_image: Prediction for an undisturbed run; ten times as many cycles, and time for
            slow pixels, without a single result are taken for a hang.
    """
    slowest_pixel = 256 // (256 - disturbance.idle) + 1
    values = {
        "folder": folder,
        "images": len(workload.images),
        "mode": list(Mode).index(workload.inference.mode),
        "passes": workload.passes,
        "cutoff": workload.cutoff,
        "noise": workload.seed,
        "idle": disturbance.idle,
        "stall": disturbance.stall,
        "drive": f"{sum(code << DROP_BITS * at for at, code in enumerate(workload.drive_codes)):x}",
        "limit": 10 * cycles_per_image + 20 * slowest_pixel * workload.network.input_size + 10_000,
    }
    return [f"+{name}={value}" for name, value in values.items()] + spin_plusargs(workload, folder)
