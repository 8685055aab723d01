# SPDX-License-Identifier: Apache-2.0
"""The digital blocks: their modules, their memories, and what is compared of them."""

from __future__ import annotations

from dataclasses import dataclass

from scaledrop.events import Event
from scaledrop.mapping import NetworkMapping
from scaledrop_flow.netlist.claims import ALL, CYCLES, LOGIC, REGISTERS, Claim, Term

__all__ = ["BLOCKS", "CONTROLLER", "Block"]

ROOT = "scaledrop"


@dataclass(frozen=True)
class Block:
    """A module of the accelerator.

    Attributes:
        name: Short name.
        module: Path in the accelerator.
        claims: Parts of its energy.
        memories: Modules inside it that stay outside of the netlist.
        datapath: The accelerator that has it.
    """

    name: str
    module: str
    claims: tuple[Claim, ...]
    memories: tuple[str, ...] = ()
    datapath: str = "reference"

    @property
    def modules(self) -> tuple[str, ...]:
        """Names in the Verilog: its own, then its memories'."""
        return tuple(f"{ROOT}.{path}" for path in (self.module, *self.memories))


def _sum_width(mapping: NetworkMapping) -> int:
    return mapping.network.sum_width


def _scale_bits(mapping: NetworkMapping) -> int:
    return mapping.network.sum_width * mapping.network.scale_bits


def _scale_word(mapping: NetworkMapping) -> int:
    return mapping.array.lanes * mapping.network.scale_bits


def _scaled_width(mapping: NetworkMapping) -> int:
    return mapping.network.scaled_width


def _gain_bits(mapping: NetworkMapping) -> int:
    return mapping.network.head.gain_bits * mapping.network.scaled_width


def _logit_width(mapping: NetworkMapping) -> int:
    return mapping.network.logit_width


def _control(name: str) -> tuple[Claim, ...]:
    return (Claim(name, ALL, CYCLES, (Term("control", CYCLES),)),)


CLOCKED = Term("register_clock", CYCLES)
_REGISTERS = (
    Term("register", Event.CONVERSIONS, _sum_width),
    Term("register", Event.ADDITIONS, _sum_width),
)
_OUTPUTS, _SUMS = "core.outputs", "core.sums"
_SCALE = f"{_OUTPUTS}.datapath.scale"
_THRESHOLD = f"{_OUTPUTS}.datapath.threshold"

BLOCKS = (
    Block(
        "accumulator",
        f"{_SUMS}.accumulator",
        (
            Claim(
                "accumulator adder",
                LOGIC,
                Event.ADDITIONS,
                (Term("adder", Event.ADDITIONS, _sum_width),),
            ),
            Claim("accumulator registers", REGISTERS, Event.CONVERSIONS, _REGISTERS),
        ),
    ),
    Block(
        "scale stage",
        _SCALE,
        (
            Claim(
                "scale multiplier and mux",
                LOGIC,
                Event.MULTIPLIES,
                (Term("multiplier", Event.MULTIPLIES, _scale_bits),),
            ),
            Claim("scale stage registers", REGISTERS, Event.MULTIPLIES, (CLOCKED,)),
        ),
        (f"{_SCALE}.memory",),
    ),
    Block(
        "scale memory control",
        f"{_SCALE}.memory",
        (
            Claim(
                "scale memory control and SECDED",
                ALL,
                Event.SCALE_READS,
                (Term("sram_read", Event.SCALE_READS, _scale_word),),
            ),
        ),
        (f"{_SCALE}.memory.sram",),
    ),
    Block(
        "threshold stage",
        _THRESHOLD,
        (
            Claim(
                "threshold comparator",
                LOGIC,
                Event.COMPARISONS,
                (Term("comparator", Event.COMPARISONS, _scaled_width),),
            ),
        ),
        (f"{_THRESHOLD}.thresholds",),
    ),
    Block(
        "folded threshold stage",
        _THRESHOLD,
        (
            Claim(
                "folded comparator",
                LOGIC,
                Event.COMPARISONS,
                (Term("comparator", Event.COMPARISONS, _sum_width),),
            ),
        ),
        (f"{_THRESHOLD}.thresholds",),
        "folded",
    ),
    Block(
        "head",
        f"{_OUTPUTS}.head",
        (
            Claim(
                "head multiplier and adder",
                LOGIC,
                Event.LOGIT_MACS,
                (
                    Term("multiplier", Event.LOGIT_MACS, _gain_bits),
                    Term("adder", Event.LOGIT_MACS, _logit_width),
                ),
            ),
            Claim("head registers", REGISTERS, CYCLES, (CLOCKED,)),
        ),
        (f"{_OUTPUTS}.head.affine",),
    ),
    Block("drain", f"{_SUMS}.drain", (Claim("drain registers", REGISTERS, CYCLES, (CLOCKED,)),)),
    Block("walker", "core.walker", _control("walker"), ("core.walker.commands",)),
    Block(
        "sequencer",
        f"{_SUMS}.sequencer",
        _control("sequencer"),
        (f"{_SUMS}.sequencer.descriptors",),
    ),
    Block("guard", f"{_SUMS}.guard", _control("guard")),
    Block("dropout controller", "bits.dropout", _control("dropout controller")),
)

CONTROLLER = ("walker", "sequencer", "guard", "dropout controller")
"""Blocks that make up the line of the controller as a whole."""
