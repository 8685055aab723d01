# SPDX-License-Identifier: Apache-2.0
"""Checks of claims about joules, memory and generators."""

from __future__ import annotations

from collections.abc import Callable

from scaledrop.energy import Band, format_band
from scaledrop.energy.comparison import NOT_EQUAL_WORK, Holds, compare, figure
from scaledrop.energy.published import load_published
from scaledrop_flow.comparison.claims import Claim, Finding, Verdict
from scaledrop_flow.comparison.tables import Line, Tables

__all__ = [
    "OURS",
    "Check",
    "energy_itself",
    "energy_of_published",
    "nothing",
    "of_methods",
    "one_unit",
    "ours_of",
    "sets_of",
    "spatial",
]

OURS = "scale-dropout"
PRICED_ON = "fashion-mnist"
"""LeNet-5 for images of 28 x 28 and ten classes, as the published energies."""
OTHER_NETWORKS = ("residual", "stochastic-depth", "vit")
"""Methods that do not run the common network, by how their keys begin."""
Check = Callable[[Claim, Tables], Finding]


def ours_of(tables: Tables) -> list[Line]:
    """Our rows, one a set."""
    return [line for line in tables.lines if line.method == OURS]


def _priced(tables: Tables) -> Line | None:
    found = ours_of(tables)
    return next((line for line in found if line.set == PRICED_ON), found[0] if found else None)


def _band(line: Line) -> Band:
    return Band(*(line.over(name).mean * 1e-6 for name in ("uj", "uj_low", "uj_high")))


def nothing(claim: Claim) -> Finding:
    """Of a claim whose rows were not measured."""
    missing = "the table has no row of it; run 'scaledrop study methods'"
    return Finding("", "", Verdict.UNTESTED, missing)


def sets_of(tables: Tables) -> str:
    """The sets, for people."""
    return ", ".join(tables.sets)


def energy_of_published(claim: Claim, tables: Tables) -> Finding:
    """So many times less than the verified published baseline that is hardest to beat."""
    line = _priced(tables)
    if line is None:
        return nothing(claim)
    ratios = [
        one
        for one in compare(_band(line), load_published(), claim.wanted)
        if one.row.verified and one.row.baseline
    ]
    hardest = min(ratios, key=lambda one: one.row.uj_per_image)
    verdict = {Holds.ALL: Verdict.YES, Holds.VALUE: Verdict.PART}.get(hardest.holds, Verdict.NO)
    times = hardest.times
    text = (
        f"ours {format_band(_band(line))}, estimated; {hardest.row.name} takes "
        f"{figure(times.value)} times that ({figure(times.low)} to {figure(times.high)}); "
        f"{figure(claim.wanted)} times holds {hardest.holds}"
    )
    return Finding(text, f"LeNet-5, {line.set}, T = {line['passes']}", verdict, NOT_EQUAL_WORK)


def energy_itself(claim: Claim, tables: Tables) -> Finding:
    """Our figure beside one that is remembered."""
    line = _priced(tables)
    if line is None:
        return nothing(claim)
    reason = "the figure is remembered, and what went into it is not known"
    text = f"{format_band(_band(line))}, estimated"
    return Finding(text, f"LeNet-5, {line.set}", Verdict.UNTESTED, reason)


def _ratios(column: str, tables: Tables) -> list[tuple[float, Line]]:
    """A column of every method over ours on the same set, the largest first."""
    found = []
    for ours in ours_of(tables):
        for line in tables.of_set(ours.set):
            if line.method != OURS and not line.method.startswith(OTHER_NETWORKS):
                found.append((line.over(column).mean / ours.over(column).mean, line))
    return sorted(found, key=lambda one: -one[0])


def of_methods(column: str, unit: str, reason: str) -> Check:
    """So many times less than the method that takes most, on the common network."""

    def check(claim: Claim, tables: Tables) -> Finding:
        ratios = _ratios(column, tables)
        if not ratios:
            return nothing(claim)
        ratio, line = ratios[0]
        text = f"of all methods {line.title} takes most {unit}: {figure(ratio)} times Scale-Dropout"
        met = ratio >= claim.wanted
        return Finding(text, line.set, Verdict.YES if met else Verdict.NO, "" if met else reason)

    return check


def one_unit(claim: Claim, tables: Tables) -> Finding:
    """One generator, whatever the set."""
    ours = ours_of(tables)
    if not ours:
        return nothing(claim)
    units = {int(line["generators"]) for line in ours}
    others = {
        line.title: int(line["generators"])
        for line in tables.lines
        if line.method != OURS and line.priced
    }
    alike = [title for title, count in others.items() if count == 1]
    most = max(others.values(), default=0)
    text = f"{max(units)} at a time; other methods up to {most}"
    text += f"; {', '.join(alike)} also need one" if alike else ""
    verdict = Verdict.YES if units == {1} else Verdict.NO
    return Finding(
        text, f"generators that an output position waits for; {sets_of(tables)}", verdict
    )


def spatial(column: str, what: str, reason: str, tested: bool) -> Check:
    """SpinDrop over Spatial-SpinDrop in a column."""

    def check(claim: Claim, tables: Tables) -> Finding:
        found = []
        for name in tables.sets:
            one, maps = tables.line(name, "spindrop"), tables.line(name, "spatial-spindrop")
            if one is not None and maps is not None and maps.over(column).mean:
                found.append((one.over(column).mean / maps.over(column).mean, name))
        if not found:
            return nothing(claim)
        ratio, name = max(found)
        text = f"SpinDrop over Spatial-SpinDrop: {figure(ratio)} times the {what}"
        if not tested:
            return Finding(text, name, Verdict.UNTESTED, reason)
        met = ratio >= claim.wanted
        return Finding(text, name, Verdict.YES if met else Verdict.NO, "" if met else reason)

    return check
