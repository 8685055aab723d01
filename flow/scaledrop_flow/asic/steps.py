# SPDX-License-Identifier: Apache-2.0
"""Named steps that leave a stamp: a step whose inputs and outputs are as they were is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop_flow.asic.folder import Folder, sha256

__all__ = ["Steps"]

Progress = Callable[[str], None]


@dataclass
class Steps:
    """The steps of a run in order.

    Attributes:
        folder: Of the run; stamps lie in its ``work/steps``.
        progress: Told of every step.
        made: Names of the steps that ran; the others were kept.
    """

    folder: Folder
    progress: Progress
    made: list[str] = field(default_factory=list)

    def run(
        self,
        name: str,
        inputs: Mapping[str, object],
        files: Sequence[Path],
        outputs: Callable[[], Sequence[Path]],
        action: Callable[[], None],
    ) -> None:
        """Do ``action``, unless it was done on the same inputs and its outputs are still there.

        Args:
            inputs: Values that it depends on, as JSON has them.
            files: Files that it depends on.
            outputs: Called after it: the files that it left.
        """
        told = {**inputs, "files": [sha256(file) for file in files]}
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        stamp = self.folder.work / "steps" / f"{name}.json"
        if self._stands(stamp, key):
            self.progress(f"{name}: kept")
            return
        self.progress(f"{name} ...")
        stamp.unlink(missing_ok=True)
        action()
        self.made.append(name)
        left = {str(one.relative_to(self.folder.root)): sha256(one) for one in outputs()}
        text = json.dumps({"key": key, "outputs": left}, indent=2, sort_keys=True)
        write_atomically(stamp, f"{text}\n".encode())

    def _stands(self, stamp: Path, key: str) -> bool:
        if not stamp.exists():
            return False
        kept = json.loads(stamp.read_text())
        root = self.folder.root
        return kept["key"] == key and all(
            (root / name).exists() and sha256(root / name) == digest
            for name, digest in kept["outputs"].items()
        )
