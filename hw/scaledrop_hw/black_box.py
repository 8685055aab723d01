# SPDX-License-Identifier: Apache-2.0
"""A black box: a module known by its ports, its stub and a body that behaves as it must."""

import re
from dataclasses import dataclass, replace

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    MemoryData,
    MemoryInstance,
    Module,
    Shape,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.export import ports

__all__ = [
    "CROSSBAR",
    "SCALE_SRAM",
    "BlackBox",
    "MemoryBody",
    "box_ports",
    "sram_body",
    "sram_ports",
]

CROSSBAR = "scaledrop_crossbar"
SCALE_SRAM = "scaledrop_scale_sram"

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
        return replace(self, name=name, paths=tuple(paths), body=body)

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


def box_ports(component):
    """Ports as the sidecar has them, without a reset where there is a clock of its own."""
    found = [
        {name: port[name] for name in ("name", "direction", "width")} for port in ports(component)
    ]
    own = "clk" in dict(component.signature.members)
    return tuple(found[2:] if own else found)


def sram_ports(sram):
    sides = {"clk": 1, "en": 1, "we": 1, "addr": len(sram.address), "din": sram.width}
    found = [{"name": name, "direction": "in", "width": width} for name, width in sides.items()]
    return (*found, {"name": "dout", "direction": "out", "width": sram.width})


def sram_body(sram):
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
        # A domain of its own, which has no reset.
        m.domains.words = words = ClockDomain(reset_less=True, local=True)
        m.d.comb += words.clk.eq(self.clk)
        like = self._memory
        rows = MemoryData(shape=like.shape, depth=like.depth, init=like.data.init)
        m.submodules.words = memory = MemoryInstance(data=rows)
        writes = {
            port: memory.write_port(
                domain="words",
                addr=getattr(self, f"w{at}_addr"),
                data=getattr(self, f"w{at}_data"),
                en=getattr(self, f"w{at}_en"),
            )
            for at, port in enumerate(like.write_ports)
        }
        for at, port in enumerate(like.read_ports):
            registered = port.domain != "comb"
            memory.read_port(
                domain="words" if registered else "comb",
                addr=getattr(self, f"r{at}_addr"),
                data=getattr(self, f"r{at}_data"),
                en=getattr(self, f"r{at}_en") if registered else Const(1),
                transparent_for=tuple(writes[one] for one in port.transparent_for),
            )
        return m
