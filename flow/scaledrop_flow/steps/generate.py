# SPDX-License-Identifier: Apache-2.0
"""Generate the Verilog of a frozen network on an array, bare or behind buses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
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
) -> Generated:
    """Write ``scaledrop.v`` and ``scaledrop.json``; the same input gives the same bytes.

    Args:
        bus: ``axi`` writes ``scaledrop_axi.v`` instead, its description, the contents of its
            memories, two C headers and the manual of its registers.
        pixel_bits: Of the stream of pixels behind ``axi``.

    Raises:
        UserError: an impossible size, or the folder cannot be written.
    """
    if bus not in BUSES:
        raise UserError(f"bus: must be {' or '.join(BUSES)}, not {bus!r}")
    if pixel_bits not in PIXEL_BITS:
        raise UserError(f"pixel_bits: must be 8, 16 or 32, not {pixel_bits}")
    mapping = NetworkMapping(network, array, convolution)
    accelerator = Accelerator(mapping=mapping, max_passes=max_passes, datapath=datapath)
    timing = accelerator.pipeline_timing
    if bus == "none":
        verilog, sidecar = export(accelerator, folder)
        return Generated(verilog, sidecar, mapping, timing)
    return _system(accelerator, folder, pixel_bits, timing)


def _system(accelerator: Accelerator, folder: Path, bits: int, timing: PipelineTiming) -> Generated:
    least = 8 * accelerator.sizes.pixel_bytes
    if bits < least:
        raise UserError(f"pixel_bits: a pixel takes {least}, which {bits} do not hold")
    system = System(accelerator=accelerator, pixel_bits=bits)
    verilog, sidecar, contents = export_system(system, folder)
    more = write_device_files(system.sizes, folder, verilog.stem)
    return Generated(verilog, sidecar, accelerator.mapping, timing, (contents, *more))
