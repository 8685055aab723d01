# SPDX-License-Identifier: Apache-2.0
"""What the array does to predictions: converters, spread, defects, wires; and what it costs.

LeNet-5 trained on MNIST, 2,000 test images; foreign are 500 of Fashion-MNIST and 500 of notMNIST
together. Every image is run under all 32 masks on every chip, so that the exact marginal and any
number of drawn passes are weights of the same logits. Steps of the converters are chosen on 50
training images (:func:`scaledrop.analog.choose_converters`). Nothing is retrained for the array.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.analog import AnalogArray, AnalogEngine, Converter, choose_converters
from scaledrop.atomic import write_atomically
from scaledrop.data import ImageSet, load_set
from scaledrop.energy import load_table
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.spin import masks_from_codes, uniform_words
from scaledrop.tile_sums import Converters
from scaledrop.training import named_config
from scaledrop_flow.steps.train import trained
from scaledrop_flow.studies.analog_cases import SHAPE, AnalogCase, analog_cases
from scaledrop_flow.studies.analog_price import AnalogPrice
from scaledrop_flow.studies.spin_masks import MaskTable, mask_shares, mask_table

__all__ = ["AnalogRig", "analog_study"]

NAME, TABLE = "lenet5-mnist", "mtj45"
KNOWN, FOREIGN, CHOICE, PRICED = 2000, 500, 50, 50
DRAWS, WORD_SEED = 5, 1
REVISION = 1
"""Of what a cached row holds."""
SCORES = (
    "accuracy",
    "nll",
    "ece",
    "mutual_information",
    "auroc_entropy",
    "auroc_mutual_information",
)


def analog_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each setting and number of passes (0: the exact marginal): means, and standard
    deviations over chips and draws. Finished settings are taken from ``cache``."""
    config = named_config(NAME)
    network = freeze(trained(config, cache, data=data).net, {})
    known = load_set(config.data, data)
    others = [load_set(name, data).test_images[:FOREIGN] for name in ("fashion-mnist", "notmnist")]
    rig = AnalogRig(network, known, np.concatenate(others))
    for case in analog_cases():
        path = cache / f"analog-{_key(case, rig)}.json"
        if not path.is_file():
            progress(f"{case.sweep}, {case.setting}")
            rows = list(rig.rows(case))
            write_atomically(path, json.dumps(rows).encode())
        yield from json.loads(path.read_text())


def _key(case: AnalogCase, rig: AnalogRig) -> str:
    text = f"{REVISION} {digest(rig.network)} {KNOWN} {FOREIGN} {CHOICE} {DRAWS} {case}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class AnalogRig:
    """A network and its images, ready for any chip.

    Parameters:
        known: the set it was trained on; its first test images are judged.
        foreign: (., *shape) images of other things.
    """

    def __init__(self, network: FrozenNetwork, known: ImageSet, foreign: Any) -> None:
        self.network, self.foreign = network, foreign
        self.images, self.labels = known.test_images[:KNOWN], known.test_labels[:KNOWN]
        self.choice = known.train_images[:CHOICE].reshape(CHOICE, -1)
        priced = self.images[:PRICED].reshape(len(self.images[:PRICED]), -1)
        self.price = AnalogPrice(network, SHAPE, priced, load_table(TABLE))

    def rows(self, case: AnalogCase) -> Iterator[dict[str, Any]]:
        """The rows of a case."""
        converters: tuple[Converter, ...] = ()
        if case.bits is not None:
            converters = choose_converters(self.network, SHAPE, case.bits, self.choice)
        tables = [self._table(array, converters or None) for array in case.arrays]
        for passes in (0, *case.passes):
            draws = range(1 if passes == 0 else DRAWS)
            found = [self._scores(table, passes, draw) for table in tables for draw in draws]
            values = {name: np.array([one[name] for one in found]) for name in found[0]}
            yield {
                "sweep": case.sweep,
                "setting": case.setting,
                "passes": passes,
                "chips": len(tables),
                **{name: float(value.mean()) for name, value in values.items()},
                **{f"{name}_std": float(value.std()) for name, value in values.items()},
                **(self.price.joules(case.bits, passes) if case.priced else {}),
                "seeds": f"chips 0 to {len(tables) - 1}, words {WORD_SEED} on",
                "steps": _steps(converters),
                **(self._differing(tables[0]) if case.sweep == "none" and passes == 0 else {}),
            }

    def _differing(self, table: MaskTable) -> dict[str, int]:
        """How many probabilities were compared with those of the integer engine, with ``==``."""
        exact = mask_table(self.network, self.images, self.labels, self.foreign)
        differing = int((table.probabilities != exact.probabilities).sum())
        return {"compared": exact.probabilities.size, "differing": differing}

    def _table(self, array: AnalogArray, converters: Converters) -> MaskTable:
        engine = AnalogEngine(self.network, array, converters)
        return mask_table(self.network, self.images, self.labels, self.foreign, engine)

    def _scores(self, table: MaskTable, passes: int, draw: int) -> dict[str, float]:
        if passes == 0:
            scores = table.scores(table.exact[None])
        else:
            layers = len(table.drop_codes)
            words = uniform_words(WORD_SEED + draw, table.images * passes * layers)
            kept = masks_from_codes(table.drop_codes, words) != 0
            scores = table.scores(mask_shares(~kept.ravel(), table.images, layers))
        return {name: scores[name] for name in SCORES}


def _steps(converters: Sequence[Converter]) -> str:
    """Of each layer; r for mid-rise."""
    return " ".join(f"{one.step}{'r' * one.mid_rise}" for one in converters)
