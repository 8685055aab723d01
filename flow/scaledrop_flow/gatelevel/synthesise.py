# SPDX-License-Identifier: Apache-2.0
"""From the generated Verilog to a netlist of a kind, by Yosys."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop_flow.gatelevel.kinds import NetlistKind, find_kind
from scaledrop_flow.gatelevel.mapped import MappedNetlist, write_netlist
from scaledrop_flow.gatelevel.models import model_text, modules_of
from scaledrop_flow.synthesis.tools import run_tool, tool_version

__all__ = ["make_netlist"]

KEPT = ("netlist.v", "stat.json", "library.v")


def _script(kind: NetlistKind, top: str) -> str:
    library = (
        ()
        if kind.library is None
        else (f"tee -q -o library.v read_verilog -ppdump {kind.library}", "design -reset")
    )
    return "\n".join(
        (
            *library,
            "read_verilog design.v",
            *(step.format(top=top) for step in kind.steps),
            # Names that no cell drives go, and with them most of the text.
            "opt_clean -purge",
            "check -assert",
            "tee -q -o stat.json stat -json",
            "write_verilog -noattr netlist.v",
            "",
        )
    )


def _yosys(rtl: Path, script: str, folder: Path) -> None:
    """Fill ``folder`` with what the script writes, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="scaledrop-") as scratch:
        work = Path(scratch)
        shutil.copy(rtl, work / "design.v")
        (work / "script.ys").write_text(script)
        run_tool("yosys", ["-q", "-l", "log.txt", "-s", "script.ys"], work)
        for name in KEPT:
            if (work / name).exists():
                write_atomically(folder / name, (work / name).read_bytes())


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:20]


def make_netlist(rtl: Path, kind: str, folder: Path, cache: Path) -> MappedNetlist:
    """Write the netlist of ``rtl`` (its ``.json`` lies beside it) into ``folder``.

    Yosys' part is kept in ``cache`` under the digest of the Verilog, the script and the version.

    Args:
        kind: Of :data:`scaledrop_flow.gatelevel.kinds.KINDS`.

    Raises:
        UserError: the kind is not known, Yosys is missing or refuses, a cell has no simulation
            model, or a folder cannot be written.
    """
    found = find_kind(kind)
    top = json.loads(rtl.with_suffix(".json").read_text())["module"]
    script, tool = _script(found, top), tool_version("yosys")
    made = cache / f"netlist-{_digest([tool, script, rtl.read_text()])}"
    needed = KEPT[: 2 if found.library is None else 3]
    if not all((made / name).exists() for name in needed):
        _yosys(rtl, script, made)
    text, stat = ((made / name).read_text() for name in KEPT[:2])
    cells = json.loads(stat[stat.index("{") :])["design"]["num_cells_by_type"]
    models = ""
    if found.library is not None:
        library = modules_of((made / KEPT[2]).read_text())
        for path in found.more:
            library |= modules_of(path.read_text())
        models = model_text(kind, cells, library)
    return write_netlist(rtl, folder, kind, text, models, cells, tool)
