# SPDX-License-Identifier: Apache-2.0
"""Prefix stack: where a walk over prefixes of mask bits is, and where it goes next."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["PrefixStack", "node_layout"]


def node_layout(layers, weight_bits):
    """A visit to be made: bit j of ``path`` is the mask bit of layer j, 0 from ``layer`` on."""
    layer = range(max(layers, 2))
    return data.StructLayout({"layer": layer, "path": layers, "weight": weight_bits})


class PrefixStack(wiring.Component):
    """Goes through a binary tree depth first, the kept side of a visit before the dropped one.

    A visit before the last layer goes on to the next layer with the weight kept, or with the one
    dropped if none is kept; if there are both, the dropped one waits. A visit of the last layer
    goes on with the deepest that waits, and at the end with layer 0.

    Parameters
    ----------
    layers, weight_bits : int

    Members
    -------
    layer : Out(layer index); path : Out(layers)
        The visit being made; layer 0 after reset.
    head, ends : Out(1)
        It is of the last layer; and nothing waits.
    advance : In(1); keeps, drops : In(1); kept, dropped : In(weight_bits)
        Go on with these weights where ``keeps`` and ``drops`` say that there is one, which is
        sooner known than the weights are. Before the last layer not both are low.
    following : Out(node_layout)
        Where ``advance`` would lead; its weight is 0 where ``ends``.

    Timing
    ------
    ``following`` is combinational in ``keeps``, ``kept`` and ``dropped``; ``layer`` and the rest
    follow ``advance`` by one cycle. One word of memory for each layer but the last.
    """

    def __init__(self, *, layers, weight_bits):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._weight_bits = require_range("weight_bits", weight_bits, 1, 32)
        node = node_layout(layers, weight_bits)
        super().__init__(
            {
                "layer": Out(node["layer"].shape),
                "path": Out(layers),
                "head": Out(1),
                "ends": Out(1),
                "advance": In(1),
                "keeps": In(1),
                "drops": In(1),
                "kept": In(weight_bits),
                "dropped": In(weight_bits),
                "following": Out(node),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def weight_bits(self):
        return self._weight_bits

    @staticmethod
    def twin(layers, sides):
        """Every (layer, path, weight) after the first, from the (kept, dropped) of each visit."""
        layer = path = 0
        waiting, nodes = [], []
        for kept, dropped in sides:
            options = [(layer + 1, path | 1 << layer, kept), (layer + 1, path, dropped)]
            if layer < layers - 1:
                waiting += [node for node in reversed(options) if node[2]]
            nodes.append(waiting.pop() if waiting else (0, 0, 0))
            layer, path, _ = nodes[-1]
        return nodes

    def elaborate(self, platform):
        m = Module()
        following, both = self.following, Signal()
        waits, deepest, weight = self._memory(m, both)
        m.d.comb += [
            both.eq(~self.head & self.keeps & self.drops),
            self.head.eq(self.layer == self._layers - 1),
            self.ends.eq(self.head & ~waits),
        ]
        with m.If(~self.head):
            m.d.comb += [
                following.layer.eq(self.layer + 1),
                following.path.eq(self.path),
                following.path.bit_select(self.layer, 1).eq(self.keeps),
                following.weight.eq(Mux(self.keeps, self.kept, self.dropped)),
            ]
        with m.Elif(waits):
            before = Cat(deepest > layer for layer in range(self._layers))
            m.d.comb += [
                following.layer.eq(deepest + 1),
                following.path.eq(self.path & before),
                following.weight.eq(weight),
            ]
        with m.If(self.advance):
            m.d.sync += [self.layer.eq(following.layer), self.path.eq(following.path)]
        return m

    def _memory(self, m, both):
        """Dropped sides that wait: whether there is one, the layer and the weight of the deepest.

        They lie on the path of the current visit, so that there is one a layer at most.
        """
        waiting = Signal(max(self._layers - 1, 1))
        deepest = Signal(range(len(waiting)))
        m.submodules.stack = stack = Memory(shape=self._weight_bits, depth=len(waiting), init=[])
        read, write = stack.read_port(domain="comb"), stack.write_port()
        for layer in range(len(waiting)):
            with m.If(waiting[layer]):
                m.d.comb += deepest.eq(layer)
        m.d.comb += [
            read.addr.eq(deepest),
            write.addr.eq(self.layer),
            write.data.eq(self.dropped),
            write.en.eq(self.advance & both),
        ]
        with m.If(self.advance & both):
            m.d.sync += waiting.bit_select(self.layer, 1).eq(1)
        with m.If(self.advance & self.head):
            m.d.sync += waiting.bit_select(deepest, 1).eq(0)
        return waiting != 0, deepest, read.data
