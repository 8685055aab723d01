# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a run on a board, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scaledrop.packets import Frame, Result
from scaledrop_flow.board import BoardResult
from scaledrop_flow.board_check import BoardChoices
from scaledrop_flow.console import console
from scaledrop_flow.data import LabelledImages

__all__ = ["BoardPrinter", "board_report", "show_board"]

UNCOMPARED = "nothing: the board sends no leaves, and nobody can foresee its bits"


def _line(at: int, result: Result | None, label: int) -> str:
    if result is None:
        return f"image {at:>5}  aborted"
    share = result.votes[result.predicted] / max(result.covered, 1)
    right = "" if result.predicted == label else f", is {label}"
    abstains = ", abstains" if result.abstain else ""
    votes = ", ".join(map(str, result.votes))
    said = f"class {result.predicted}{right}, {share:.0%} of the votes{abstains}"
    return f"image {at:>5}  {said} [{votes}]"


class BoardPrinter:
    """Says what a board answers, image by image.

    Args:
        images: With the labels to be told where the board is wrong.
        source: ``demonstrator`` of the sidecar.
    """

    def __init__(self, images: LabelledImages, source: Mapping[str, Any]) -> None:
        self.labels = images.labels
        console.print(f"images      {images.name}")
        console.print(f"bits        {source['source_note']}")

    def __call__(self, first: int, frames: Sequence[Frame]) -> None:
        for at, frame in enumerate(frames, first):
            console.print(_line(at, frame.result, int(self.labels[at])), markup=False)


def show_board(result: BoardResult) -> None:
    """Accuracy, speed, and how it compares with the golden model."""
    count, kept = len(result.frames), result.accepted_accuracy
    console.print(f"accuracy    {result.accuracy:.4f} of {count} images")
    if result.abstained.any():
        what = "none is left" if kept is None else f"{kept:.4f} of the others"
        console.print(f"abstained   on {int(result.abstained.sum())}; accuracy {what}")
    console.print(f"time        {result.wall_s:.2f} s, {count / result.wall_s:.1f} images/s")
    console.print(f"masks       {result.masks}")
    if result.check is None:
        console.print(f"compared    {UNCOMPARED}")
        return
    differ = result.check.total_mismatches
    console.print(f"compared    {result.check.total_checked:,} values, {differ:,} mismatches")
    for kind, why in result.check.skipped.items():
        console.print(f"skipped     {kind}: {why}")
    equal = "the board equals the golden model"
    console.print(f"result      {equal if result.ok else f'MISMATCH: {result.check.first}'}")


def board_report(
    result: BoardResult,
    sidecar: Mapping[str, Any],
    choices: BoardChoices,
    images: LabelledImages,
) -> dict[str, Any]:
    """The run as JSON values."""
    check, inference = result.check, choices.inference
    return {
        "ok": result.ok,
        "model_sha256": sidecar["model_sha256"],
        "demonstrator": dict(sidecar["demonstrator"]),
        "images": images.name,
        "mode": str(inference.mode),
        "passes": inference.passes,
        "min_votes": choices.min_votes,
        "accuracy": result.accuracy,
        "accepted_accuracy": result.accepted_accuracy,
        "abstained": int(result.abstained.sum()),
        "wall_s": round(result.wall_s, 3),
        "masks": str(result.masks),
        "checked": check.checked if check else {},
        "mismatches": check.mismatches if check else {},
        "skipped": check.skipped if check else {"everything": UNCOMPARED},
        "first_difference": check.first if check else None,
        "answers": [
            None
            if frame.result is None
            else {
                "label": int(label),
                "predicted": frame.result.predicted,
                "votes": list(frame.result.votes),
                "abstain": frame.result.abstain,
            }
            for frame, label in zip(result.frames, result.labels, strict=True)
        ],
    }
