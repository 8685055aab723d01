# SPDX-License-Identifier: Apache-2.0
"""The ``scaledrop`` command: one verb per step."""

from __future__ import annotations

import sys

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli import (
    asic,
    board,
    comparison,
    device,
    energy,
    fpga,
    fuzz,
    hardware,
    lint,
    networks,
    randomness,
    units,
)
from scaledrop_flow.cli.options import INTERRUPTED, app

__all__ = [
    "app",
    "asic",
    "board",
    "comparison",
    "device",
    "energy",
    "fpga",
    "fuzz",
    "hardware",
    "lint",
    "main",
    "networks",
    "randomness",
    "units",
]


def _one_line(message: str) -> str:
    return " ".join(message.split())


def main() -> None:
    """Run the command; a user's mistake is one line on standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        print(f"scaledrop: {_one_line(error.format_message())} See --help.", file=sys.stderr)
        sys.exit(2)
    except UserError as error:
        print(f"scaledrop: {_one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"scaledrop: {where}{error.strerror}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        print("scaledrop: interrupted; run the same command again", file=sys.stderr)
    sys.exit(status if isinstance(status, int) else 0)
