# SPDX-License-Identifier: Apache-2.0
"""The checks that claims name: from the tables to a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from scaledrop.energy import Band, format_band
from scaledrop.energy.comparison import NOT_EQUAL_WORK, Holds, compare, figure
from scaledrop.energy.published import load_published
from scaledrop.errors import UserError
from scaledrop_flow.comparison.claims import Claim, Finding, Verdict
from scaledrop_flow.comparison.scores import SCORED
from scaledrop_flow.comparison.tables import Line, Tables

__all__ = ["CHECKS", "judged"]

OURS = "scale-dropout"
PRICED_ON = "fashion-mnist"
"""LeNet-5 for images of 28 x 28 and ten classes, as the published energies."""
OTHER_NETWORKS = ("residual", "stochastic-depth", "vit")
"""Methods that do not run the common network, by how their keys begin."""
Check = Callable[[Claim, Tables], Finding]


def _ours(tables: Tables) -> list[Line]:
    return [line for line in tables.lines if line.method == OURS]


def _priced(tables: Tables) -> Line | None:
    found = _ours(tables)
    return next((line for line in found if line.set == PRICED_ON), found[0] if found else None)


def _band(line: Line) -> Band:
    return Band(*(line.over(name).mean * 1e-6 for name in ("uj", "uj_low", "uj_high")))


def _nothing(claim: Claim) -> Finding:
    missing = "the table has no row of it; run 'scaledrop study methods'"
    return Finding("", "", Verdict.UNTESTED, missing)


def _said(tables: Tables) -> str:
    return ", ".join(tables.sets)


def _energy_of_published(claim: Claim, tables: Tables) -> Finding:
    line = _priced(tables)
    if line is None:
        return _nothing(claim)
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


def _energy_itself(claim: Claim, tables: Tables) -> Finding:
    line = _priced(tables)
    if line is None:
        return _nothing(claim)
    reason = "the figure is remembered, and what went into it is not known"
    text = f"{format_band(_band(line))}, estimated"
    return Finding(text, f"LeNet-5, {line.set}", Verdict.UNTESTED, reason)


def _ratios(column: str, tables: Tables) -> list[tuple[float, Line]]:
    """A column of every method over ours on the same set, the largest first."""
    found = []
    for ours in _ours(tables):
        for line in tables.of_set(ours.set):
            if line.method != OURS and not line.method.startswith(OTHER_NETWORKS):
                found.append((line.over(column).mean / ours.over(column).mean, line))
    return sorted(found, key=lambda one: -one[0])


def _of_methods(column: str, unit: str, reason: str) -> Check:
    def check(claim: Claim, tables: Tables) -> Finding:
        ratios = _ratios(column, tables)
        if not ratios:
            return _nothing(claim)
        ratio, line = ratios[0]
        text = f"of all methods {line.title} takes most {unit}: {figure(ratio)} times Scale-Dropout"
        met = ratio >= claim.wanted
        return Finding(text, line.set, Verdict.YES if met else Verdict.NO, "" if met else reason)

    return check


def _tally(claim: Claim, tables: Tables) -> tuple[dict[str, int], str]:
    """How often ours is better, worse, neither; and its largest gain in words."""
    counts = {"better": 0, "worse": 0, "no difference": 0}
    gains = []
    for row in tables.differences:
        wanted = row["against"] == OURS and row["method"] in claim.rivals
        if not wanted or row["score"] not in claim.scores:
            continue
        # The row is the rival less ours.
        turned = {"better": "worse", "worse": "better"}
        counts[turned.get(row["standing"], "no difference")] += 1
        sign = -1 if SCORED[row["score"]].larger_is_better else 1
        gains.append((sign * float(row["difference"]), row))
    if not gains:
        return counts, ""
    gain, row = max(gains, key=lambda one: one[0])
    title = SCORED[row["score"]].title
    return counts, f"largest gain {gain:+.4f} in {title} over {row['method']} on {row['set']}"


def _better(most: bool) -> Check:
    def check(claim: Claim, tables: Tables) -> Finding:
        counts, gain = _tally(claim, tables)
        total = sum(counts.values())
        if not total:
            return _nothing(claim)
        better, worse = counts["better"], counts["worse"]
        enough = better > total / 2 if most else better > 0
        verdict = Verdict.NO
        if enough and not worse:
            verdict = Verdict.YES
        elif better > worse or (better and not most):
            verdict = Verdict.PART
        text = (
            f"better in {better} of {total} comparisons, worse in {worse}, no difference in "
            f"{counts['no difference']}; {gain}"
        )
        rivals = ", ".join(claim.rivals)
        reason = "" if better else "no difference is larger than what seeds and images scatter"
        return Finding(text, f"against {rivals}; {_said(tables)}", verdict, reason)

    return check


def _fewer_passes(claim: Claim, tables: Tables) -> Finding:
    fewer = total = 0
    told = []
    for ours in _ours(tables):
        mine = ours.over("passes_enough").mean
        rivals = [tables.line(ours.set, key) for key in claim.rivals]
        theirs = [one.over("passes_enough").mean for one in rivals if one is not None]
        if theirs:
            fewer, total = fewer + sum(mine < one for one in theirs), total + len(theirs)
            others = " / ".join(f"{one:.1f}" for one in theirs)
            told.append(f"{ours.set}: {mine:.1f} against {others}")
    if not total:
        return _nothing(claim)
    verdict = Verdict.YES if fewer == total else Verdict.PART if fewer > total / 2 else Verdict.NO
    text = "passes until the NLL is within 0.01 nats of that of all: " + "; ".join(told)
    return Finding(text, f"against {', '.join(claim.rivals)}", verdict)


def _one_unit(claim: Claim, tables: Tables) -> Finding:
    ours = _ours(tables)
    if not ours:
        return _nothing(claim)
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
    return Finding(text, f"generators that an output position waits for; {_said(tables)}", verdict)


def _spatial(column: str, what: str, reason: str, tested: bool) -> Check:
    def check(claim: Claim, tables: Tables) -> Finding:
        found = []
        for name in tables.sets:
            one, maps = tables.line(name, "spindrop"), tables.line(name, "spatial-spindrop")
            if one is not None and maps is not None:
                found.append((one.over(column).mean / maps.over(column).mean, name))
        if not found:
            return _nothing(claim)
        ratio, name = max(found)
        text = f"SpinDrop over Spatial-SpinDrop: {figure(ratio)} times the {what}"
        if not tested:
            return Finding(text, name, Verdict.UNTESTED, reason)
        met = ratio >= claim.wanted
        return Finding(text, name, Verdict.YES if met else Verdict.NO, "" if met else reason)

    return check


def _best_auroc(claim: Claim, tables: Tables) -> Finding:
    found = [
        (line.over(f"auroc_{at}").mean, line, line[f"unknown_{at}"])
        for line in tables.lines
        for at in (1, 2)
    ]
    if not found:
        return _nothing(claim)
    best, line, what = max(found, key=lambda one: one[0])
    text = f"highest AUROC {best:.3f}: {line.title} on {line.set} against {what}"
    reason = "a rate of detection at an unknown threshold on unknown data is no AUROC"
    return Finding(text, _said(tables), Verdict.UNTESTED, reason)


def _elsewhere(claim: Claim, tables: Tables) -> Finding:
    return Finding("", "", Verdict.UNTESTED, claim.reason)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "energy_of_published": _energy_of_published,
        "energy_itself": _energy_itself,
        "energy_of_methods": _of_methods(
            "uj",
            "energy",
            "all methods share the array, the converters and one-bit weights here; what the "
            "claim is relative to was not at hand",
        ),
        "memory_of_methods": _of_methods(
            "memory_bits",
            "memory",
            "all methods have one-bit weights here, and M = 5 members at most; what the claim is "
            "relative to was not at hand",
        ),
        "better_in_some": _better(most=False),
        "better_in_most": _better(most=True),
        "fewer_passes": _fewer_passes,
        "one_unit": _one_unit,
        "spatial_energy": _spatial(
            "uj",
            "energy of an image",
            "the claim's baseline is not known; converters and cells, the same for both, are most "
            "of an image here",
            tested=True,
        ),
        "spatial_modules": _spatial(
            "numbers_per_pass",
            "numbers a pass",
            "the claim counts modules of a mapping by kernel positions, here numbers are counted",
            tested=False,
        ),
        "best_auroc": _best_auroc,
        "elsewhere": _elsewhere,
    }
)


def judged(claim: Claim, tables: Tables) -> Finding:
    """The finding of a claim's check.

    Raises:
        UserError: there is no such check.
    """
    if claim.check not in CHECKS:
        raise UserError(
            f"claims: {claim.claim} names check {claim.check!r}; choose one of {', '.join(CHECKS)}"
        )
    return CHECKS[claim.check](claim, tables)
