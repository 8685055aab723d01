# SPDX-License-Identifier: Apache-2.0
"""Layer sequencer: one crossbar activation a cycle, for the visit it was told to make."""

from amaranth.hdl import Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop_hw.checks import require_range
from scaledrop_hw.descriptors import Place
from scaledrop_hw.hosted_memory import Contents, HostedMemory

__all__ = ["LayerSequencer", "step_layout"]


def step_layout(layout, tiles, masks):
    """One crossbar activation as it enters the pipeline, for so many tiles and row masks.

    word       word of the image or of the activation vector, bank included
    plane, row_tile     select a word of the window, a plane of the image
    across, below       tap of the kernel
    mask       word of the rows in use
    inside     the tap lies in the map; else no row is driven
    tile       crossbar tile
    first      starts a sum; ends_plane completes a bit plane, last the sum
    ends_position   the column tile is the position's last
    ends_layer      the position is the layer's last as well
    """
    flags = ("inside", "first", "ends_plane", "last", "ends_position", "ends_layer")
    return data.StructLayout(
        {
            "word": layout["origin"].shape,
            "plane": layout["planes"].shape,
            "row_tile": layout["row_tiles"].shape,
            "across": layout["kernel"].shape,
            "below": layout["kernel"].shape,
            # A bit more than the memories have, so that what lies beyond them can be told.
            "mask": range(2 * max(masks, 2)),
            "tile": range(2 * max(tiles, 2)),
            **dict.fromkeys(flags, 1),
        }
    )


