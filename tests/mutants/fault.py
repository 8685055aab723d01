# SPDX-License-Identifier: Apache-2.0
"""A fault in the RTL: one replacement in one source file."""

from dataclasses import dataclass

__all__ = ["Fault"]


@dataclass(frozen=True)
class Fault:
    """``old`` stands exactly once in ``file`` of scaledrop_hw; ``new`` takes its place.

    ``victim`` names the network that notices.
    """

    name: str
    file: str
    old: str
    new: str
    victim: str = "shared"
