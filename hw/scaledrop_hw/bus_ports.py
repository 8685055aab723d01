# SPDX-License-Identifier: Apache-2.0
"""Names of bus signals as tools expect them at the edge of a design: s_axi_awvalid and so on."""

from amaranth.lib.wiring import Out

__all__ = ["connect_ports", "ports"]


def ports(prefix, signature):
    """Members for the signals of a bus, each with a name of its own.

    A member of a signature would be called ``prefix__name`` in Verilog, by which no tool knows it.
    """
    return {f"{prefix}_{name}": member for name, member in signature.members.items()}


def connect_ports(m, component, prefix, inner):
    """Connect the ports made by :func:`ports` to the interface ``inner`` of a part."""
    for name, member in inner.signature.members.items():
        outer, signal = getattr(component, f"{prefix}_{name}"), getattr(inner, name)
        m.d.comb += outer.eq(signal) if member.flow == Out else signal.eq(outer)
