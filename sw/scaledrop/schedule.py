# SPDX-License-Identifier: Apache-2.0
"""Cycle-exact prediction of the accelerator in mode ``passes``.

A few recurrences over column tiles, not a simulation of cycles. Times are cycle numbers; the first
image is there at cycle 0 and later ones are never late, and results are taken as they come.
"""

from __future__ import annotations

from dataclasses import dataclass

from scaledrop.events import Event
from scaledrop.mapping import LayerMapping, NetworkMapping

__all__ = ["PipelineTiming", "predict_cycles"]


@dataclass(frozen=True)
class PipelineTiming:
    """Latencies of the RTL, in cycles.

    Attributes:
        spin: Reset, settle, write and read pulses of one stochastic bit.
        front: From a step to the cycle in which the accumulator takes it (buffer, crossbar).
        back: From a beat to the cycle in which its result is stored or loaded (scale, threshold).
    """

    spin: int
    front: int = 3
    back: int = 2


class _Machine:
    """State carried from layer to layer: when the bit and the head are next free."""

    def __init__(self, timing: PipelineTiming, classes: int) -> None:
        self.timing, self.classes = timing, classes
        self.mask_free = 0
        self.controller_free = 0
        self.head_free = 0

    def take_bit(self) -> int:
        """First cycle in which the next layer's mask bit is held."""
        offered = self.controller_free + 1 + self.timing.spin
        taken = max(offered, self.mask_free)
        self.controller_free = taken + 1
        return taken + 1

    def run_layer(self, mapped: LayerMapping, first_step: int, last_pass: bool) -> int:
        """Cycle of the layer's ``done``."""
        bit = self.take_bit()
        steps = mapped.activations_per_tile
        arrival = first_step + self.timing.front - 1
        beat = -1
        for tile in range(mapped.column_tiles):
            arrival = max(arrival + steps, beat)
            beat = max(arrival + 1, bit) - 1
            for index in range(mapped.beats(tile)):
                beat += 1
                if mapped.is_head:
                    final = tile == mapped.column_tiles - 1 and index == mapped.beats(tile) - 1
                    beat = self.use_head(mapped, tile, index, beat, final and last_pass)
        self.mask_free = beat + 1
        return beat + self.timing.back

    def use_head(
        self, mapped: LayerMapping, tile: int, index: int, beat: int, last_of_image: bool
    ) -> int:
        beat = max(beat, self.head_free)
        lanes = mapped.array.lanes
        count = min(lanes, mapped.columns_used(tile) - index * lanes)
        self.head_free = beat + self.timing.back + 1 + count
        if last_of_image:
            self.head_free += 3 + self.classes
        return beat


def predict_cycles(
    mapping: NetworkMapping, images: int, passes: int, timing: PipelineTiming
) -> dict[str, dict[str, int]]:
    """Cycles of each layer over a run, as the RTL's counters report them.

    Returns:
        Layer name -> {"cycles", "waiting"}.
    """
    machine = _Machine(timing, mapping.network.classes)
    cycles = [0] * len(mapping.layers)
    now = 0
    for _ in range(images):
        machine.controller_free = max(machine.controller_free, now + 1)
        first_step = now + 2
        for index in range(passes):
            for at, mapped in enumerate(mapping.layers):
                done = machine.run_layer(mapped, first_step, index == passes - 1)
                cycles[at] += done - first_step + 1
                first_step = done + 1
        now = first_step
    return {
        mapped.layer.name: {
            str(Event.CYCLES): cycles[at],
            str(Event.WAITING): 2 * images if at == 0 else 0,
        }
        for at, mapped in enumerate(mapping.layers)
    }
