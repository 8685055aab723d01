# SPDX-License-Identifier: Apache-2.0
"""Verilog of an accelerator with black boxes for what a chip takes from elsewhere."""

import re

from amaranth.hdl import ClockSignal, Instance, ResetSignal, Shape
from amaranth.lib import wiring

from scaledrop_hw.black_box import (
    CROSSBAR,
    SCALE_SRAM,
    BlackBox,
    MemoryBody,
    box_ports,
    sram_body,
    sram_ports,
)
from scaledrop_hw.checks import require_range
from scaledrop_hw.export import checked_name, verilog_text

__all__ = ["BlackBoxes", "plain_names", "with_black_boxes"]

MEMORY = "scaledrop_memory_"

_MODULE = re.compile(r"^module (\\?\S+) ?\(.*?^endmodule$", re.M | re.S)
_PLACE = re.compile(r"^  (scaledrop_\w+) +\\?(\S+) +\($", re.M)
_HIERARCHICAL = re.compile(r"(?<=[\s(])\\(\w+\.[\w.$]+) ")
_SEPARATORS = re.compile(r"[.$\[\]]+")


class BlackBoxes:
    """Platform that puts instances in the place of memories, scale SRAM and crossbar.

    Parameters
    ----------
    memory_bits : int
        Memories of more bits, and all with contents, which registers would not have after
        power-up, become black boxes. 0: all of them.
    crossbar : bool
        The crossbar tile with its weights is one.
    """

    def __init__(self, *, memory_bits, crossbar=True):
        self._memory_bits = require_range("memory_bits", memory_bits, 0, 2**40)
        self._crossbar = bool(crossbar)
        self._boxes = {}

    @property
    def memory_bits(self):
        return self._memory_bits

    @property
    def crossbar(self):
        return self._crossbar

    @property
    def boxes(self):
        """Name of a module to what was put there so far."""
        return dict(self._boxes)

    def get_memory(self, memory):
        """Called by Amaranth for every memory."""
        width = Shape.cast(memory.data.shape).width
        loaded = any(memory.data.init)
        if not loaded and width * memory.depth <= self._memory_bits:
            return memory.elaborate(None)
        body = MemoryBody(memory=memory)
        name = f"{MEMORY}{len(self._boxes)}"
        self._boxes[name] = BlackBox(
            name=name,
            kind="memory",
            ports=box_ports(body),
            body=plain_names(verilog_text(body, name)),
            shape=(memory.depth, width),
            loaded=loaded,
            reads=body.reads,
            writes=body.writes,
        )
        return Instance(name, **body.connections())

    def get_sram(self, sram):
        """Called by Sram, the memory of scales."""
        self._boxes[SCALE_SRAM] = BlackBox(
            name=SCALE_SRAM,
            kind="scale_sram",
            ports=sram_ports(sram),
            body=sram_body(sram),
            shape=(sram.depth, sram.width),
            loaded=True,
            reads=("registered, shared with the write",),
            writes=("whole words",),
        )
        return SCALE_SRAM

    def get_crossbar(self, tile):
        """Called by CrossbarTile; None leaves its body in place."""
        if not self._crossbar:
            return None
        self._boxes[CROSSBAR] = BlackBox(
            name=CROSSBAR,
            kind="crossbar",
            ports=box_ports(tile),
            body=plain_names(verilog_text(tile, CROSSBAR)),
            shape=(tile.tiles, tile.rows * tile.columns),
            loaded=True,
        )
        connections = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in tile.signature.flatten(tile):
            side = "i" if member.flow == wiring.In else "o"
            connections[f"{side}_{'__'.join(map(str, path))}"] = value
        return Instance(CROSSBAR, **connections)


def plain_names(text):
    """``text`` with hierarchical module names (``\\a.b ``) as plain ones (``a_b``)."""
    return _HIERARCHICAL.sub(lambda found: _SEPARATORS.sub("_", found[1]) + " ", text)


def _places(text):
    """Module that is instantiated to the places where it is, as paths."""
    found = {}
    for module in _MODULE.finditer(text):
        path = module[1].removeprefix("\\")
        for kind, instance in _PLACE.findall(module[0]):
            found.setdefault(kind, []).append(f"{path}.{instance}")
    return found


def _memory_names(boxes, places):
    """Number of a memory to its name: of its place if it is loaded, else of its shape."""
    names, shapes = {}, {}
    for kind, box in boxes.items():
        if box.loaded:
            names[kind] = _SEPARATORS.sub("_", places[kind][0])
            continue
        words, bits = box.shape
        name = f"{MEMORY}{words}x{bits}"
        same = shapes.setdefault(name, [])
        if box.alike not in same:
            same.append(box.alike)
        at = same.index(box.alike)
        names[kind] = f"{name}_{at + 1}" if at else name
    return names


def with_black_boxes(accelerator, name, memory_bits, crossbar=True):
    """Verilog of an accelerator with plain module names; its black boxes by name; its modules.

    The modules' names go with their paths: ``scaledrop_core_walker`` with ``core.walker``.

    A memory with contents is named after its place (``scaledrop_core_outputs_head_affine_memory``),
    another after its shape (``scaledrop_memory_336x8``): those of one shape share a module.
    """
    platform = BlackBoxes(memory_bits=memory_bits, crossbar=crossbar)
    text = verilog_text(accelerator, checked_name(name), platform)
    found, places = platform.boxes, _places(text)
    names = _memory_names({k: box for k, box in found.items() if box.kind == "memory"}, places)
    boxes = {}
    for kind, box in found.items():
        own = names.get(kind, kind)
        at = [*(boxes[own].paths if own in boxes else ()), *places[kind]]
        boxes[own] = box.called(own, at)
    numbers = re.compile(rf"\b{MEMORY}\d+\b(?!x)")
    text = numbers.sub(lambda one: names[one[0]], text)
    paths = [found[1].removeprefix("\\") for found in _MODULE.finditer(text)]
    modules = {_SEPARATORS.sub("_", path): path.partition(".")[2] for path in paths}
    return plain_names(text), dict(sorted(boxes.items())), modules
