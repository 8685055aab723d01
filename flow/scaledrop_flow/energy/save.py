# SPDX-License-Identifier: Apache-2.0
"""The result as JSON, as pictures and as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop.energy import Band, format_band
from scaledrop.energy.comparison import verdict
from scaledrop.energy.published import Published
from scaledrop.frozen_file import digest
from scaledrop.walk import Mode
from scaledrop.workload import pipeline_timing
from scaledrop_flow.energy.configurations import Priced
from scaledrop_flow.energy.independent import Beside
from scaledrop_flow.energy.result import EnergyResult
from scaledrop_flow.energy_report import (
    EnergySection,
    Kind,
    Level,
    Picture,
    Step,
    band_picture,
    bar_of,
    breakdown_picture,
    ceilings_of,
    level_of,
    points_of,
    render_page,
    roofline_picture,
    tornado_picture,
    waterfall_picture,
)
from scaledrop_flow.report.style import save

__all__ = ["as_json", "save_energy", "section_of"]

GOAL = 0.19e-6
"""Joules per image: a hundredth of the confirmed baseline, VIBNN."""


def _band(band: Band) -> dict[str, float]:
    return {"value": band.value, "low": band.low, "high": band.high}


def _priced(one: Priced) -> dict[str, Any]:
    return {
        "way": one.way.name,
        "mode": str(one.way.mode),
        "datapath": "folded" if one.way.folded else "reference",
        **one.estimate.as_json(),
    }


def _beside(one: Beside) -> dict[str, Any]:
    return {
        "name": one.reference.name,
        "joules_per_pass": one.reference.joules,
        "parts_nj": dict(one.reference.parts_nj),
        "ours": _band(one.ours),
        "ours_parts": {name: _band(band) for name, band in one.parts.items()},
        "ratio": one.ratio,
    }


def as_json(result: EnergyResult, command: str) -> dict[str, Any]:
    """The report: plain dictionaries, lists, text and numbers."""
    setting, chosen = result.setting, result.chosen
    array = setting.array
    return {
        "network": result.network.name,
        "model_sha256": digest(result.network),
        "command": command,
        "passes": setting.passes,
        "seed": setting.seed,
        "images": chosen.workload.images,
        "array": {"rows": array.rows, "columns": array.columns, "lanes": array.lanes},
        "convolution": setting.convolution,
        "converter_bits": setting.converter_bits,
        "table": result.table.name,
        "counts": "RTL" if result.counted else "mapping",
        "events": chosen.workload.counts,
        "mass": chosen.workload.mass,
        "chosen": _priced(chosen),
        "steps": [_priced(one) for one in result.steps],
        "shared_gain": result.shared_gain,
        "sensitivity": [
            {"name": one.name, "low": one.low, "high": one.high, "unverified": one.unverified}
            for one in result.swings
        ],
        "published": [
            {
                "name": one.row.name,
                "joules": one.row.joules,
                "verified": one.row.verified,
                "over_ours": _band(one.times),
            }
            for one in result.ratios
        ],
        "verdict": verdict(result.ratios),
        "sources": [
            {"name": one.name, "numbers": one.numbers, **_band(one.joules), "sums": one.sums}
            for one in result.sources
        ],
        "independent": [_beside(one) for one in result.independent],
        "assumptions": list(result.assumptions),
        "not_counted": list(chosen.estimate.not_counted),
    }


def _levels(result: EnergyResult) -> list[Level]:
    ours = [Level(one.way.name, one.estimate.joules, Kind.OURS) for one in result.steps]
    rows: list[Published] = [one.row for one in result.ratios]
    return [*ours, *(level_of(row) for row in rows)]


def _pictures(result: EnergyResult) -> list[Picture]:
    bars = [bar_of(one.way.name, one.estimate) for one in result.steps]
    chosen = result.chosen
    told = "; ".join(
        f"{one.reference.name}: {one.ratio:.2g} times its figure" for one in result.independent
    )
    return [
        Picture(
            *("energy-steps", "From the paper's architecture to ours"),
            waterfall_picture([Step(one.way.name, one.estimate.joules) for one in result.steps]),
            f"Shared prefixes alone: {result.shared_gain:.1f} times less.",
        ),
        Picture("energy-parts", "Where the joules go", breakdown_picture(bars, relative=True)),
        Picture(
            *("energy-bands", "Beside published figures"),
            band_picture(_levels(result), GOAL, "a hundredth of VIBNN"),
            f"Against another tool in its own configuration, one pass: {told}.",
        ),
        Picture(
            *("energy-tornado", "What each row of the table moves"),
            tornado_picture(chosen.estimate.joules.value, result.swings),
        ),
        Picture(
            *("energy-roofline", "What bounds each layer"),
            roofline_picture(
                points_of(chosen.workload.layout, chosen.workload.counts, pipeline_timing().spin),
                ceilings_of(chosen.workload.layout),
            ),
        ),
    ]


def section_of(result: EnergyResult, command: str) -> EnergySection:
    """The page's content."""
    chosen, setting = result.chosen, result.setting
    passes = "" if chosen.way.mode is Mode.EXACT else f", T = {setting.passes}"
    return EnergySection(
        title=f"{result.network.name}, {chosen.way.mode}",
        joules=chosen.estimate.joules,
        bars=[bar_of(one.way.name, one.estimate) for one in (*result.steps, chosen)],
        pictures=_pictures(result),
        ratios=result.ratios,
        sources=result.sources,
        references=[one.reference for one in result.independent],
        assumptions=result.assumptions,
        not_counted=chosen.estimate.not_counted,
        lede=f"mode {chosen.way.mode}{passes}, {chosen.estimate.seconds * 1e6:.3g} us, "
        f"{chosen.estimate.area.value / 1e6:.2g} mm2, table {result.table.name}",
        command=command,
    )


def save_energy(result: EnergyResult, command: str, out: Path) -> None:
    """``energy.json``, ``index.html`` and the pictures as SVG in ``out``.

    Raises:
        UserError: the folder cannot be written.
    """
    section = section_of(result, command)
    text = json.dumps(as_json(result, command), indent=2) + "\n"
    write_atomically(out / "energy.json", text.encode())
    write_atomically(out / "index.html", render_page(section).encode())
    for picture in section.pictures:
        save(picture.figure, out / f"{picture.name}.svg")


def told(result: EnergyResult) -> str:
    """``"110 nJ (38 to 430 nJ)"`` of what the result is about."""
    return format_band(result.chosen.estimate.joules)
