# SPDX-License-Identifier: Apache-2.0
"""When each command of a walk is there: the cycle-exact twin of the RTL's walker.

A visit begins in the cycle after the one before it was queued, the first of an image two cycles
after that at the earliest, and one cycle after the image was there. From then on it takes

* for each bit that it draws, ``bit_cycles`` + 2 cycles: request, pulses, bit;
* in ``exact``, 2 cycles for its own split and 2 for each layer behind it, to find the heaviest leaf
  of the lighter side, and 1 to decide.

Its command is queued in the last of them, or as soon as the queue has room, and is offered in the
next cycle or once the command before it was taken.
"""

from __future__ import annotations

from collections import deque

from scaledrop.walk import Visit

__all__ = ["CommandSchedule"]


class CommandSchedule:
    """The walker's queue of commands, fed one visit at a time.

    Args:
        depth: commands that the queue holds.
        bit_cycles: of a bit's pulses, the spin timing's ``cycles``.
        layers: of the network; ``exact`` needs it.
    """

    def __init__(self, depth: int, bit_cycles: int, layers: int | None = None) -> None:
        self._depth, self._period, self._layers = depth, bit_cycles + 2, layers
        self._images: deque[int] = deque()
        self._taken: deque[int] = deque(maxlen=depth)
        self._queued = 0
        self._begins = 0
        self._idle = True

    def begin(self, cycle: int) -> None:
        """From ``cycle`` on one more image is held whose walk has not begun."""
        self._images.append(cycle)

    def offer(self, visit: Visit) -> int:
        """The first cycle in which the visit's command is offered.

        While commands before it wait to be taken, the first in which it could be.

        Raises:
            ValueError: ``depth`` commands are queued: the oldest must be taken first; or an
                ``exact`` visit without ``layers``.
            IndexError: no image is held.
        """
        if self._queued == self._depth:
            raise ValueError("the queue is full: take a command first")
        if self._idle:
            self._begins = max(self._images.popleft(), self._begins) + 1
        ends = self._begins + self._cycles(visit) - 1
        before = self._queued + len(self._taken) - self._depth
        if before >= 0:
            # The place of the command ``depth`` before it is free one cycle after that was taken.
            ends = max(ends, self._taken[before] + 1)
        self._queued += 1
        self._begins, self._idle = ends + 1, visit.last
        if self._queued == 1 and self._taken:
            return max(ends + 1, self._taken[-1] + 1)
        return ends + 1

    def taken(self, cycle: int) -> None:
        """The oldest command offered and not taken is taken in ``cycle``."""
        self._queued -= 1
        self._taken.append(cycle)

    def _cycles(self, visit: Visit) -> int:
        if visit.bits:
            return len(visit.bits) * self._period
        if self._layers is None:
            raise ValueError("an exact visit needs the number of layers")
        return 2 * (self._layers - visit.layer) + 1
