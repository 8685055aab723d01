# SPDX-License-Identifier: Apache-2.0
"""Step hand-off: constraints, file list, settings for OpenROAD, a page that says what is what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop_flow.asic.choices import TOP, AsicChoices
from scaledrop_flow.asic.constraints import OUTSIDE, UNCERTAINTY, constraints
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.netlist.libraries import CellLibrary

__all__ = ["write_handoff"]

PLATFORMS = {"sky130_fd_sc_hd": "sky130hd", "sg13g2": "ihp-sg13g2", "asap7": "asap7"}
"""Start of a library's name to its platform in OpenROAD-flow-scripts."""


def _platform(library: CellLibrary) -> str:
    found = (place for name, place in PLATFORMS.items() if library.name.startswith(name))
    return next(found, "YOUR_PLATFORM")


def _filelist(boxes: list[dict[str, Any]]) -> str:
    return "\n".join(
        (
            "// RTL and stubs of its black boxes; to simulate, bodies instead of stubs.",
            "rtl/scaledrop.v",
            *(f"stubs/{box['module']}.v" for box in boxes),
            "",
        )
    )


def _config(library: CellLibrary, boxes: list[dict[str, Any]]) -> str:
    here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))"
    names = " ".join(box["module"] for box in boxes)
    return "\n".join(
        (
            "# Settings for OpenROAD-flow-scripts: make DESIGN_CONFIG=<this file>",
            f"export HANDOFF := {here}",
            f"export DESIGN_NAME = {TOP}",
            f"export PLATFORM = {_platform(library)}",
            "export VERILOG_FILES = $(HANDOFF)rtl/scaledrop.v $(wildcard $(HANDOFF)stubs/*.v)",
            "# Instead of synthesis: the netlist of this folder.",
            "# export SYNTH_NETLIST_FILES = $(HANDOFF)netlist/scaledrop.v",
            "export SDC_FILE = $(HANDOFF)constraints.sdc",
            f"export SYNTH_BLACKBOXES = {names}",
            "export SYNTH_HIERARCHICAL = 1",
            "# Yours: layout and timing of the black boxes.",
            "export ADDITIONAL_LEFS = $(wildcard $(HANDOFF)macros/*.lef)",
            "export ADDITIONAL_LIBS = $(wildcard $(HANDOFF)macros/*.lib)",
            "export ADDITIONAL_GDS = $(wildcard $(HANDOFF)macros/*.gds)",
            "export CORE_UTILIZATION = 40",
            "",
        )
    )


def _box_line(box: dict[str, Any]) -> str:
    ports = ", ".join([*box["reads"], *box["writes"]]) or "see crossbar.md"
    loaded = "by the host" if box["loaded_by_host"] else "no"
    number = len(box["instances"])
    return f"| `{box['module']}` | {number} | {box['words']} x {box['bits']} | {ports} | {loaded} |"


def _readme(library: CellLibrary, choices: AsicChoices, boxes: list[dict[str, Any]]) -> str:
    percent = f"{OUTSIDE:.0%}", f"{UNCERTAINTY:.0%}"
    return "\n".join(
        (
            "# ScaleDrop accelerator: hand-off",
            "",
            f"Mapped to `{library.name}`. The Verilog needs no edit. There is no LEF, no GDS",
            "and no file of a library in here. `result.json` has the figures, the tools'",
            "versions and the sha256 of every file.",
            "",
            "| file | is |",
            "|---|---|",
            "| `rtl/scaledrop.v` | the accelerator, top `scaledrop`, black boxes as instances |",
            "| `rtl/scaledrop.json` | its ports with their fields, its sizes |",
            "| `netlist/scaledrop.v` | the same on cells, a module a block |",
            "| `stubs/` | the black boxes' ports, nothing inside: to synthesize with |",
            "| `behavioural/` | the black boxes with bodies and contents: to simulate with |",
            "| `black_boxes.json` | the black boxes: words, bits, ports, where they stand |",
            "| `crossbar.md`, `crossbar.json` | what a crossbar macro must do, if it is one |",
            "| `constraints.sdc` | clock, delays of the ports |",
            "| `filelist.f` | RTL and stubs, in order |",
            "| `config.mk` | settings for OpenROAD-flow-scripts |",
            "| `reports/` | area and power by block, the worst path |",
            "",
            "## Black boxes",
            "",
            "| module | instances | words x bits | ports | contents |",
            "|---|---|---|---|---|",
            *(map(_box_line, boxes)),
            "",
            "What has contents comes up empty in silicon: a host loads it through the `host__`",
            "ports of the accelerator before the first image. A compiled memory with other port",
            "names needs a wrapper of the stub's name around it.",
            "",
            "## OpenROAD-flow-scripts",
            "",
            "Put LEF, Liberty and GDS of the black boxes into `macros/` in this folder, then in",
            "the `flow` folder of OpenROAD-flow-scripts:",
            "",
            "    make DESIGN_CONFIG=/path/to/this/folder/config.mk",
            "",
            "## Other tools",
            "",
            "Read `filelist.f` with this folder as the current one, then `constraints.sdc`; or, to",
            "go on from the netlist, `netlist/scaledrop.v` with the stubs. One clock, `clk`; reset",
            "`rst`, high and synchronous, to be held for 8 edges. Constants in the netlist are",
            "literals: let your tool put in tie cells. Cells are buffered and",
            "sized for the clock without any wire.",
            "",
            f"`constraints.sdc` asks for {choices.clock_ns:g} ns, of which ports have {percent[0]}",
            f"outside, and the clock is uncertain by {percent[1]}.",
            "",
        )
    )


def write_handoff(folder: Folder, library: CellLibrary, choices: AsicChoices) -> list[Path]:
    """Write what stands beside the Verilog; returns the files.

    Raises:
        UserError: the folder cannot be written.
    """
    boxes = json.loads(folder.boxes.read_text())
    ports = json.loads(folder.sidecar.read_text())["ports"]
    texts = {
        "constraints.sdc": constraints(ports, choices.clock_ns, library.time_s),
        "filelist.f": _filelist(boxes),
        "config.mk": _config(library, boxes),
        "README.md": _readme(library, choices, boxes),
    }
    for name, text in texts.items():
        write_atomically(folder.root / name, text.encode())
    return [folder.root / name for name in texts]
