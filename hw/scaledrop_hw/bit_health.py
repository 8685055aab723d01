# SPDX-License-Identifier: Apache-2.0
"""Health of the stochastic bits: repetition count, proportion and lag-1 tests of every layer."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop.health import MAX_WINDOW, HealthLimits, HealthTwin
from scaledrop_hw.checks import require_range

__all__ = ["BitHealth", "alarms_layout", "limits_layout"]


def alarms_layout():
    """One bit for each limit, high where it is broken."""
    return data.StructLayout({name: 1 for name in HealthLimits._fields})


def limits_layout(window, run_bits):
    """The limits of one layer; see :class:`scaledrop.health.HealthLimits`."""
    shapes = [
        *[unsigned(run_bits)] * 2,
        *[Signal(range(window + 1)).shape()] * 2,
        *[Signal(range(window)).shape()] * 2,
    ]
    return data.StructLayout(dict(zip(HealthLimits._fields, shapes, strict=True)))


class BitHealth(wiring.Component):
    """Tests the bits of each layer on their own: the one unit draws them with many probabilities.

    Over the bits of a layer, with ``run`` the equal bits that end with this one, and at the end of
    each ``window`` of them with ``drops`` its zeros and ``equal`` its equal neighbours:

        run_kept = keep and 0 < limits.run_kept <= run
        run_dropped = not keep and 0 < limits.run_dropped <= run
        drops_low = drops < limits.drops_low        drops_high = drops > limits.drops_high
        equal_low = equal < limits.equal_low        equal_high = equal > limits.equal_high

    A run that goes on alarms at every bit, so that a status that was cleared is set again.

    Parameters
    ----------
    layers : int
        1 to 1024.
    window : int
        Bits of a layer in a window, 2 to 4096.
    run_bits : int
        Width of the run counter, which saturates; 1 to 20.

    Members
    -------
    valid : In(1); layer : In(layer index); keep : In(1)
        A bit as it is drawn: mask bit m.
    restart : In(1)
        Forgets every bit before this cycle. Wanted after new drive codes or limits.
    limits : In(limits_layout)
        The limits of the layer that was given in the cycle before: what a synchronous memory
        addressed by ``layer`` reads, or an array of registers indexed by ``alarm_layer``.
    alarms : Out(alarms_layout); alarm_layer : Out(layer index)
        The layer of the cycle before, and what its bit broke; 0 where no bit was given.

    Timing
    ------
    An alarm comes one cycle after its bit; one bit per cycle. Runs are noticed at the bit that
    reaches the cutoff; what changes a count, at the end of the first window that lies wholly in it:
    at most ``2 * window - 1`` bits of the layer. No bits are remembered after reset.

    Reference
    ---------
    NIST SP 800-90B, 4.4.1 and 4.4.2; scaledrop.health says how these tests differ.
    """

    def __init__(self, *, layers, window=1024, run_bits=16):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._window = require_range("window", window, 2, MAX_WINDOW)
        self._run_bits = require_range("run_bits", run_bits, 1, 20)
        layer = Signal(range(max(layers, 2))).shape()
        super().__init__(
            {
                "valid": In(1),
                "layer": In(layer),
                "keep": In(1),
                "restart": In(1),
                "limits": In(limits_layout(window, run_bits)),
                "alarms": Out(alarms_layout()),
                "alarm_layer": Out(layer),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def window(self):
        return self._window

    @property
    def run_bits(self):
        return self._run_bits

    def twin(self, limits):
        """The same tests on plain integers, with one entry of ``limits`` for each layer."""
        return HealthTwin(limits, self._window)

    def _remembered(self, m, valid):
        """The ports of the memory of what each layer's bits were: read, then write."""
        layout = data.StructLayout(
            {
                "last": 1,
                "run": unsigned(self._run_bits),
                "position": range(self._window),
                "drops": range(self._window + 1),
                "equal": range(self._window),
            }
        )
        m.submodules.state = memory = Memory(shape=layout, depth=max(self._layers, 2), init=[])
        write = memory.write_port()
        read = memory.read_port(transparent_for=(write,))
        m.d.comb += [
            read.en.eq(self.valid),
            read.addr.eq(self.layer),
            write.en.eq(valid),
            write.addr.eq(self.alarm_layer),
        ]
        return read.data, write.data

    def elaborate(self, platform):
        m = Module()
        valid, keep, known, same, last = (
            Signal(name=name) for name in ("given", "given_keep", "known", "same", "last")
        )
        started = Signal(max(self._layers, 2))
        before, after = self._remembered(m, valid)
        at, drops, equal = (
            Signal(range(self._window + 1), name=name) for name in ("at", "drops", "equal")
        )
        m.d.sync += [valid.eq(self.valid), keep.eq(self.keep), self.alarm_layer.eq(self.layer)]
        with m.If(valid):
            m.d.sync += started.bit_select(self.alarm_layer, 1).eq(1)
        with m.If(self.restart):
            m.d.sync += started.eq(0)
        m.d.comb += [
            known.eq(started.bit_select(self.alarm_layer, 1)),
            same.eq(known & (before.last == keep)),
            at.eq(Mux(known, before.position, 0)),
            last.eq(at == self._window - 1),
            drops.eq(Mux(at == 0, 0, before.drops) + ~keep),
            equal.eq(Mux(at == 0, 0, before.equal + same)),
            after.last.eq(keep),
            after.run.eq(Mux(same, before.run + ~before.run.all(), 1)),
            after.position.eq(Mux(last, 0, at + 1)),
            after.drops.eq(drops),
            after.equal.eq(equal),
        ]
        limits, alarms = self.limits, self.alarms
        for name, kind in (("run_kept", keep), ("run_dropped", ~keep)):
            watched = valid & kind & (limits[name] != 0)
            m.d.comb += alarms[name].eq(watched & (after.run >= limits[name]))
        for name, count in (("drops", drops), ("equal", equal)):
            m.d.comb += [
                alarms[f"{name}_low"].eq(valid & last & (count < limits[f"{name}_low"])),
                alarms[f"{name}_high"].eq(valid & last & (count > limits[f"{name}_high"])),
            ]
        return m
