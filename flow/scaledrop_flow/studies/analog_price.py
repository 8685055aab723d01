# SPDX-License-Identifier: Apache-2.0
"""Joules of the array and its converters for one image, by bits and by what is averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.energy import Band, Machine, TechnologyTable, estimate
from scaledrop.energy.hardware import machine_of
from scaledrop.events import EventCounts, predict_events
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import NetworkMapping
from scaledrop.spin import uniform_words
from scaledrop.walk import Inference, Mode, walk, walk_words

__all__ = ["AnalogPrice"]

ARRAY = ("crossbar cells", "row drivers")
CONVERTERS = ("column converters",)
NOTHING: Mapping[str, int] = {"cycles": 0, "waiting": 0}


class AnalogPrice:
    """Prices a network's sums on an array.

    Parameters:
        images: (N, input_size) pixels that the word lines are counted on.
        table: of the energies; rows of ``adc_1b`` on. Its row ``cell_read`` holds for cells of
            1 MOhm.
    """

    def __init__(
        self,
        network: FrozenNetwork,
        shape: ArrayShape,
        images: npt.NDArray[np.integer],
        table: TechnologyTable,
    ) -> None:
        self.images, self.table = images.astype(np.int64), table
        self.mapping = NetworkMapping(network, shape)
        self._counts: dict[int, EventCounts] = {}

    def joules(self, bits: int | None, passes: int) -> dict[str, float]:
        """``array_j``, ``converters_j`` and their sum's band ``analog_j``, ``analog_j_low`` and
        ``analog_j_high``: joules an image.

        Args:
            bits: of every converter; None for the lossless one of each layer.
            passes: T drawn passes that share sums; 0 for every mask.
        """
        machine = self._machine
        if bits is not None:
            sizes = {
                name: replace(size, converter_bits=bits) for name, size in machine.sizes.items()
            }
            machine = replace(machine, sizes=sizes)
        found = estimate(self._events(passes), machine, self.table, len(self.images))
        array, converters = (
            sum((one.joules for one in found.components if one.name in names), Band(0.0, 0.0, 0.0))
            for names in (ARRAY, CONVERTERS)
        )
        both = array + converters
        return {
            "array_j": array.value,
            "converters_j": converters.value,
            "analog_j": both.value,
            "analog_j_low": both.low,
            "analog_j_high": both.high,
        }

    @cached_property
    def _machine(self) -> Machine:
        return machine_of(self.mapping)

    def _events(self, passes: int) -> EventCounts:
        if passes not in self._counts:
            codes, count = self.mapping.drop_codes, len(self.images)
            if passes == 0:
                visits = list(walk(Inference(Mode.EXACT, 1), codes))
                walks = [visits] * count
            else:
                words = uniform_words(0, count * passes * len(codes)).reshape(count, -1)
                inference = Inference(Mode.SHARED, passes)
                walks = [list(walk_words(inference, codes, row)) for row in words]
            events = predict_events(self.mapping, self.images, walks, None)
            self._counts[passes] = {name: {**NOTHING, **of} for name, of in events.items()}
        return self._counts[passes]
