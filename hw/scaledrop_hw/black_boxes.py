# SPDX-License-Identifier: Apache-2.0
"""Black boxes: the parts of an accelerator that a chip takes from elsewhere, as named modules."""

import re
from dataclasses import dataclass, replace

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    Instance,
    MemoryInstance,
    Module,
    ResetSignal,
    Shape,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range
from scaledrop_hw.crossbar import CrossbarTile
from scaledrop_hw.export import checked_name, ports, verilog_text

__all__ = [
    "CROSSBAR",
    "SCALE_SRAM",
    "BlackBox",
    "BlackBoxes",
    "MemoryBody",
    "plain_names",
    "with_black_boxes",
]

CROSSBAR = "scaledrop_crossbar"
SCALE_SRAM = "scaledrop_scale_sram"

MEMORY = "scaledrop_memory_"

_MODULE = re.compile(r"^module (\\?\S+) ?\(.*?^endmodule$", re.M | re.S)
_PLACE = re.compile(r"^  (scaledrop_\w+) +\\?(\S+) +\($", re.M)
_HIERARCHICAL = re.compile(r"(?<=[\s(])\\(\w+\.[\w.$]+) ")
_SEPARATORS = re.compile(r"[.$\[\]]+")

SRAM_BODY = """\
module {name} (clk, en, we, addr, din, dout);
  input clk, en, we;
  input [{address}:0] addr;
  input [{width}:0] din;
  output reg [{width}:0] dout;
  reg [{width}:0] words [0:{last}];
  initial begin
{initial}
  end
  always @(posedge clk)
    if (en)
      if (we) words[addr] <= din; else dout <= words[addr];
endmodule
"""


@dataclass(frozen=True)
class BlackBox:
    """A module that is instantiated and not described.

    Attributes:
        name: Of the module.
        kind: ``crossbar``, ``scale_sram`` or ``memory``.
        ports: As in the sidecar: name, direction, width.
        body: Verilog that behaves as it must, with what the frozen network put there.
        shape: (words, bits) of a memory or of the weights.
        loaded: It has contents, which silicon gets through the host's port.
        reads, writes: Of a memory, a text a port.
        paths: Where it stands in the accelerator.
    """

    name: str
    kind: str
    ports: tuple
    body: str
    shape: tuple
    loaded: bool
    reads: tuple = ()
    writes: tuple = ()
    paths: tuple = ()

    def called(self, name, paths):
        """The same under another name, at its places."""
        body = re.sub(rf"\b{self.name}\b", name, self.body)
        return replace(self, name=name, paths=tuple(paths), body=plain_names(body))

    @property
    def alike(self):
        """What two memories have in common that one module can stand for."""
        return self.ports, self.reads, self.writes, self.shape

    @property
    def stub(self):
        """The module with its ports and nothing inside."""
        names = ", ".join(port["name"] for port in self.ports)
        lines = [
            f"  {port['direction']}put "
            + (f"[{port['width'] - 1}:0] " if port["width"] > 1 else "")
            + f"{port['name']};"
            for port in self.ports
        ]
        return "\n".join(
            ["(* blackbox *)", f"module {self.name} ({names});", *lines, "endmodule", ""]
        )


def _ports(component):
    """Ports as the sidecar has them, without a reset where there is a clock of its own."""
    found = [
        {name: port[name] for name in ("name", "direction", "width")} for port in ports(component)
    ]
    own = "clk" in dict(component.signature.members)
    return tuple(found[2:] if own else found)


def _sram_ports(sram):
    sides = {"clk": 1, "en": 1, "we": 1, "addr": len(sram.address), "din": sram.width}
    found = [{"name": name, "direction": "in", "width": width} for name, width in sides.items()]
    return (*found, {"name": "dout", "direction": "out", "width": sram.width})


def _sram_body(sram):
    """The module that Sram asks for, with the frozen network's scales."""
    words = [*sram.init, *[0] * (sram.depth - len(sram.init))]
    return SRAM_BODY.format(
        name=SCALE_SRAM,
        address=len(sram.address) - 1,
        width=sram.width - 1,
        last=max(sram.depth, 2) - 1,
        initial="\n".join(f"    words[{at}] = {sram.width}'h{w:x};" for at, w in enumerate(words)),
    )


class MemoryBody(wiring.Component):
    """A memory of its own with the ports of another.

    Parameters
    ----------
    memory : amaranth.lib.memory.Memory
        Its ports are all there.

    Members
    -------
    r0_addr, r0_en : In; r0_data : Out
        A read port; one that is not registered has no ``en``.
    w0_addr, w0_data, w0_en : In
        A write port; ``en`` has a bit for each part of a word.

    Timing
    ------
    A registered read is answered one cycle later and holds; a word that is written in the cycle of
    its read is read as it was, or as it becomes where the port is transparent.
    """

    def __init__(self, *, memory):
        self._memory = memory
        self._width = Shape.cast(memory.shape).width
        members = {"clk": In(1)}
        for at, port in enumerate(memory.read_ports):
            members[f"r{at}_addr"] = In(port.addr.shape())
            if port.domain != "comb":
                members[f"r{at}_en"] = In(1)
            members[f"r{at}_data"] = Out(self._width)
        for at, port in enumerate(memory.write_ports):
            members[f"w{at}_addr"] = In(port.addr.shape())
            members[f"w{at}_data"] = In(self._width)
            members[f"w{at}_en"] = In(len(port.en))
        super().__init__(members)

    @property
    def reads(self):
        """What each read port does."""
        return tuple(
            "combinational"
            if port.domain == "comb"
            else f"registered, {'new' if port.transparent_for else 'old'} word on collision"
            for port in self._memory.read_ports
        )

    @property
    def writes(self):
        """Parts that each write port writes on their own."""
        return tuple(f"{len(port.en)} enable bits" for port in self._memory.write_ports)

    def connections(self):
        """Arguments of the instance in the place of the other memory."""
        found = {"i_clk": ClockSignal()}
        for at, port in enumerate(self._memory.read_ports):
            found |= {f"i_r{at}_addr": port.addr, f"o_r{at}_data": Value.cast(port.data)}
            if port.domain != "comb":
                found[f"i_r{at}_en"] = port.en
        for at, port in enumerate(self._memory.write_ports):
            found |= {
                f"i_w{at}_addr": port.addr,
                f"i_w{at}_data": Value.cast(port.data),
                f"i_w{at}_en": port.en,
            }
        return found

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain(reset_less=True, local=True)
        m.d.comb += sync.clk.eq(self.clk)
        like = self._memory
        m.submodules.words = memory = MemoryInstance(data=like.data)
        writes = {
            port: memory.write_port(
                domain="sync",
                addr=getattr(self, f"w{at}_addr"),
                data=getattr(self, f"w{at}_data"),
                en=getattr(self, f"w{at}_en"),
            )
            for at, port in enumerate(like.write_ports)
        }
        for at, port in enumerate(like.read_ports):
            registered = port.domain != "comb"
            memory.read_port(
                domain=port.domain,
                addr=getattr(self, f"r{at}_addr"),
                data=getattr(self, f"r{at}_data"),
                en=getattr(self, f"r{at}_en") if registered else Const(1),
                transparent_for=tuple(writes[one] for one in port.transparent_for),
            )
        return m


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
            ports=_ports(body),
            body=verilog_text(body, name),
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
            ports=_sram_ports(sram),
            body=_sram_body(sram),
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
            ports=_ports(tile),
            body=verilog_text(tile, CROSSBAR),
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
    """Verilog of an accelerator with plain module names, and its black boxes by name.

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
    return plain_names(text), dict(sorted(boxes.items()))
