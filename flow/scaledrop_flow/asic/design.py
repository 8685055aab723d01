# SPDX-License-Identifier: Apache-2.0
"""Step generate: Verilog with black boxes, their stubs and bodies, and the crossbar's contract."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import NetworkMapping
from scaledrop.schedule import PipelineTiming
from scaledrop_flow.asic.choices import TOP, AsicChoices
from scaledrop_flow.asic.contract import contract, contract_text
from scaledrop_flow.asic.folder import Folder
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.black_box import CROSSBAR, BlackBox
from scaledrop_hw.black_boxes import with_black_boxes
from scaledrop_hw.export import as_text, sidecar

__all__ = ["box_values", "design_files", "mapping_of", "pipeline_of", "write_design"]


def mapping_of(network: FrozenNetwork, choices: AsicChoices) -> NetworkMapping:
    """The network on the array.

    Raises:
        UserError: an impossible size.
    """
    return NetworkMapping(network, choices.array, choices.convolution)


def pipeline_of(folder: Folder) -> PipelineTiming:
    """Latencies of the accelerator that :func:`write_design` wrote."""
    return PipelineTiming(**json.loads((folder.work / "pipeline.json").read_text()))


def box_values(box: BlackBox) -> dict[str, object]:
    """A black box as the list of them has it."""
    words, bits = box.shape
    return {
        "module": box.name,
        "kind": box.kind,
        "instances": list(box.paths),
        "words": words,
        "bits": bits,
        "loaded_by_host": box.loaded,
        "reads": list(box.reads),
        "writes": list(box.writes),
        "ports": list(box.ports),
    }


def write_design(network: FrozenNetwork, choices: AsicChoices, folder: Folder) -> None:
    """Write ``rtl``, ``stubs``, ``behavioural``, the list of black boxes and the contract.

    Raises:
        UserError: an impossible size, or the folder cannot be written.
    """
    accelerator = Accelerator(
        mapping=mapping_of(network, choices),
        max_passes=choices.max_passes,
        datapath=choices.datapath,
    )
    macro = choices.crossbar == "macro"
    text, boxes, modules = with_black_boxes(accelerator, TOP, choices.memory_bits, macro)
    _clear(folder)
    _write(folder.rtl, text)
    _write(folder.sidecar, as_text(sidecar(accelerator, TOP, text)))
    for box in boxes.values():
        _write(folder.stubs / f"{box.name}.v", box.stub)
        _write(folder.behavioural / f"{box.name}.v", box.body)
    _write(folder.boxes, as_text([box_values(box) for box in boxes.values()]))
    _write(folder.work / "modules.json", as_text(modules))
    _write(folder.work / "pipeline.json", as_text(asdict(accelerator.pipeline_timing)))
    if macro:
        told = contract(boxes[CROSSBAR].ports, accelerator.mapping)
        _write(folder.root / "crossbar.json", as_text(told))
        _write(folder.root / "crossbar.md", contract_text(told))


def _clear(folder: Folder) -> None:
    """Take away what another run left."""
    old = [*folder.stubs.glob("*.v"), *folder.behavioural.glob("*.v")]
    for path in [*old, folder.root / "crossbar.json", folder.root / "crossbar.md"]:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    write_atomically(path, text.encode())


def design_files(folder: Folder) -> list[Path]:
    """What :func:`write_design` left."""
    boxes = [box["module"] for box in json.loads(folder.boxes.read_text())]
    beside = [folder.root / name for name in ("crossbar.json", "crossbar.md")]
    return [
        folder.rtl,
        folder.sidecar,
        folder.boxes,
        folder.work / "modules.json",
        folder.work / "pipeline.json",
        *(folder.stubs / f"{name}.v" for name in boxes),
        *(folder.behavioural / f"{name}.v" for name in boxes),
        *(path for path in beside if path.exists()),
    ]
