# SPDX-License-Identifier: Apache-2.0
"""Keeping the last finished epoch of a run on disk."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from scaledrop.training.checkpoint import save_resume
from scaledrop.training.records import ResumePoint

__all__ = ["Keeper"]


class Keeper:
    """Writes the state after an epoch, at most once an ``interval``, and in any case when its
    context is left; to be given to :func:`train` as ``save``.

    Parameters:
        path: of the file.
        interval: seconds; epochs of small networks are shorter than writing is worth.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: Path, interval: float = 1.0) -> None:
        self.path, self.interval = path, interval
        self._pending: ResumePoint | None = None
        self._written = time.monotonic()

    def __call__(self, point: ResumePoint) -> None:
        self._pending = point
        if time.monotonic() - self._written >= self.interval:
            self.flush()

    def flush(self) -> None:
        """Write what was not written yet."""
        if self._pending is not None:
            save_resume(self._pending, self.path)
            self._pending = None
            self._written = time.monotonic()

    def discard(self) -> None:
        """Remove the file: the run is finished and stored elsewhere."""
        self._pending = None
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()
