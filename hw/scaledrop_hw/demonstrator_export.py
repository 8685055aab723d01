# SPDX-License-Identifier: Apache-2.0
"""What a host has to know of a demonstrator, beside what it knows of the system in it."""

from scaledrop_hw.export import ports
from scaledrop_hw.system_export import system_sidecar

__all__ = ["demonstrator_sidecar"]

STAND_IN = {
    "lfsr": "stand-in for the magnetic device: linear feedback shift registers, pseudo-random",
    "ring": "stand-in for the magnetic device: ring oscillators, entropy not measured",
}


def demonstrator_sidecar(demonstrator, name, text):
    """Description of a demonstrator as JSON values: that of its system, and how to reach it."""
    return {
        **system_sidecar(demonstrator.system, name, text),
        "ports": ports(demonstrator),
        "demonstrator": {
            "clock_hz": demonstrator.clock_hz,
            "baud": demonstrator.baud,
            "source": demonstrator.source,
            "seed": demonstrator.seed if demonstrator.source == "lfsr" else None,
            "source_note": STAND_IN[demonstrator.source],
            "buffer": demonstrator.bridge.buffer,
            "quiet": demonstrator.bridge.quiet,
        },
    }
