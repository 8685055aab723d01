# SPDX-License-Identifier: Apache-2.0
"""The verb that measures every component on FPGA families and compares with a baseline."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import CACHE, Cache, Datapath, app, write_json

__all__ = ["units"]

BASELINES, HISTORY, PAGE = (
    Path("docs/studies/units"),
    Path("docs/studies/units.csv"),
    Path("docs/units.md"),
)
ABOUT = (
    "Components of the LeNet-5 accelerator behind AXI (untrained network of `make bench`, array"
    " of 64 x 16), each with all that is inside of it, and named configurations as wholes "
    "(`config.`, untrained, with the memories of their weights), mapped alone by Yosys "
    "(`synth_ice40`, `synth_ecp5 -nowidelut`; a carry cell of ECP5 counts as two LUT4) and, up "
    "to 6,000 LUT4, placed and routed between registers by nextpnr on an LFE5U-25F, speed grade"
    " 6: median of three seeds ± half of best less worst. `make units` measures all of them "
    "again and fails where a figure leaves the baseline of the same tools "
    "([studies/units](studies/units)) by more than 2 % (at least 8) of the cells or 10 % of the"
    " clock; what no baseline has is measured and not compared. `scaledrop units --record "
    "LABEL` keeps a new one, of the units that `--only` names or of all, and writes this page."
)


@app.command()
def units(
    only: Annotated[list[str] | None, typer.Option(help="This unit; again for more.")] = None,
    record: Annotated[str, typer.Option(help="Label: keep as baseline and in the history.")] = "",
    datapath: Datapath = "reference",
    out: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path(
        "build/units.json"
    ),
    cache: Cache = CACHE,
) -> None:
    """Measure LUTs, flip-flops, memories, multipliers, clock of components and configurations."""
    from scaledrop.freezing import freeze
    from scaledrop.mapping import ArrayShape
    from scaledrop_flow.bench.inference import lenet5
    from scaledrop_flow.console import console
    from scaledrop_flow.units.baseline import (
        baseline_path,
        compare,
        read_baseline,
        write_baseline,
    )
    from scaledrop_flow.units.catalogue import units_of, wholes_of
    from scaledrop_flow.units.history import append_history, write_page
    from scaledrop_flow.units.measure import measure

    array = ArrayShape(64, 16)
    found = units_of(freeze(lenet5()[0], {}), array, datapath) | wholes_of(array, datapath)
    wanted = only or list(found)
    for name in wanted:
        if name not in found:
            raise UserError(f"only: no unit {name!r}; one of {', '.join(found)}")
    figures = {}
    for at, name in enumerate(wanted):
        figures[name] = one = measure(found[name], cache)
        clock = f", {one.median_mhz} MHz ± {one.spread_mhz}" if one.mhz else ""
        taken = f"{one.ice40.lut4} / {one.ecp5.lut4} LUT4{clock}"
        console.print(f"{at + 1:>3}/{len(wanted)} {name:<50} {taken}")
    write_json(out, {name: asdict(one) for name, one in figures.items()})
    baseline = baseline_path(BASELINES)
    if record:
        write_baseline(baseline, figures, record)
        write_page(PAGE, append_history(HISTORY, record, figures), ABOUT)
        console.print(f"wrote {baseline}, {HISTORY} and {PAGE}")
        return
    differences = compare(read_baseline(baseline), figures)
    for difference in differences:
        console.print(str(difference))
    console.print(f"{len(figures)} units, {len(differences)} figures beyond {baseline}")
    if differences:
        raise typer.Exit(1)
