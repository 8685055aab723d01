# SPDX-License-Identifier: Apache-2.0
"""Monitors: invariants of the accelerator that are watched while it runs."""

from amaranth.hdl import Module, Mux, ResetInserter, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In

from scaledrop.health import HealthLimits
from scaledrop.monitors import MonitorFlag
from scaledrop.walk import MASS_BITS
from scaledrop_hw.bit_health import alarms_layout
from scaledrop_hw.checks import require_range
from scaledrop_hw.sticky import StickyStatus

__all__ = ["Monitors"]

PULSES = {
    "corrected": MonitorFlag.SCALE_CORRECTED,
    "uncorrected": MonitorFlag.SCALE_UNCORRECTED,
    "refused": MonitorFlag.DESCRIPTOR_REFUSED,
    "misframed": MonitorFlag.IMAGE_MISFRAMED,
}

IMAGES = 4
"""Images whose walk has ended and whose leaves have not: two are held, and leaves come late."""


class Monitors(wiring.Component):
    """Notices when the accelerator does not do what its results mean; see MonitorFlag.

    With `exact` the mode of the image whose visits are formed, and T its passes:

        MASK_STALE      a bit is drawn and no write began since the bit before
        SPIN_OVERUSED   a write begins and no bit was drawn since the write before
        MASK_COUNT      not exact: bits of the visit != kept + dropped, or ones among them != kept,
                        or one of them is not of the visit's layer
        BITS_IN_EXACT   exact: a bit is drawn or a write begins
        PASS_COUNT      sum of an image's leaf weights != T; in exact, > 2**mass_bits

    None of these ever happens in a correct accelerator.

    Parameters
    ----------
    layers : int
        1 to 1024.
    max_passes : int
        Largest T, 1 to 65535.
    mass_bits : int
        All of the probability mass is ``2**mass_bits``; 1 to 32.
    width : int
        Of the saturating counters, 1 to 32.

    Members
    -------
    restart : In(1)
        What was observed up to this cycle is forgotten; status and counts stay. For an abort.
    exact : In(1); passes : In(range(max_passes + 1))
        Mode and T of the image whose visits are formed; 0 passes are 1. May change between a
        ``formed`` that is ``last`` and the first bit of the next image.
    write : In(1)
        Write pulse of the spin unit, however long.
    drawn_valid : In(1); drawn : In({layer, keep})
        A bit is taken.
    formed_valid : In(1); formed : In({layer, kept, dropped, last})
        A command is transferred: not before the last bit of its visit, and before the first of
        the next; ``last`` ends the image.
    leaf_valid : In(1); leaf : In({weight, ends_image})
        A leaf is done. At most four images are formed and have not ended.
    alarms : In(alarms_layout)
        From BitHealth.
    corrected, uncorrected, refused, misframed : In(1)
        From scale memory, descriptors and image buffer.
    clear, status, stop_enable, stop, select, count
        See StickyStatus; positions are MonitorFlag's.

    Timing
    ------
    A status bit is set one cycle after the observation that breaks its rule: the bit, the first
    cycle of the write, the command, the leaf that ends the image, the alarm or the pulse.
    """

    def __init__(self, *, layers, max_passes, mass_bits=MASS_BITS, width=16):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        self._mass_bits = require_range("mass_bits", mass_bits, 1, 32)
        self._sticky = StickyStatus(flags=len(MonitorFlag), width=width)
        layer = range(max(layers, 2))
        weight = unsigned(max(mass_bits + 1, max_passes.bit_length()))
        drawn = {"layer": layer, "keep": 1}
        formed = {"layer": layer, "kept": weight, "dropped": weight, "last": 1}
        status = ("clear", "status", "stop_enable", "stop", "select", "count")
        super().__init__(
            {
                "restart": In(1),
                "exact": In(1),
                "passes": In(range(max_passes + 1)),
                "write": In(1),
                "drawn_valid": In(1),
                "drawn": In(data.StructLayout(drawn)),
                "formed_valid": In(1),
                "formed": In(data.StructLayout(formed)),
                "leaf_valid": In(1),
                "leaf": In(data.StructLayout({"weight": weight, "ends_image": 1})),
                "alarms": In(alarms_layout()),
                **{name: In(1) for name in PULSES},
                **{name: self._sticky.signature.members[name] for name in status},
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def max_passes(self):
        return self._max_passes

    @property
    def mass_bits(self):
        return self._mass_bits

    @property
    def width(self):
        return self._sticky.width

    def twin(self, cycles):
        """The flags raised in each cycle, from what the input members are in each (dicts)."""
        found, bits, images = [], [], []
        writing = fresh = total = 0
        for now in cycles:
            began, drawn, exact = now["write"] and not writing, now["drawn_valid"], now["exact"]
            raised = {flag for name, flag in PULSES.items() if now[name]}
            raised |= {
                MonitorFlag[name.upper()] for name, is_set in now["alarms"].items() if is_set
            }
            if drawn:
                bits.append(now["drawn"])
            if drawn and not fresh:
                raised.add(MonitorFlag.MASK_STALE)
            if began and fresh and not drawn:
                raised.add(MonitorFlag.SPIN_OVERUSED)
            if exact and (drawn or began):
                raised.add(MonitorFlag.BITS_IN_EXACT)
            writing, fresh = now["write"], not exact and (began or (fresh and not drawn))
            full = len(images) == IMAGES
            if now["leaf_valid"]:
                total += now["leaf"]["weight"]
                if now["leaf"]["ends_image"]:
                    low, high = images.pop(0) if images else (1, 0)
                    if not low <= total <= high:
                        raised.add(MonitorFlag.PASS_COUNT)
                    total = 0
            if now["formed_valid"]:
                formed, passes = now["formed"], max(now["passes"], 1)
                ones = [bit["keep"] for bit in bits if bit["layer"] == formed["layer"]]
                wanted = (formed["kept"] + formed["dropped"], formed["kept"])
                if not exact and not (len(bits) == len(ones) and wanted == (len(ones), sum(ones))):
                    raised.add(MonitorFlag.MASK_COUNT)
                if formed["last"] and not full:
                    images.append((0, 1 << self._mass_bits) if exact else (passes, passes))
                bits = []
            found.append(raised)
        return found

    def _spin(self, m, events):
        """One write for each bit, and neither in mode exact."""
        writing, began, fresh = Signal(), Signal(), Signal()
        m.d.sync += writing.eq(self.write)
        m.d.comb += [
            began.eq(self.write & ~writing),
            events[MonitorFlag.MASK_STALE].eq(self.drawn_valid & ~fresh),
            events[MonitorFlag.SPIN_OVERUSED].eq(began & fresh & ~self.drawn_valid),
            events[MonitorFlag.BITS_IN_EXACT].eq(self.exact & (self.drawn_valid | began)),
        ]
        with m.If(self.exact):
            m.d.sync += fresh.eq(0)
        with m.Elif(began | self.drawn_valid):
            m.d.sync += fresh.eq(began)

    def _visit(self, m, events):
        """The bits since the last command are those of this one; counts stop above every T."""
        most = self._max_passes + 1
        bits, ones, bits_now, ones_now = (
            Signal(range(most + 1), name=name) for name in ("bits", "ones", "bits_now", "ones_now")
        )
        layer, strange, strange_now = Signal.like(self.drawn.layer), Signal(), Signal()
        layer_now = Signal.like(layer)
        formed, drawn = self.formed, self.drawn
        m.d.comb += [bits_now.eq(bits), ones_now.eq(ones)]
        m.d.comb += [layer_now.eq(layer), strange_now.eq(strange)]
        with m.If(self.drawn_valid):
            m.d.comb += [
                bits_now.eq(bits + (bits != most)),
                ones_now.eq(ones + (drawn.keep & (ones != most))),
                layer_now.eq(drawn.layer),
                strange_now.eq(strange | ((bits != 0) & (drawn.layer != layer))),
            ]
        wrong_bits = (bits_now != formed.kept + formed.dropped) | (ones_now != formed.kept)
        wrong_layer = (bits_now != 0) & (strange_now | (layer_now != formed.layer))
        m.d.comb += events[MonitorFlag.MASK_COUNT].eq(
            self.formed_valid & ~self.exact & (wrong_bits | wrong_layer)
        )
        m.d.sync += [layer.eq(layer_now), strange.eq(strange_now)]
        m.d.sync += [bits.eq(bits_now), ones.eq(ones_now)]
        with m.If(self.formed_valid):
            m.d.sync += [bits.eq(0), ones.eq(0), strange.eq(0)]

    def _leaves(self, m, events):
        """What the leaves of an image add up to, against what was asked when it was formed."""
        asked = data.StructLayout({"exact": 1, "passes": self.passes.shape()})
        m.submodules.asked = images = SyncFIFO(width=asked.size, depth=IMAGES)
        head, all_mass = data.View(asked, images.r_data), 1 << self._mass_bits
        total = Signal(len(self.leaf.weight) + 1)
        summed, capped = Signal(len(total) + 1), Signal.like(total)
        ends, wrong = Signal(), Signal()
        m.d.comb += [
            data.View(asked, images.w_data).exact.eq(self.exact),
            data.View(asked, images.w_data).passes.eq(Mux(self.passes == 0, 1, self.passes)),
            images.w_en.eq(self.formed_valid & self.formed.last),
            summed.eq(total + self.leaf.weight),
            capped.eq(Mux(summed[-1], (1 << len(total)) - 1, summed)),
            ends.eq(self.leaf_valid & self.leaf.ends_image),
            images.r_en.eq(ends),
            wrong.eq(Mux(head.exact, summed > all_mass, summed != head.passes)),
            events[MonitorFlag.PASS_COUNT].eq(ends & (wrong | ~images.r_rdy)),
        ]
        with m.If(self.leaf_valid):
            m.d.sync += total.eq(Mux(ends, 0, capped))

    def elaborate(self, platform):
        m = Module()
        m.submodules.sticky = sticky = self._sticky
        events, observed = Signal(len(MonitorFlag)), Module()
        m.submodules.observed = ResetInserter(self.restart)(observed)
        self._spin(observed, events)
        self._visit(observed, events)
        self._leaves(observed, events)
        observed.d.comb += [events[flag].eq(getattr(self, name)) for name, flag in PULSES.items()]
        for name in HealthLimits._fields:
            observed.d.comb += events[MonitorFlag[name.upper()]].eq(self.alarms[name])
        m.d.comb += [
            sticky.events.eq(events),
            *[
                getattr(sticky, name).eq(getattr(self, name))
                for name in ("clear", "stop_enable", "select")
            ],
            *[
                getattr(self, name).eq(getattr(sticky, name))
                for name in ("status", "stop", "count")
            ],
        ]
        return m
