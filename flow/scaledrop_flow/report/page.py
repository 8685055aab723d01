# SPDX-License-Identifier: Apache-2.0
"""The report of a run as one HTML file that needs nothing but itself.

A report key that is null or absent is shown as not run or not given; it never stops the page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scaledrop.energy import Band, format_band
from scaledrop.errors import UserError
from scaledrop_cosim.simulation import subject_of
from scaledrop_flow.report.pictures import energy_picture, entropy_picture, thumbnail

__all__ = ["Gallery", "render"]

SHOWN = 6
SHOWN_WRONG = 24
NOTHING = "–"  # noqa: RUF001
CHECKED = (
    ("masks", "mask bits"),
    ("hidden_bits", "hidden activations, codes"),
    ("logits", "logits"),
    ("sums", "sums of logits, weighted"),
    ("squares", "sums of their squares"),
    ("votes", "votes"),
    ("predicted", "predicted classes"),
    ("covered", "covered weights"),
    ("abstain", "flags to abstain"),
    ("counters", "event and cycle counters"),
    ("device_writes", "number of write pulses at the spin unit"),
    ("monitors", "status of the monitors"),
)

PARTS = (
    "network",
    "array",
    "checked",
    "accuracy",
    "accuracy_of_results",
    "uncertainty",
    "cycles",
    "events",
    "energy_j",
    "wall_s",
    "versions",
)


@dataclass(frozen=True, eq=False)
class Gallery:
    """The images of a run and what was predicted for them; N images, K classes.

    Attributes:
        images: (N, H, W) uint8, 0 black.
        labels: (N,) true classes.
        mean: (N, K) probabilities, averaged over the passes.
        entropy: (N,) predictive entropy in nats.
        mutual_information: (N,) nats.
        votes: (N, K) passes won by each class.

    Raises:
        UserError: an array has another shape.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    entropy: npt.NDArray[np.float64]
    mutual_information: npt.NDArray[np.float64]
    votes: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.ndim != 3:
            raise UserError(f"gallery.images: must be (N, H, W), not {self.images.shape}; reshape")
        count = len(self.images)
        classes = self.mean.shape[-1] if self.mean.ndim else 0
        for name in ("labels", "mean", "entropy", "mutual_information", "votes"):
            expected = (count, classes) if name in {"mean", "votes"} else (count,)
            found = getattr(self, name).shape
            if found != expected:
                raise UserError(f"gallery.{name}: must be {expected}, not {found}; reshape")

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """(N,) class of the highest mean probability; the lowest index wins a tie."""
        return np.asarray(np.argmax(self.mean, axis=1), dtype=np.int64)


def _card(gallery: Gallery, index: int) -> dict[str, Any]:
    votes, predicted = gallery.votes[index], int(gallery.predicted[index])
    truth = int(gallery.labels[index])
    passes = max(int(votes.sum()), 1)
    return {
        "index": index,
        "picture": thumbnail(gallery.images[index]),
        "predicted": predicted,
        "truth": truth,
        "probability": float(gallery.mean[index, predicted]),
        "entropy": float(gallery.entropy[index]),
        "mutual_information": float(gallery.mutual_information[index]),
        "votes": [
            {
                "name": k,
                "count": int(n),
                "percent": round(100 * int(n) / passes, 1),
                "kind": "truth" if k == truth else "predicted" if k == predicted else "other",
            }
            for k, n in enumerate(votes)
        ],
    }


def _shelves(gallery: Gallery) -> list[dict[str, Any]]:
    """The three rows of the gallery: title, what it shows, cards."""
    order = np.argsort(gallery.entropy, kind="stable")
    wrong = np.flatnonzero(gallery.predicted != gallery.labels)
    wrong = wrong[np.argsort(-gallery.entropy[wrong], kind="stable")]
    note = f"{len(wrong):,} of {len(order):,}, the least certain first"
    if len(wrong) > SHOWN_WRONG:
        note += f"; {SHOWN_WRONG} shown"
    chosen = (
        ("Most certain", "lowest entropy", order[:SHOWN]),
        ("Least certain", "highest entropy", order[::-1][:SHOWN]),
        ("Wrong", note if len(wrong) else "none", wrong[:SHOWN_WRONG]),
    )
    return [
        {"title": title, "note": text, "cards": [_card(gallery, int(i)) for i in indices]}
        for title, text, indices in chosen
    ]


