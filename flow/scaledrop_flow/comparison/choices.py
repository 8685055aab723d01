# SPDX-License-Identifier: Apache-2.0
"""What a person may choose of a study that runs in cells."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from scaledrop.errors import UserError
from scaledrop.workers import cores

__all__ = ["Choices", "seeds_of"]

DEVICES = ("cpu", "cuda", "auto")


@dataclass(frozen=True)
class Choices:
    """Options of ``scaledrop study`` for studies that take ``choices`` as their fourth argument.

    Attributes:
        smoke: The small form: seconds, for tests; its figures mean nothing.
        only: Cases that are run, by their key; all when empty.
        sets: Data sets that are run; those of the study when empty.
        seeds: Instead of the study's own.
        jobs: Processes; 0 is one a core, and one on a GPU.
        device: "cpu", "cuda" or "auto".

    Raises:
        UserError: an unknown device, a GPU that is not there, a negative seed or number of jobs.
    """

    smoke: bool = False
    only: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    jobs: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise UserError(f"device: must be one of {', '.join(DEVICES)}, not {self.device!r}")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise UserError("device: no GPU is at hand; use cpu, or auto")
        if self.jobs < 0:
            raise UserError(f"jobs: must be 0 or more, not {self.jobs}; 0 is one a core")
        if any(seed < 0 for seed in self.seeds):
            raise UserError(f"seeds: must be 0 or more, not {self.seeds}; change them")

    @property
    def place(self) -> str:
        """The kind of device: "cpu" or "cuda"."""
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    @property
    def processes(self) -> int:
        """How many cells are worked out at a time."""
        return self.jobs or (1 if self.place == "cuda" else cores())

    @property
    def flags(self) -> tuple[str, ...]:
        """The options that change what is measured, as they are typed."""
        flags = ["--smoke"] if self.smoke else []
        flags += [f"--only {name}" for name in self.only] + [f"--set {name}" for name in self.sets]
        flags += [f"--seeds {','.join(map(str, self.seeds))}"] if self.seeds else []
        return (*flags, *(["--device cuda"] if self.place == "cuda" else []))


def seeds_of(text: str | None) -> tuple[int, ...]:
    """Seeds as a person writes them, such as "0,1,2"; none for None.

    Raises:
        UserError: not whole numbers with commas between.
    """
    if text is None:
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"seeds: must be numbers such as 0,1,2, not {text!r}") from None
