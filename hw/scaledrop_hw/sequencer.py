# SPDX-License-Identifier: Apache-2.0
"""Layer sequencer: one crossbar activation a cycle, for the layer it was told to run."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["LayerSequencer", "command_layout", "step_layout"]


def command_layout(layers):
    """A command: which layer to run, and where its pass stands in the image."""
    return data.StructLayout({"layer": range(max(layers, 2)), "first_pass": 1, "last_pass": 1})


def step_layout(descriptor):
    """One crossbar activation as it enters the pipeline.

    word       word of the activation buffer; plane, row_tile select a word of the image
    tile       crossbar tile
    last_row   the row tile is the layer's last: only last_row_mask is driven
    first      starts a sum; double starts a further bit plane; last completes the sum
    ends_layer the column tile is the layer's last
    """
    return data.StructLayout(
        {
            "word": descriptor["in_base"].shape,
            "plane": descriptor["planes"].shape,
            "row_tile": descriptor["row_tiles"].shape,
            "tile": descriptor["tile_base"].shape,
            "last_row": 1,
            "first": 1,
            "double": 1,
            "last": 1,
            "ends_layer": 1,
        }
    )


class LayerSequencer(wiring.Component):
    """Walks column tiles, bit planes and row tiles, innermost last.

    Parameters
    ----------
    layout : StructLayout
        From :func:`scaledrop_hw.descriptors.descriptor_layout`.
    descriptors : list of dict
        One per layer.

    Members
    -------
    command : In(stream of command_layout)
        Run a layer. Taken when idle, or in the cycle of ``done``.
    current : Out(command_layout)
        The layer being run, stable until the next command is taken.
    descriptor : Out(layout)
        Its descriptor.
    active : Out(1)
        A layer is being run, from the first step to ``done``.
    step : Out(step_layout); step_valid : Out(1)
        One activation.
    enable : In(1)
        The pipeline takes the step in this cycle.
    done : In(1)
        The layer's last result is being stored: later reads see it.

    Timing
    ------
    First step one cycle after the command; one step per enabled cycle without a gap until the
    layer's last; idle after reset.
    """

    def __init__(self, *, layout, descriptors):
        self._layout = layout
        self._descriptors = list(descriptors)
        layers = require_range("number of layers", len(self._descriptors), 1, 1024)
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(layers))),
                "current": Out(command_layout(layers)),
                "descriptor": Out(layout),
                "active": Out(1),
                "step": Out(step_layout(layout)),
                "step_valid": Out(1),
                "enable": In(1),
                "done": In(1),
            }
        )

    @property
    def layout(self):
        return self._layout

    @property
    def descriptors(self):
        return list(self._descriptors)

    @property
    def layers(self):
        return len(self._descriptors)

    def elaborate(self, platform):
        m = Module()
        table = Array(self._layout.const(d) for d in self._descriptors)
        issuing = Signal()
        column, plane, row = (
            Signal(self._layout[name].shape, name=f"{name}_at")
            for name in ("column_tiles", "planes", "row_tiles")
        )
        base = Signal(self._layout["tile_base"].shape)
        now = self.descriptor
        step = self.step
        last_row, last_plane = Signal(), Signal()
        m.d.comb += [
            now.eq(table[self.current.layer]),
            last_row.eq(row == now.row_tiles),
            last_plane.eq(plane == now.planes),
            step.word.eq(now.in_base + row),
            step.plane.eq(plane),
            step.row_tile.eq(row),
            step.tile.eq(base + row),
            step.last_row.eq(last_row),
            step.first.eq((row == 0) & (plane == 0)),
            step.double.eq((row == 0) & (plane != 0)),
            step.last.eq(last_row & last_plane),
            step.ends_layer.eq(column == now.column_tiles),
            self.step_valid.eq(issuing),
            self.command.ready.eq(~self.active | self.done),
        ]
        with m.If(issuing & self.enable):
            m.d.sync += row.eq(row + 1)
            with m.If(last_row):
                m.d.sync += [row.eq(0), plane.eq(plane + 1)]
                with m.If(last_plane):
                    m.d.sync += [plane.eq(0), column.eq(column + 1)]
                    m.d.sync += base.eq(base + now.row_tiles + 1)
                    with m.If(step.ends_layer):
                        m.d.sync += issuing.eq(0)
        with m.If(self.done):
            m.d.sync += self.active.eq(0)
        with m.If(self.command.valid & self.command.ready):
            chosen = Signal(self._layout)
            m.d.comb += chosen.eq(table[self.command.payload.layer])
            m.d.sync += [
                self.current.eq(self.command.payload),
                self.active.eq(1),
                issuing.eq(1),
                column.eq(0),
                plane.eq(0),
                row.eq(0),
                base.eq(chosen.tile_base),
            ]
        return m
