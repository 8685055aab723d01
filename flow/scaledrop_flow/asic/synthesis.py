# SPDX-License-Identifier: Apache-2.0
"""Step map: Yosys puts the accelerator on a library's cells, block by block."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop_flow.asic.blocks import block_of
from scaledrop_flow.asic.buffers import choose_buffer, spread
from scaledrop_flow.asic.choices import TOP, AsicChoices
from scaledrop_flow.asic.folder import Folder
from scaledrop_flow.asic.library import DONT_USE
from scaledrop_flow.liberty.cells import read_cells
from scaledrop_flow.netlist.libraries import CellLibrary
from scaledrop_flow.netlist.mapping import yosys_version
from scaledrop_flow.synthesis.tools import run_tool

__all__ = ["ABC", "avoided", "cell_models", "map_design", "map_files"]

ABC = "+strash;&get,-n;&nf,{D};&put;buffer;upsize,{D};dnsize,{D};stime,-p"
"""Without the sweeping by SAT of the usual scripts (fraig, scorr, dch), which does not come to an
end on the wide multiplier of the pass accumulator; and without dc2, which makes ripples of the fast
adders that Yosys builds: 5 % less area of that block, 2.3 times its path. Cells are buffered and
sized, without wires."""

_MODULE = re.compile(r"^module \\?(\S+?) ?\(.*?^endmodule$", re.M | re.S)


def avoided(library: CellLibrary, choices: AsicChoices) -> tuple[str, ...]:
    """Patterns of the cells that are not used."""
    known = (patterns for name, patterns in DONT_USE.items() if library.name.startswith(name))
    return (*(one for patterns in known for one in patterns), *choices.dont_use)


def _options(library: CellLibrary, choices: AsicChoices) -> str:
    files = [f"-liberty {path.name}" for path in library.files]
    return " ".join([*files, *(f"-dont_use {one}" for one in avoided(library, choices))])


def _script(
    modules: Mapping[str, str], boxes: Sequence[str], library: CellLibrary, choices: AsicChoices
) -> str:
    blocks = [name for name, path in modules.items() if path and block_of(path) == path]
    options = _options(library, choices)
    return "\n".join(
        (
            *(f"read_verilog {name}.v" for name in boxes),
            f"read_verilog {TOP}.v",
            f"hierarchy -check -top {TOP}",
            *(f"setattr -mod -set keep_hierarchy 1 {name}" for name in blocks),
            # Without its own abc: see ABC.
            f"synth -flatten -noabc -top {TOP}",
            # Cells have no initial value: the reset sets what needs one.
            "setattr -unset init w:*",
            f"dfflibmap {options}",
            f"abc -D {1000 * choices.clock_ns:.0f} {options} -script {ABC}",
            "splitnets",
            "opt_clean -purge",
            "write_json mapped.json",
            "",
        )
    )


def _written_script(library: CellLibrary) -> str:
    files = " ".join(f"-liberty {path.name}" for path in library.files)
    return "\n".join(
        (
            "read_json mapped.json",
            f"tee -q -o stat.json stat -json {files}",
            "write_verilog -noattr -noexpr -simple-lhs netlist.v",
            "",
        )
    )


def _buffer(scratch: Path, library: CellLibrary, avoid: Sequence[str]) -> int:
    """Spread what drives too many pins, in ``mapped.json``; how many buffers that took."""
    cells = read_cells(library.files)
    left_out = [name for name in cells.cells if any(fnmatch(name, one) for one in avoid)]
    design = json.loads((scratch / "mapped.json").read_text())
    added = spread(design, cells, choose_buffer(cells, left_out))
    (scratch / "mapped.json").write_text(json.dumps(design))
    return added


def _models_script(library: CellLibrary) -> str:
    files = (f"read_liberty -ignore_miss_func {path.name}" for path in library.files)
    return "\n".join((*files, "write_verilog -noattr models.v", ""))


def _lacks(library: CellLibrary, what: str) -> UserError:
    return UserError(f"lib: {library.name} has {what}; use another, or fewer --dont-use")


def _checked(counts: Mapping[str, int], library: CellLibrary) -> None:
    left = sorted(kind for kind in counts if kind.startswith("$"))
    if left:
        raise _lacks(library, f"no cell for {left[0]}")


def map_design(folder: Folder, library: CellLibrary, choices: AsicChoices) -> None:
    """Write ``netlist/scaledrop.v``, its statistics and the models of its cells.

    Raises:
        UserError: no Yosys, Yosys refuses, or the library lacks a cell.
    """
    scratch = library.files[0].parent
    boxes = [box["module"] for box in json.loads(folder.boxes.read_text())]
    modules = json.loads((folder.work / "modules.json").read_text())
    shutil.copy(folder.rtl, scratch / f"{TOP}.v")
    for name in boxes:
        shutil.copy(folder.stubs / f"{name}.v", scratch)
    (scratch / "script.ys").write_text(_script(modules, boxes, library, choices))
    try:
        log = run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], scratch)
    except UserError as error:
        if "cannot be legalized" in str(error):
            raise _lacks(library, "no flip-flop") from None
        raise
    added = _buffer(scratch, library, avoided(library, choices))
    (scratch / "script.ys").write_text(_written_script(library))
    run_tool("yosys", ["-q", "-l", "log2.txt", "-s", "script.ys"], scratch)
    stat = json.loads((scratch / "stat.json").read_text())
    _checked(stat["design"]["num_cells_by_type"], library)
    netlist = (scratch / "netlist.v").read_text().replace(" signed ", " ")
    write_atomically(folder.netlist, netlist.encode())
    shutil.copy(scratch / "log.txt", folder.work / "map.log")
    (scratch / "script.ys").write_text(_models_script(library))
    run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], scratch)
    models = cell_models((scratch / "models.v").read_text(), stat["design"]["num_cells_by_type"])
    write_atomically(folder.work / "cells.v", models.encode())
    told = {"stat": stat, "buffers": added, "tool": yosys_version(log), "library": library.name}
    write_atomically(folder.work / "map.json", json.dumps(told, sort_keys=True).encode())


def cell_models(text: str, used: Mapping[str, int]) -> str:
    """The modules of ``text`` that are ``used``, in its order."""
    found = (one[0] for one in _MODULE.finditer(text) if one[1] in used)
    return "\n\n".join(found) + "\n"


def map_files(folder: Folder) -> list[Path]:
    """What :func:`map_design` left."""
    work = folder.work
    return [folder.netlist, work / "cells.v", work / "map.json", work / "map.log"]
