# SPDX-License-Identifier: Apache-2.0
"""Cycle-exact prediction of the accelerator, in every mode.

A few recurrences over column tiles, not a simulation of cycles. Times are cycle numbers; the first
image is there at cycle 0, one pixel a cycle follows wherever a bank is free, and results are taken
as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scaledrop.events import Event, EventCounts, columns_loaded
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop.walk import Visit
from scaledrop.walk_schedule import CommandSchedule

__all__ = ["PipelineTiming", "predict_cycles"]


@dataclass(frozen=True)
class PipelineTiming:
    """Latencies of the RTL, in cycles.

    Attributes:
        spin: Reset, settle, write and read pulses of one stochastic bit.
        front: From a step to the cycle in which the accumulator takes it (buffer, crossbar).
        back: From a beat to the cycle in which it is decided (scale, threshold); it is stored one
            cycle later.
        depth: Commands that the walk may be ahead.
    """

    spin: int
    front: int = 3
    back: int = 2
    depth: int = 16


AFTER_IMAGE = 10
"""Cycles beyond twice the results in which the head waits for an image's results to leave."""


class _Pipeline:
    """One visit on an empty pipeline, from its command in cycle 0."""

    def __init__(self, mapped: LayerMapping, outcomes: int, timing: PipelineTiming) -> None:
        self.mapped, self.outcomes, self.timing = mapped, outcomes, timing
        self.stalls: list[tuple[int, int]] = []
        self.drained = 0

    def enabled(self, start: int, count: int) -> int:
        """The ``count``-th cycle from ``start`` on in which the pipeline is not held."""
        end = start + count - 1
        for first, after in self.stalls:
            if after > start and first <= end:
                end += after - max(first, start)
        return end

    def run(self, head_free: int) -> tuple[int, int]:
        """Cycle of ``done``, and from when on the head takes another beat."""
        mapped, timing = self.mapped, self.timing
        columns = columns_loaded(mapped) if mapped.method is Method.UNROLLED else None
        issued, advanced = 0, 1
        for position in range(mapped.position_count):
            if columns is not None:
                # The first window is begun a cycle after the command and read two cycles later.
                wait = columns[position] + (2 if position == 0 else 0)
                issued = advanced = max(issued, advanced + wait)
            for tile in range(mapped.column_tiles):
                issued = self.enabled(issued + 1, mapped.steps)
                arrival = self.enabled(issued + 1, timing.front - 1) + 1
                taken = max(arrival, self.drained)
                if taken > arrival:
                    self.stalls = [*self.stalls[-timing.front :], (arrival, taken)]
                head_free = self.drain(tile, taken + 1, head_free)
        return self.drained + timing.back + (0 if mapped.is_head else 1), head_free

    def drain(self, tile: int, start: int, head_free: int) -> int:
        """Let the beats of a tile go; returns when the head is free again."""
        mapped, timing, lanes = self.mapped, self.timing, self.mapped.array.lanes
        repeats = self.outcomes * mapped.levels
        if not mapped.is_head:
            self.drained = start + mapped.beats(tile) * repeats - 1
            return head_free
        at = start - 1
        for beat in range(mapped.beats(tile)):
            for _ in range(repeats):
                at = max(at + 1, head_free)
                count = min(lanes, mapped.columns_used(tile) - beat * lanes)
                head_free = at + timing.back + 1 + count
        self.drained = at
        return head_free


class _Machine:
    """State carried from visit to visit."""

    def __init__(self, mapping: NetworkLayout, timing: PipelineTiming) -> None:
        self.mapping, self.timing = mapping, timing
        self.head_free = 0
        self.known: dict[tuple[int, int, int], tuple[int, int]] = {}

    def visit(self, visit: Visit, command: int) -> int:
        """Cycle of ``done`` of a visit whose command is taken in cycle ``command``."""
        outcomes = (visit.kept > 0) + (visit.dropped > 0)
        mapped = self.mapping.layers[visit.layer]
        wait = max(self.head_free - command, 0) if mapped.is_head else 0
        key = visit.layer, outcomes, wait
        if key not in self.known:
            self.known[key] = _Pipeline(mapped, outcomes, self.timing).run(wait)
        done, free = self.known[key]
        if mapped.is_head:
            self.head_free = command + free
            if visit.last:
                # The last logit, its sum, the verdict over the classes, a result for each class.
                self.head_free += AFTER_IMAGE + 2 * self.mapping.results
        return command + done


def predict_cycles(
    mapping: NetworkLayout, walks: Sequence[Iterable[Visit]], timing: PipelineTiming
) -> EventCounts:
    """Cycles of each layer over a run, as the RTL's counters report them.

    Args:
        walks: Visits of each image.

    Returns:
        Layer name -> {"cycles", "waiting"}.
    """
    machine = _Machine(mapping, timing)
    commands = CommandSchedule(timing.depth, timing.spin, len(mapping.layers))
    cycles = [0] * len(mapping.layers)
    pixels = mapping.network.input_size
    held = waiting = 0
    free = -1
    released = [0, 0]
    for index, visits in enumerate(walks):
        if index:
            # Pixels flow while one of the two banks is free.
            held = max(held, released[index % 2]) + pixels
        commands.begin(held)
        idle = max(held, free + 1)
        for visit in visits:
            # Checked in the cycle in which it is offered, taken in the next at the earliest.
            at = max(commands.offer(visit) + 1, free)
            commands.taken(at)
            done = machine.visit(visit, at)
            waiting += at + 1 - idle
            cycles[visit.layer] += done - at
            free, idle = done, done + 1
        released[index % 2] = free + 1
    return {
        mapped.layer.name: {
            str(Event.CYCLES): cycles[at],
            str(Event.WAITING): waiting if at == 0 else 0,
        }
        for at, mapped in enumerate(mapping.layers)
    }