def _count(value: Any) -> str:
    """An integer with thousands separated, a float at four digits, anything else as text."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _networks(report: Mapping[str, Any]) -> str:
    """How many networks are averaged: passes, or in mode ``exact`` masks."""
    exact = report.get("mode") == "exact"
    count = report.get("leaves" if exact else "passes")
    one, more = ("mask", "masks") if exact else ("pass", "passes")
    return f"{_count(count)} {one if count == 1 else more}"


def _percent(value: Any, digits: int = 2) -> str:
    return "not run" if value is None else f"{100 * value:.{digits}f} %"


def _covered(value: Any) -> str:
    """A share, rounded down: all means all."""
    return NOTHING if value is None else f"{math.floor(10_000 * value) / 100:.2f} %"


def _share(value: Any) -> str:
    return "under 0.1 %" if value and value < 0.0005 else _percent(value, 1)


def _band(energy: Mapping[str, Any]) -> str:
    if any(energy.get(key) is None for key in ("value", "low", "high")):
        return "not estimated"
    return format_band(Band(energy["value"], energy["low"], energy["high"]))


def _pairs(predicted: Any, simulated: Any) -> dict[str, Any]:
    """Predicted and simulated as text, and whether both are known and differ."""
    known = predicted is not None and simulated is not None
    return {
        "predicted": _count(predicted),
        "simulated": _count(simulated),
        "differ": known and predicted != simulated,
    }


def _events(events: Mapping[str, Any]) -> dict[str, Any]:
    predicted, simulated = events.get("predicted") or {}, events.get("simulated") or {}
    layers = list(dict.fromkeys([*predicted, *simulated]))
    sides = [side.get(layer) or {} for layer in layers for side in (predicted, simulated)]
    names = list(dict.fromkeys(name for side in sides for name in side))
    rows = [
        {
            "name": name,
            "cells": [
                _pairs(
                    (predicted.get(layer) or {}).get(name), (simulated.get(layer) or {}).get(name)
                )
                for layer in layers
            ],
        }
        for name in names
    ]
    return {"layers": layers, "rows": rows}


def _energy_svg(components: list[Mapping[str, Any]]) -> Markup | None:
    good = [c for c in components if None not in (c.get("value"), c.get("low"), c.get("high"))]
    return Markup(energy_picture(good)) if good else None


def _entropy_svg(gallery: Gallery) -> Markup | None:
    if not len(gallery.entropy):
        return None
    right = gallery.predicted == gallery.labels
    limit = float(np.log(gallery.mean.shape[1]))
    return Markup(entropy_picture(gallery.entropy, right, limit))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        n=_count, percent=_percent, band=_band, share=_share, covered=_covered
    )
    return environment


def render(report: Mapping[str, Any], gallery: Gallery) -> str:
    """The page as HTML; the same report and gallery give the same bytes.

    Args:
        report: The report of a run, as in ``report.json``.
        gallery: Its images and predictions.
    """
    r: dict[str, Any] = {key: report.get(key) or {} for key in PARTS}
    lists = {key: list(report.get(key) or []) for key in ("skips", "backends")}
    energy, cycles = r["energy_j"], r["cycles"]
    components = list(energy.get("by_component") or [])
    template = _environment().get_template("page.html.j2")
    return template.render(
        report=report,
        exact=report.get("mode") == "exact",
        networks=_networks(report),
        subject=subject_of(report),
        **r,
        **lists,
        checks=CHECKED,
        shelves=_shelves(gallery),
        classes=gallery.mean.shape[1],
        entropy_svg=_entropy_svg(gallery),
        energy_svg=_energy_svg(components),
        components=sorted(components, key=lambda one: -(one.get("value") or 0)),
        cycle_total=_pairs(cycles.get("predicted"), cycles.get("simulated")),
        cycle_rows=[
            {"name": one.get("name"), **_pairs(one.get("predicted"), one.get("simulated"))}
            for one in cycles.get("by_layer") or []
        ],
        event_table=_events(r["events"]),
    )
