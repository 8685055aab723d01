# SPDX-License-Identifier: Apache-2.0
"""Which network a board gets: what the user names, or the digits in the width that fits it."""

from __future__ import annotations

from pathlib import Path

from scaledrop.frozen import FrozenNetwork
from scaledrop_flow.console import training_progress
from scaledrop_flow.fpga.boards import Board
from scaledrop_flow.model import DEFAULT, resolve
from scaledrop_flow.steps.choices import find_config, with_choices
from scaledrop_flow.steps.train import freeze_checkpoint, trained

__all__ = ["network_for"]


def network_for(board: Board, config: str | None, model: Path | None, cache: Path) -> FrozenNetwork:
    """The network of ``config`` or ``model``, else the digits with the board's hidden layers.

    Raises:
        UserError: both are given, or one is wrong.
    """
    default = find_config(DEFAULT)
    if config is not None or model is not None or board.widths == default.network.widths:
        return resolve(config, model, None, cache).network
    widths = tuple(map(str, board.widths))
    chosen = with_choices(default, widths=",".join(widths), name="-".join([DEFAULT, *widths]))
    with training_progress(chosen.epochs) as bar:
        return freeze_checkpoint(trained(chosen, cache, bar, bar.batch))
