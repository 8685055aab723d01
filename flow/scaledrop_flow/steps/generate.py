# SPDX-License-Identifier: Apache-2.0
"""Generate the Verilog of a frozen network on an array, bare or behind buses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.calibration import Calibration
from scaledrop.device_sizes import MAX_PARTS, PART_BITS
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming
from scaledrop_flow.device_files import write_device_files
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import export
from scaledrop_hw.system import System
from scaledrop_hw.system_export import export_system

__all__ = ["BUSES", "PIXEL_BITS", "Generated", "generate"]

BUSES = ("none", "axi")
PIXEL_BITS = (8, 16, 32)
SMALL_DEPTH = 4
"""Commands that the walk of the small form may be ahead of the crossbar."""
MAX_CELLS = MAX_PARTS * PART_BITS


@dataclass(frozen=True)
class Generated:
    """Paths of what was generated, and what it was generated from."""

    verilog: Path
    sidecar: Path
    mapping: NetworkMapping
    timing: PipelineTiming
    others: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.verilog, self.sidecar, *self.others)


def generate(
    network: FrozenNetwork,
    array: ArrayShape,
    folder: Path,
    max_passes: int = 255,
    datapath: str = "reference",
    convolution: str = "auto",
    bus: str = "none",
    pixel_bits: int = 32,
    calibration: Calibration | None = None,
    form: Form = Form.FULL,
    weights: str = "memory",
) -> Generated:
    """Write ``scaledrop.v`` and ``scaledrop.json``; the same input gives the same bytes.

    Args:
        bus: ``axi`` writes ``scaledrop_axi.v`` instead, its description, the contents of its
            memories, two C headers and the manual of its registers.
        pixel_bits: Of the stream of pixels behind ``axi``.
        calibration: Of the calibrator of the spin unit; None leaves it out. It has no registers
            yet: not behind a bus.
        form: What is built; the small one only behind ``axi``.
        weights: ``memory``, or ``baked`` into the logic: equal results, and no host loads others.

    Raises:
        UserError: an impossible size, or the folder cannot be written.
    """
    if bus not in BUSES:
        raise UserError(f"bus: must be {' or '.join(BUSES)}, not {bus!r}")
    if pixel_bits not in PIXEL_BITS:
        raise UserError(f"pixel_bits: must be 8, 16 or 32, not {pixel_bits}")
    if form is not Form.FULL and bus == "none":
        raise UserError(f"form: {form} needs a bus, which its results leave by; add --bus axi")
    if bus == "axi":
        _check_system(network, array, pixel_bits)
    mapping = NetworkMapping(network, array, convolution)
    if calibration is not None and bus != "none":
        raise UserError("calibrator: it has no registers behind a bus yet; leave one of them out")
    accelerator = Accelerator(
        mapping=mapping,
        max_passes=max_passes,
        datapath=datapath,
        calibration=calibration,
        form=form,
        **({} if form is Form.FULL else {"depth": SMALL_DEPTH}),
        weights=weights,
    )
    timing = accelerator.pipeline_timing
    if bus == "none":
        verilog, sidecar = export(accelerator, folder)
        return Generated(verilog, sidecar, mapping, timing)
    return _system(accelerator, folder, pixel_bits, timing)


def _check_system(network: FrozenNetwork, array: ArrayShape, pixel_bits: int) -> None:
    pixel, cells = 8 if network.input_bits <= 8 else 16, array.rows * array.columns
    if pixel_bits < pixel:
        raise UserError(f"pixel_bits: a pixel takes {pixel}, which {pixel_bits} do not hold")
    if cells > MAX_CELLS:
        raise UserError(
            f"rows * columns: a host can load tiles of at most {MAX_CELLS} cells, not {cells}; "
            "use a smaller array, or no bus"
        )


def _system(accelerator: Accelerator, folder: Path, bits: int, timing: PipelineTiming) -> Generated:
    system = System(accelerator=accelerator, pixel_bits=bits)
    verilog, sidecar, *contents = export_system(system, folder)
    more = write_device_files(system.sizes, folder, verilog.stem)
    return Generated(verilog, sidecar, accelerator.mapping, timing, (*contents, *more))