class LayerSequencer(wiring.Component):
    """Walks positions, column tiles, bit planes, taps and row tiles, innermost last.

    Parameters
    ----------
    layout : StructLayout
        From :func:`scaledrop_hw.descriptors.descriptor_layout`.
    descriptors : list of dict
        One per layer.
    command : StructLayout
        From :func:`scaledrop_hw.walker.command_layout`.
    tiles, masks : int
        Words of the crossbar's and of the row masks' memories.

    Members
    -------
    command : In(stream of command)
        Make a visit. Taken when idle, or in the cycle of ``done``.
    current : Out(command); descriptor : Out(layout)
        The visit being made and its layer, stable until the next command is taken.
    taken : Out(1)
        ``command`` is taken in this cycle.
    offered : Out(layout); refuse : In(1)
        Descriptor of the command on offer; it is not taken while it is refused.
    hold : In(1)
        No command is taken and no step issued.
    active : Out(1)
        A visit is being made, from the cycle after the command to ``done``.
    start_window : Out(1); window_ready : In(1); advance_window : Out(1)
        To and from the window buffer of the layer.
    step : Out(step_layout); step_valid : Out(1)
        One activation.
    enable : In(1)
        The pipeline takes the step in this cycle.
    done : In(1)
        The visit's last result is being stored: later reads see it.
    host : In(host_part_signature)
        Loads and reads back the descriptors.

    Timing
    ------
    A visit whose inputs are a vector: first step one cycle after the command, then one step per
    enabled cycle without a gap. A visit of a window: ``start_window`` one cycle after the command;
    the steps of a position begin one cycle after its ``advance_window``, which comes with the last
    step of the position before it or as soon as the window is ready. Idle after reset.
    """

    def __init__(self, *, layout, descriptors, command, tiles, masks):
        self._layout = layout
        self._descriptors = list(descriptors)
        require_range("number of layers", len(self._descriptors), 1, 1024)
        self._command = command
        self._tiles = require_range("number of tiles", tiles, 1, 2**20)
        self._masks = require_range("number of row masks", masks, 0, 2**20)
        self._table = HostedMemory(
            width=layout.size,
            depth=len(self._descriptors),
            init=[layout.const(values).as_bits() for values in self._descriptors],
            registered=False,
        )
        super().__init__(
            {
                "command": In(stream.Signature(command)),
                "current": Out(command),
                "descriptor": Out(layout),
                "taken": Out(1),
                "active": Out(1),
                "offered": Out(layout),
                "refuse": In(1),
                "hold": In(1),
                "start_window": Out(1),
                "window_ready": In(1),
                "advance_window": Out(1),
                "step": Out(step_layout(layout, self._tiles, self._masks)),
                "step_valid": Out(1),
                "enable": In(1),
                "done": In(1),
                "host": In(self._table.host.signature.flip()),
            }
        )

    @property
    def layout(self):
        return self._layout

    @property
    def descriptors(self):
        return list(self._descriptors)

    @property
    def tiles(self):
        return self._tiles

    @property
    def masks(self):
        return self._masks

    @property
    def shape(self):
        """Words and parts of the descriptors."""
        return MemoryShape(self._table.depth, self._table.parts)

    @property
    def contents(self):
        """The descriptors."""
        return Contents(self._layout, self._table.words)

    def elaborate(self, platform):
        m = Module()
        chosen, bank = self._look_up(m)
        go = Signal()
        next_position = Signal()
        ends = self._loops(m, go, next_position)
        last_x, last_position = self._positions(m, chosen, next_position)
        self._tile(m, chosen, go, ends)
        self._word(m, chosen, bank, go, ends, last_x)
        self._flow(m, chosen, go, next_position, last_position)
        return m

    def _look_up(self, m):
        """Descriptor of the offered command, and where the bank begins that its path chooses."""
        m.submodules.descriptors = table = self._table
        connect(m, flipped(self.host), table.host)
        offered = self.command.payload
        chosen = Signal(self._layout)
        bank = Signal(self._layout["bank"].shape)
        kept = (offered.path << 1).bit_select(offered.layer, 1)
        m.d.comb += [
            table.address.eq(offered.layer),
            chosen.eq(table.word),
            self.offered.eq(chosen),
            bank.eq(Mux(kept, chosen.bank, 0)),
        ]
        return chosen, bank

    def _counter(self, m, name, field, advance):
        """A loop over ``0 .. descriptor[field]``; returns the count and whether it is the last."""
        count = Signal(self._layout[field].shape, name=f"{name}_at")
        last = Signal(name=f"last_{name}")
        m.d.comb += last.eq(count == self.descriptor[field])
        with m.If(advance):
            m.d.sync += count.eq(Mux(last, 0, count + 1))
        with m.If(self.taken):
            m.d.sync += count.eq(0)
        return count, last

    def _loops(self, m, go, next_position):
        """Loops of a position; each ``ends`` says that the loops within it all end here."""
        step, ends, counts = self.step, {}, {}
        advance, inner = go, Const(1)
        for name, field in (
            ("row", "row_tiles"),
            ("across", "kernel"),
            ("below", "kernel"),
            ("plane", "planes"),
            ("column", "column_tiles"),
        ):
            counts[name], last = self._counter(m, name, field, advance)
            ends[name] = Signal(name=f"ends_{name}")
            m.d.comb += ends[name].eq(inner & last)
            inner, advance = ends[name], go & ends[name]
        begins = Signal()
        m.d.comb += [
            next_position.eq(advance),
            begins.eq((counts["row"] == 0) & (counts["across"] == 0) & (counts["below"] == 0)),
            step.plane.eq(counts["plane"]),
            step.row_tile.eq(counts["row"]),
            step.across.eq(counts["across"]),
            step.below.eq(counts["below"]),
            step.mask.eq(self.descriptor.mask_base + counts["row"]),
            step.first.eq(begins & (counts["plane"] == 0)),
            step.ends_plane.eq(ends["below"]),
            step.last.eq(ends["plane"]),
            step.ends_position.eq(counts["column"] == self.descriptor.column_tiles),
        ]
        return ends

    def _positions(self, m, chosen, next_position):
        """Output positions, and whether the current tap lies in the map."""
        now, step = self.descriptor, self.step
        _, last_x = self._counter(m, "x", "width", next_position)
        ends_row = next_position & last_x
        _, last_y = self._counter(m, "y", "height", ends_row)
        last_position = last_x & last_y
        sides = ("source_height", "source_width", "padding", "kernel")
        edge = max(self._layout[side].shape.width for side in sides)
        shape = signed(edge + self._layout["stride"].shape.width + 1)
        top, left, y, x = (Signal(shape, name=name) for name in ("top", "left", "tap_y", "tap_x"))
        with m.If(next_position):
            m.d.sync += left.eq(Mux(last_x, -now.padding, left + now.stride))
        with m.If(ends_row):
            m.d.sync += top.eq(top + now.stride)
        with m.If(self.taken):
            m.d.sync += [top.eq(-chosen.padding), left.eq(-chosen.padding)]
        m.d.comb += [
            y.eq(top + step.below),
            x.eq(left + step.across),
            step.inside.eq((y >= 0) & (x >= 0) & (y < now.source_height) & (x < now.source_width)),
            step.ends_layer.eq(last_position & step.ends_position),
        ]
        return last_x, last_position

    def _tile(self, m, chosen, go, ends):
        """Tiles one after another; back to the column's first where a plane begins."""
        now, tile = self.descriptor, self.step.tile
        column = Signal(tile.shape(), name="column_base")
        with m.If(go):
            m.d.sync += tile.eq(tile + 1)
            with m.If(ends["below"]):
                m.d.sync += tile.eq(column)
            with m.If(ends["plane"]):
                m.d.sync += [tile.eq(tile + 1), column.eq(tile + 1)]
            with m.If(ends["column"]):
                m.d.sync += [tile.eq(now.tile_base), column.eq(now.tile_base)]
        with m.If(self.taken):
            m.d.sync += [tile.eq(chosen.tile_base), column.eq(chosen.tile_base)]

    def _word(self, m, chosen, bank, go, ends, last_x):
        """Words one after another; a plane begins again at the position's origin."""
        now, word = self.descriptor, self.step.word
        names = ("origin", "row_origin", "across_origin", "down_origin", "begin")
        origin, row_origin, across, down, begin = (
            Signal(word.shape(), name=name) for name in names
        )
        m.d.comb += [
            across.eq(origin + now.across),
            down.eq(row_origin + now.down),
            begin.eq(chosen.origin + bank),
        ]
        with m.If(go):
            m.d.sync += word.eq(word + 1)
            with m.If(ends["across"]):
                m.d.sync += word.eq(word + now.tap_down)
            with m.If(ends["below"]):
                m.d.sync += word.eq(origin)
            with m.If(ends["column"]):
                m.d.sync += [origin.eq(across), word.eq(across)]
                with m.If(last_x):
                    m.d.sync += [origin.eq(down), row_origin.eq(down), word.eq(down)]
        with m.If(self.taken):
            m.d.sync += [word.eq(begin), origin.eq(begin), row_origin.eq(begin)]

    def _flow(self, m, chosen, go, next_position, last_position):
        """Commands, and the window that a position waits for."""
        issuing, filled, windowed, wanted = (
            Signal(name=name) for name in ("issuing", "filled", "windowed", "wanted")
        )
        m.d.comb += [
            windowed.eq(self.descriptor.source == Place.WINDOW),
            self.step_valid.eq(issuing & (filled | ~windowed) & ~self.hold),
            go.eq(self.step_valid & self.enable),
            wanted.eq(Mux(next_position, ~last_position, issuing & ~filled)),
            self.advance_window.eq(windowed & wanted & self.window_ready),
            self.command.ready.eq((~self.active | self.done) & ~self.refuse & ~self.hold),
            self.taken.eq(self.command.valid & self.command.ready),
        ]
        m.d.sync += self.start_window.eq(0)
        with m.If(next_position):
            m.d.sync += filled.eq(0)
            with m.If(last_position):
                m.d.sync += issuing.eq(0)
        with m.If(self.advance_window):
            m.d.sync += filled.eq(1)
        with m.If(self.done):
            m.d.sync += self.active.eq(0)
        with m.If(self.taken):
            m.d.sync += [
                self.current.eq(self.command.payload),
                self.descriptor.eq(chosen),
                self.active.eq(1),
                issuing.eq(1),
                filled.eq(0),
                self.start_window.eq(chosen.source == Place.WINDOW),
            ]
