# SPDX-License-Identifier: Apache-2.0
"""Scale-Dropout as the product has it: the frozen integers, with passes drawn by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.methods.contract import Logits, Method, Model, Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.sampling import Passes
from scaledrop.training import TrainConfig, train, with_network

__all__ = ["SCALE_DROPOUT", "FrozenModel"]


class FrozenModel(Model):
    """A frozen network, whose masks are those of :class:`scaledrop.sampling.Passes`.

    Parameters:
        network: frozen; its logits are the golden ones.
        needs: what it asks of hardware.
    """

    def __init__(self, network: FrozenNetwork, needs: Needs) -> None:
        self.network, self._needs = network, needs

    @property
    def needs(self) -> Needs:
        return self._needs

    def engine(self) -> FastEngine:
        """What its passes run on."""
        return FastEngine(self.network)

    def logits(self, images: npt.NDArray[Any], passes: int, seed: int) -> Logits:
        """(N, T, K) float64, each an integer of the contract in real units, without rounding.

        Raises:
            UserError: wrong images, fewer passes than 1, or a seed below 0.
        """
        engine, count = self.engine(), len(images)
        source = Passes(passes, seed).source(engine.drop_codes, count)
        masks = source.block(slice(0, count), slice(0, passes))
        integers = engine.logits(images, masks.bits)
        real: Logits = integers.astype(np.float64) * 2.0**-self.network.logit_frac_bits
        return real


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    run = with_network(config, p=value)
    frozen = freeze(train(run, data, device=device).net, {})
    layers = len(run.network.graph.layers)
    needs = Needs(layers, Grain.LAYER, False, memory_bits(run.network, scales=1))
    return FrozenModel(frozen, needs)


SCALE_DROPOUT = Method(
    "scale-dropout",
    "Scale-Dropout",
    "Ahmed et al. 2023, arXiv 2311.15816; p for all layers alike",
    Setting("dropout probability p", (0.1, 0.2, 0.3)),
    _fit,
)
"""One bit a layer: a dropped scale vector becomes ones."""
