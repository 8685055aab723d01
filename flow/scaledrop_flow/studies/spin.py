# SPDX-License-Identifier: Apache-2.0
"""What the physics of the spin unit does to predictions: bias, spread, drift, memory, defects.

Digits, the default perceptron, 360 held-out images; foreign are the same images turned by 30 to 180
degrees. A row is 32 devices, each with words of its own, the same words in every row; the ideal
device with the same words is the part that drawing T passes has in every figure, and the exact
marginal over all masks is what it is measured against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from scaledrop.data import load_digits, rotate
from scaledrop.device.card_file import load_card
from scaledrop.device.chain import spin_words
from scaledrop.freezing import freeze
from scaledrop_flow.steps.train import trained
from scaledrop_flow.studies.scale import ANGLES, variant_config
from scaledrop_flow.studies.spin_bits import BitSource, ideal_bits
from scaledrop_flow.studies.spin_cases import Case, Wafer, cases
from scaledrop_flow.studies.spin_masks import MaskTable, mask_shares, mask_table

__all__ = ["DEVICES", "NETWORKS", "PASSES", "spin_rows", "spin_study"]

NETWORKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "default": ("hikstor80", "foundry1ns", "lowbarrier40"),
        "mask per batch": ("hikstor80",),
    }
)
"""Variants of the study ``scale``, and the cards to run each on. Under the second one's training
the masks say some ten times as much as under the default."""
DEVICES, PASSES, WORD_SEED = 32, (20, 100), 1000


def spin_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each network, card, sweep, setting and number of passes: means and standard
    deviations over the devices."""
    digits = load_digits()
    turned = np.concatenate([rotate(digits.test_images, angle) for angle in ANGLES])
    for name, cards in NETWORKS.items():
        progress(f"{name}, every mask")
        network = freeze(trained(variant_config(name, 0), cache).net, {})
        table = mask_table(network, digits.test_images, digits.test_labels, turned)
        for row in spin_rows(table, cards, DEVICES, PASSES, progress):
            yield {"network": name, **row}


def spin_rows(
    table: MaskTable,
    cards: Sequence[str],
    count: int,
    passes: Sequence[int],
    progress: Callable[[str], None],
) -> Iterator[dict[str, Any]]:
    """The rows of a network on ``count`` devices of each card; the reference rows come first."""
    layers = len(table.drop_codes)
    yield {"sweep": "exact", "setting": "every mask", **table.scores(table.exact[None])}
    ideal = Case("ideal", "as programmed", ideal_bits(table.drop_codes, count))
    for number in passes:
        yield _row("", ideal, table, number)
    for card in cards:
        progress(f"{card}, trim of {count} devices")
        writes = table.images * max(passes) * layers
        for case in cases(Wafer(load_card(card), table.drop_codes, count, writes)):
            progress(f"{card}, {case.sweep}, {case.setting}")
            for number in passes:
                yield _row(card, case, table, number)


def _row(card: str, case: Case, table: MaskTable, passes: int) -> dict[str, Any]:
    runs = [_scores(case.source, device, table, passes) for device in range(len(case.source))]
    values = {name: np.array([run[name] for run in runs]) for name in runs[0]}
    return {
        "sweep": case.sweep,
        "setting": case.setting,
        "card": card,
        "passes": passes,
        "devices": len(runs),
        **{name: float(value.mean()) for name, value in values.items()},
        **{f"{name}_std": float(value.std(ddof=1)) for name, value in values.items()},
    }


def _scores(source: BitSource, device: int, table: MaskTable, passes: int) -> dict[str, float]:
    layers = len(table.drop_codes)
    words = spin_words(WORD_SEED + device, table.images * passes * layers)
    return table.scores(mask_shares(source.bits(device, words), table.images, layers))
