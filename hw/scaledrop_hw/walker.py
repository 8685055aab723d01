# SPDX-License-Identifier: Apache-2.0
"""Walker: which visit the crossbar makes next, and with which weights."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from scaledrop.numbers import DROP_BITS
from scaledrop.walk import MASS, MASS_BITS, Inference, Mode, walk
from scaledrop_hw.checks import require_range
from scaledrop_hw.mass_split import MassSplit
from scaledrop_hw.prefix_stack import PrefixStack

__all__ = ["Walker", "command_layout"]

SHARED, EXACT = (list(Mode).index(mode) for mode in (Mode.SHARED, Mode.EXACT))


def command_layout(layers, weight_bits):
    """One visit.

    path    bit j is the mask bit of layer j; bits of the layer itself and of later ones are 0
    kept, dropped       weight of each outcome; it is not made when 0
    first   no visit of the last layer of the image came before this one
    last    no visit of the image comes after it
    """
    layer = range(max(layers, 2))
    weights = {"kept": weight_bits, "dropped": weight_bits}
    return data.StructLayout({"layer": layer, "path": layers, **weights, "first": 1, "last": 1})


class Walker(wiring.Component):
    """Walks over the prefixes of mask bits, depth first, and queues a command for every visit.

        passes  T walks of weight 1        shared  one walk of weight T
        exact   one walk of weight 2**24

    A visit takes as many bits as its weight; kept is the number of ones, dropped that of zeros. In
    exact it takes none: see MassSplit. Where the walk goes next: see PrefixStack.

    Parameters
    ----------
    layers : int
    max_passes : int
        Largest T, 1 to 65535.
    depth : int
        Commands that are queued at most, 2 to 256.
    exact : bool
        Without it there is no hardware for mode exact, which is taken as 0, and weights are no
        wider than T.

    Members
    -------
    mode : In(2); passes : In(range(max_passes + 1)); cutoff : In(MASS_BITS + 1)
        0 passes, 1 shared, 2 exact (3 is taken as 0); T (0 is taken as 1); the cutoff. Sampled in
        the cycle before ``walking`` rises.
    held : In(range(3)); free : In(1)
        Whole images held, and that the oldest is released in this cycle. One walk per image.
    asked : Out(layer index); code : In(16)
        Drive code of layer ``asked``, in the same cycle; used in exact alone.
    request : Out(stream of layer index); bits : In(stream of 1 bit)
        To and from the dropout controller.
    command : Out(stream of command_layout)
        With weights of ``weight_bits``.
    formed_valid : Out(1); formed : Out(command_layout)
        A command enters the queue.
    drawn_valid : Out(1); drawn : Out({layer, keep})
        A bit is taken.
    walking : Out(1)
        An image's walk is in progress: up to the cycle in which its last command is formed.

    Timing
    ------
    ``walking`` rises one cycle after ``held`` exceeds the walks that are begun and not released;
    it is low for one cycle at least between two images. A visit begins when it rises, or in the
    cycle after the command before was formed, and offers its requests from that cycle on, one
    after another. Its command is formed

        with its last bit           not exact; this bit waits for room in the queue
        2 * (layers - layer) cycles after it began, or when there is room           exact

    and offered one cycle later at the earliest; there is room one cycle after a command was taken
    from a full queue. scaledrop.walk_schedule.CommandSchedule is all this, exactly. After reset
    nothing is queued and no walk begun.

    Stochastic contract
    -------------------
    One request a bit, in the order of the visits; the i-th bit of a visit belongs to the i-th pass
    that waits there.
    """

    def __init__(self, *, layers, max_passes, depth=16, exact=True):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        self._depth = require_range("depth", depth, 2, 256)
        self._exact = bool(exact)
        command = command_layout(layers, self.weight_bits)
        layer = command["layer"].shape
        super().__init__(
            {
                "mode": In(2),
                "passes": In(range(max_passes + 1)),
                "cutoff": In(MASS_BITS + 1),
                "held": In(range(3)),
                "free": In(1),
                "asked": Out(layer),
                "code": In(DROP_BITS),
                "request": Out(stream.Signature(layer)),
                "bits": In(stream.Signature(1)),
                "command": Out(stream.Signature(command)),
                "formed_valid": Out(1),
                "formed": Out(command),
                "drawn_valid": Out(1),
                "drawn": Out(data.StructLayout({"layer": layer, "keep": 1})),
                "walking": Out(1),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def max_passes(self):
        return self._max_passes

    @property
    def depth(self):
        return self._depth

    @property
    def exact(self):
        return self._exact

    @property
    def weight_bits(self):
        """Width of a command's weights."""
        passes = self._max_passes.bit_length()
        return max(MASS_BITS + 1, passes) if self._exact else passes

    @staticmethod
    def twin(mode, passes, cutoff, codes, bits=()):
        """Visits of an image; ``bits`` in the order in which they are drawn."""
        inference = Inference(list(Mode)[mode % 3], max(passes, 1))
        return list(walk(inference, codes, bits, cutoff))

    def elaborate(self, platform):
        m = Module()
        m.submodules.prefix = prefix = PrefixStack(
            layers=self._layers, weight_bits=self.weight_bits
        )
        begin, enter, exact, room = (
            Signal(name=name) for name in ("begin", "enter", "exact", "room")
        )
        self._admit(m, begin, exact)
        self._queue(m, room)
        weight = self._follow(m, begin, prefix)
        drawn = self._draw(m, enter, exact, room, weight)
        split = self._split(m, begin, enter, exact, prefix, weight) if self._exact else 0
        m.d.comb += [
            self.formed_valid.eq(drawn | (split & room)),
            enter.eq(begin | (self.formed_valid & ~self.formed.last)),
        ]
        return m

    def _admit(self, m, begin, exact):
        """One walk for every image held."""
        begun = Signal.like(self.held, name="begun")
        m.d.comb += begin.eq(~self.walking & (begun < self.held))
        m.d.sync += begun.eq(begun + begin - (self.free & (begun != 0)))
        with m.If(begin):
            m.d.sync += [self.walking.eq(1), exact.eq(self._exact & (self.mode == EXACT))]
        with m.If(self.formed_valid & self.formed.last):
            m.d.sync += self.walking.eq(0)

    def _queue(self, m, room):
        layout = self.formed.shape()
        m.submodules.commands = queue = SyncFIFO(width=layout.size, depth=self._depth)
        m.d.comb += [
            room.eq(queue.w_rdy),
            queue.w_en.eq(self.formed_valid),
            queue.w_data.eq(self.formed.as_value()),
            queue.r_en.eq(self.command.ready),
            self.command.valid.eq(queue.r_rdy),
            self.command.payload.as_value().eq(queue.r_data),
        ]

    def _follow(self, m, begin, prefix):
        """From visit to visit; returns the weight of the next one."""
        formed, first = self.formed, Signal(init=1)
        passes, left = Signal(self.passes.shape()), Signal(self.passes.shape())
        root, weight = Signal(self.weight_bits), Signal(self.weight_bits)
        m.d.comb += [
            prefix.advance.eq(self.formed_valid),
            prefix.kept.eq(formed.kept),
            prefix.dropped.eq(formed.dropped),
            formed.layer.eq(prefix.layer),
            formed.path.eq(prefix.path),
            formed.first.eq(first),
            formed.last.eq(prefix.ends & (left == 1)),
            passes.eq(Mux(self.passes == 0, 1, self.passes)),
            root.eq(1),
            weight.eq(Mux(begin | prefix.ends, root, prefix.following.weight)),
        ]
        with m.If(begin):
            m.d.sync += left.eq(1)
            with m.Switch(self.mode):
                with m.Case(SHARED):
                    m.d.comb += root.eq(passes)
                if self._exact:
                    with m.Case(EXACT):
                        m.d.comb += root.eq(MASS)
                with m.Default():
                    m.d.sync += left.eq(passes)
        with m.If(self.formed_valid & prefix.head):
            m.d.sync += [first.eq(formed.last), left.eq(left - prefix.ends)]
        return weight

    def _draw(self, m, enter, exact, room, weight):
        """A bit for each pass that waits; returns whether the visit's last one is taken."""
        drawing, keep, count = Signal(), self.bits.payload, self.passes.shape()
        unasked, undrawn, ones, zeros = (
            Signal(count, name=name) for name in ("unasked", "undrawn", "ones", "zeros")
        )
        m.d.comb += [
            drawing.eq(self.walking & ~exact),
            self.request.valid.eq(drawing & (unasked != 0)),
            self.request.payload.eq(self.formed.layer),
            self.bits.ready.eq(drawing & ((undrawn != 1) | room)),
            self.drawn_valid.eq(self.bits.valid & self.bits.ready),
            self.drawn.layer.eq(self.formed.layer),
            self.drawn.keep.eq(keep),
        ]
        with m.If(~exact):
            m.d.comb += [self.formed.kept.eq(ones + keep), self.formed.dropped.eq(zeros + ~keep)]
        with m.If(self.request.valid & self.request.ready):
            m.d.sync += unasked.eq(unasked - 1)
        with m.If(self.drawn_valid):
            m.d.sync += [undrawn.eq(undrawn - 1), ones.eq(ones + keep), zeros.eq(zeros + ~keep)]
        with m.If(enter):
            m.d.sync += [unasked.eq(weight), undrawn.eq(weight), ones.eq(0), zeros.eq(0)]
        return self.drawn_valid & (undrawn == 1)

    def _split(self, m, begin, enter, exact, prefix, weight):
        """No bits; returns whether the visit's mass is split."""
        m.submodules.split = split = MassSplit(layers=self._layers)
        m.d.comb += [
            split.start.eq(enter & Mux(begin, self.mode == EXACT, exact)),
            split.layer.eq(Mux(begin, 0, prefix.following.layer)),
            split.weight.eq(weight),
            split.code.eq(self.code),
            self.asked.eq(split.asked),
        ]
        with m.If(begin):
            m.d.sync += split.cutoff.eq(self.cutoff)
        with m.If(exact):
            m.d.comb += [self.formed.kept.eq(split.kept), self.formed.dropped.eq(split.dropped)]
        return self.walking & exact & split.done
