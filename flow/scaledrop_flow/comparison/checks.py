# SPDX-License-Identifier: Apache-2.0
"""The checks that claims name: from the tables to a finding."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scaledrop.errors import UserError
from scaledrop_flow.comparison.checks_energy import (
    OURS,
    Check,
    energy_itself,
    energy_of_published,
    nothing,
    of_methods,
    one_unit,
    ours_of,
    sets_of,
    spatial,
)
from scaledrop_flow.comparison.claims import Claim, Finding, Verdict
from scaledrop_flow.comparison.scores import SCORED
from scaledrop_flow.comparison.tables import Tables

__all__ = ["CHECKS", "judged"]


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
            return nothing(claim)
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
        return Finding(text, f"against {rivals}; {sets_of(tables)}", verdict, reason)

    return check


def _fewer_passes(claim: Claim, tables: Tables) -> Finding:
    fewer = total = 0
    told = []
    for ours in ours_of(tables):
        mine = ours.over("passes_enough").mean
        rivals = [tables.line(ours.set, key) for key in claim.rivals]
        theirs = [one.over("passes_enough").mean for one in rivals if one is not None]
        if theirs:
            fewer, total = fewer + sum(mine < one for one in theirs), total + len(theirs)
            others = " / ".join(f"{one:.1f}" for one in theirs)
            told.append(f"{ours.set}: {mine:.1f} against {others}")
    if not total:
        return nothing(claim)
    verdict = Verdict.YES if fewer == total else Verdict.PART if fewer > total / 2 else Verdict.NO
    text = "passes until the NLL is within 0.01 nats of that of all: " + "; ".join(told)
    return Finding(text, f"against {', '.join(claim.rivals)}", verdict)


def _best_auroc(claim: Claim, tables: Tables) -> Finding:
    found = [
        (line.over(f"auroc_{at}").mean, line, line[f"unknown_{at}"])
        for line in tables.lines
        for at in (1, 2)
    ]
    if not found:
        return nothing(claim)
    best, line, what = max(found, key=lambda one: one[0])
    text = f"highest AUROC {best:.3f}: {line.title} on {line.set} against {what}"
    reason = "a rate of detection at an unknown threshold on unknown data is no AUROC"
    return Finding(text, sets_of(tables), Verdict.UNTESTED, reason)


def _elsewhere(claim: Claim, tables: Tables) -> Finding:
    return Finding("", "", Verdict.UNTESTED, claim.reason)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "energy_of_published": energy_of_published,
        "energy_itself": energy_itself,
        "energy_of_methods": of_methods(
            "uj",
            "energy",
            "all methods share the array, the converters and one-bit weights here; what the "
            "claim is relative to was not at hand",
        ),
        "memory_of_methods": of_methods(
            "memory_bits",
            "memory",
            "all methods have one-bit weights here, and M = 5 members at most; what the claim is "
            "relative to was not at hand",
        ),
        "better_in_some": _better(most=False),
        "better_in_most": _better(most=True),
        "fewer_passes": _fewer_passes,
        "one_unit": one_unit,
        "spatial_energy": spatial(
            "uj",
            "energy of an image",
            "the claim's baseline is not known; converters and cells, the same for both, are most "
            "of an image here",
            tested=True,
        ),
        "spatial_modules": spatial(
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
