# SPDX-License-Identifier: Apache-2.0
"""A campaign as JSON, as lines for a person, and its failures as stored cases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scaledrop.atomic import write_atomically
from scaledrop_flow.fuzz.campaign import SEED_STEP, Campaign
from scaledrop_flow.fuzz.run import Outcome

__all__ = ["entry", "lines", "report", "store"]


def _total(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _failure(campaign: Campaign, outcome: Outcome) -> dict[str, Any]:
    small = campaign.shrunk.get(outcome.case.seed)
    return {
        "seed": outcome.case.seed,
        "found": str(outcome),
        "case": outcome.case.as_json(),
        "smallest": None if small is None else entry(small),
    }


def entry(outcome: Outcome) -> dict[str, Any]:
    """A case with what was found, as it is stored."""
    return {"found": str(outcome), "case": outcome.case.as_json()}


def report(campaign: Campaign, seconds: float) -> dict[str, Any]:
    """Everything worth keeping, as JSON values."""
    outcomes, choices = campaign.outcomes, campaign.choices
    checked = _total(one.checked for one in outcomes)
    features = Counter(name for one in outcomes for name in one.features)
    return {
        "ok": not campaign.failures and not campaign.interrupted,
        "interrupted": campaign.interrupted,
        "seed": choices.seed,
        "first_case_seed": choices.seed * SEED_STEP,
        "asked": choices.count,
        "networks": len(outcomes),
        "engines": dict(sorted(Counter(one.case.engine for one in outcomes).items())),
        "checked": {"total": sum(checked.values()), **checked},
        "layers": _total(one.layers for one in outcomes),
        "modes": dict(sorted(Counter(one.case.mode for one in outcomes).items())),
        "cycles": sum(one.cycles for one in outcomes),
        "seconds": round(seconds, 1),
        "case_seconds": round(sum(one.seconds for one in outcomes), 1),
        "coverage": dict(sorted(features.items())),
        "failures": [_failure(campaign, one) for one in campaign.failures],
    }


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def lines(values: dict[str, Any]) -> list[str]:
    """The summary."""
    spent = values["case_seconds"] / max(values["networks"], 1)
    found = [
        f"networks    {values['networks']:,} of {values['asked']:,} ({_listed(values['engines'])})",
        f"checked     {values['checked']['total']:,} values",
        f"layers      {_listed(values['layers'])}",
        f"modes       {_listed(values['modes'])}",
        f"coverage    {len(values['coverage'])} features",
        f"time        {values['seconds']:,} s, {spent:.2f} s a case and process",
        f"failures    {len(values['failures'])}",
    ]
    for one in values["failures"]:
        found.append(f"  seed {one['seed']}: {one['found']}")
        if one["smallest"]:
            found.append(f"    smallest: {one['smallest']['found']}")
    return found


def store(campaign: Campaign, folder: Path) -> list[Path]:
    """Write each failure, as small as it became, to a file of its own."""
    paths = []
    for outcome in campaign.failures:
        small = campaign.shrunk.get(outcome.case.seed, outcome)
        path = folder / f"seed-{outcome.case.seed}.json"
        write_atomically(path, (json.dumps(entry(small), indent=2) + "\n").encode())
        paths.append(path)
    return paths
