# SPDX-License-Identifier: Apache-2.0
"""Sources: everything that a word line can be driven from, behind one read port."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop.layer_mapping import Method
from scaledrop_hw.activation_buffer import ActivationBuffer
from scaledrop_hw.descriptors import Place
from scaledrop_hw.hosted_memory import Contents, HostedMemory
from scaledrop_hw.image_buffer import ImageBuffer
from scaledrop_hw.pixel_writer import PixelWriter
from scaledrop_hw.sequencer import step_layout
from scaledrop_hw.store import store_signature
from scaledrop_hw.window_buffer import WindowBuffer

__all__ = ["Sources"]


class Sources(wiring.Component):
    """Image, activation buffer and window buffers.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
    layout : StructLayout
        From :func:`scaledrop_hw.descriptors.descriptor_layout`.

    Members
    -------
    pixels : In(stream of {value, last}); held : Out(range(3)); misframed : Out(1); free : In(1)
        See PixelWriter and ImageBuffer: one of the two takes the image.
    store : In(store_signature)
        Codes of the running layer, written where the layer behind it reads them.
    descriptor : In(layout)
        The running layer.
    kept_before : In(1)
        Mask bit of the layer before it: which bank is read.
    start_window, advance_window : In(1); window_ready : Out(1)
        To and from the running layer's window buffer.
    read : In(1); step : In(step_layout)
        Fetch the word of a step.
    word, drive : Out(rows)
        Its signs and the rows that are driven, one cycle later; they hold until the next read.
    reads : Out
        Words and window columns read in this cycle.
    host_row_masks : In(host_part_signature)
        Loads and reads back the rows in use of every row tile.

    Timing
    ------
    Latency 1; one word a cycle.
    """

    def __init__(self, *, mapping, layout):
        self._mapping = mapping
        self._layout = layout
        array = mapping.array
        sizes = {"rows": array.rows, "lanes": array.lanes, "planes": mapping.planes}
        pixel = data.StructLayout({"value": unsigned(mapping.network.input_bits), "last": 1})
        masks = [mask for mapped in mapping.layers for mask in mapped.mask_words()]
        self._masks = HostedMemory(width=array.rows, depth=max(len(masks), 1), init=masks)
        store = store_signature(layout=layout, words=max(mapping.end.target, 1), **sizes)
        super().__init__(
            {
                "pixels": In(stream.Signature(pixel)),
                "held": Out(range(3)),
                "misframed": Out(1),
                "free": In(1),
                "store": In(store),
                "descriptor": In(layout),
                "kept_before": In(1),
                "start_window": In(1),
                "advance_window": In(1),
                "window_ready": Out(1),
                "read": In(1),
                "step": In(step_layout(layout, mapping.end.tile, mapping.end.mask)),
                "word": Out(array.rows),
                "drive": Out(array.rows),
                "reads": Out(2),
                "host_row_masks": In(self._masks.host.signature.flip()),
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def layout(self):
        return self._layout

    @property
    def row_masks_shape(self):
        """Words and parts of the row masks."""
        return MemoryShape(self._masks.depth, self._masks.parts)

    @property
    def row_masks_contents(self):
        """The row masks."""
        return Contents(data.StructLayout({"rows": self._masks.width}), self._masks.words)

    def elaborate(self, platform):
        m = Module()
        words = {
            Place.IMAGE: self._image(m),
            Place.VECTOR: self._vector(m),
            Place.WINDOW: self._windows(m),
        }
        in_use = self._rows_in_use(m)
        now, rows = self.descriptor, self._mapping.array.rows
        drive = Signal(rows)
        for place, (word, inside) in words.items():
            with m.If(now.source == place):
                m.d.comb += [self.word.eq(word), drive.eq(in_use if inside is None else inside)]
        m.d.comb += self.drive.eq(drive & (self.word | ~now.unsigned.replicate(rows)))
        return m

    def _image(self, m):
        """The image as words, unless a window buffer takes it."""
        mapping, first = self._mapping, self._mapping.layers[0]
        if first.method is Method.UNROLLED:
            return Const(0, mapping.array.rows), None
        m.submodules.image = image = ImageBuffer(
            rows=mapping.array.rows,
            planes=mapping.network.input_bits,
            pixels=mapping.network.input_size,
            group=first.source.shape[0] if first.method is Method.TAPS else None,
        )
        connect(m, flipped(self.pixels), image.pixels)
        m.d.comb += [
            self.held.eq(image.held),
            self.misframed.eq(image.misframed),
            image.free.eq(self.free),
            image.read.eq(self.read & (self.descriptor.source == Place.IMAGE)),
            image.plane.eq(self.step.plane),
            image.row_tile.eq(self.step.word),
        ]
        return image.word, None

    def _vector(self, m):
        mapping, now, store = self._mapping, self.descriptor, self.store
        if not mapping.end.target:
            return Const(0, mapping.array.rows), None
        m.submodules.activations = buffer = ActivationBuffer(
            rows=mapping.array.rows,
            lanes=mapping.array.lanes,
            depth=mapping.end.target,
            planes=mapping.planes,
        )
        m.d.comb += [
            buffer.read.eq(self.read & (now.source == Place.VECTOR)),
            buffer.address.eq(self.step.word),
            buffer.bit.eq(now.planes - self.step.plane),
            buffer.write.eq(store.write),
            buffer.write_address.eq(store.write_address),
            buffer.slot.eq(store.slot),
            buffer.codes.eq(store.codes),
        ]
        return buffer.word, None

    def _windows(self, m):
        """Window buffers, each written by the layer before its own, or by the pixels."""
        now, layers = self.descriptor, self._mapping.windows
        rows = self._mapping.array.rows
        if not layers:
            self._count(m, Const(0))
            return Const(0, rows), Const(0, rows)
        words, drives, ready, loaded = [], [], [], Const(0)
        for at, mapped in enumerate(layers):
            chosen = (now.source == Place.WINDOW) & (now.source_window == at)
            window = self._window(m, at, mapped, chosen)
            words.append(window.word)
            drives.append(window.drive)
            ready.append(window.ready)
            loaded = loaded | window.loaded
        m.d.comb += self.window_ready.eq(Array(ready)[now.source_window])
        self._count(m, loaded)
        return Array(words)[now.source_window], Array(drives)[now.source_window]

    def _window(self, m, at, mapped, chosen):
        from_image = mapped.reads_image
        channels, height, width = mapped.source.shape
        window = WindowBuffer(
            channels=channels,
            height=height,
            width=width,
            planes=mapped.layer.planes,
            window=mapped.window,
            rows=self._mapping.array.rows,
            lanes=1 if from_image else self._mapping.array.lanes,
        )
        m.submodules[f"window_{at}"] = window
        m.d.comb += [
            window.start.eq(self.start_window & chosen),
            window.advance.eq(self.advance_window & chosen),
            window.read.eq(self.read & chosen),
            window.plane.eq(self.step.plane),
            window.row_tile.eq(self.step.row_tile),
        ]
        if from_image:
            self._pixels(m, mapped, window)
        else:
            self._stored(m, at, mapped, window)
        return window

    def _pixels(self, m, mapped, window):
        channels, height, width = mapped.source.shape
        m.submodules.pixel_writer = writer = PixelWriter(
            channels=channels, height=height, width=width, planes=self._mapping.network.input_bits
        )
        connect(m, flipped(self.pixels), writer.pixels)
        m.d.comb += [
            self.held.eq(writer.held),
            self.misframed.eq(writer.misframed),
            writer.free.eq(self.free),
            window.bank.eq(writer.bank),
            window.write.eq(writer.write),
            window.write_bank.eq(writer.write_bank),
            window.write_y.eq(writer.write_y),
            window.write_x.eq(writer.write_x),
            window.write_group.eq(writer.write_group),
            window.codes[0].eq(writer.value),
        ]

    def _stored(self, m, at, mapped, window):
        store = self.store
        m.d.comb += [
            window.bank.eq(self.kept_before),
            window.write.eq(store.write_window & (self.descriptor.target_window == at)),
            window.write_bank.eq(store.keep),
            window.write_y.eq(store.y),
            window.write_x.eq(store.x),
            window.write_group.eq(store.group),
        ]
        lanes = self._mapping.array.lanes
        m.d.comb += [window.codes[lane].eq(store.codes[lane]) for lane in range(lanes)]

    def _rows_in_use(self, m):
        """Word lines of the step's row tile; none where the tap lies outside the map."""
        inside = Signal()
        m.submodules.row_masks = masks = self._masks
        connect(m, flipped(self.host_row_masks), masks.host)
        m.d.comb += [masks.address.eq(self.step.mask), masks.read.eq(self.read)]
        with m.If(self.read):
            m.d.sync += inside.eq(self.step.inside)
        return Mux(inside, masks.word, 0)

    def _count(self, m, loaded):
        words = self.read & (self.descriptor.source != Place.WINDOW)
        m.d.comb += self.reads.eq(words + loaded)
