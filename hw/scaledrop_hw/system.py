# SPDX-License-Identifier: Apache-2.0
"""The accelerator as a part of a system: AXI4-Lite to control it, AXI4-Stream for the data."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped

from scaledrop.form import Form
from scaledrop_hw.axi_stream import PixelInput
from scaledrop_hw.bus_ports import connect_ports, ports
from scaledrop_hw.control_port import ControlPort
from scaledrop_hw.dropout import SpinSignature
from scaledrop_hw.packet_merge import ResultOutput

__all__ = ["System"]


class System(wiring.Component):
    """An accelerator behind standard buses.

    Parameters
    ----------
    accelerator : Accelerator
    pixel_bits : int
        Width of the pixel stream: 8, 16 or 32.

    Members
    -------
    s_axi_* : AXI4-Lite slave, 12 address bits, 32 data bits
        Registers of scaledrop.registers.
    s_axis_pixels_* : AXI4-Stream slave
        Images; see PixelInput.
    m_axis_results_* : AXI4-Stream master, 32 bits
        Frames of results; see scaledrop.packets.
    spin : Out(SpinSignature)
        The one spin unit.
    trace : Out(trace_signature)
        Observation port; leave open in silicon.
    interrupt : Out(1)
        A monitor of STOP_ENABLE has fired, or a descriptor was refused. Never in the small form.

    Timing
    ------
    See ControlPort, PixelInput, ResultOutput and Accelerator.
    """

    def __init__(self, *, accelerator, pixel_bits=32):
        self._accelerator = accelerator
        self._pixels = PixelInput(
            data_bits=pixel_bits, input_bits=accelerator.mapping.network.input_bits
        )
        self._control = ControlPort(sizes=accelerator.sizes)
        self._results = ResultOutput(
            result_layout=accelerator.results.payload.shape(),
            leaf_layout=accelerator.records.payload.shape(),
            sizes=accelerator.sizes,
        )
        super().__init__(
            {
                **ports("s_axi", self._control.axi.signature),
                **ports("s_axis_pixels", self._pixels.axi.signature),
                **ports("m_axis_results", self._results.axi.signature),
                "spin": Out(SpinSignature),
                "trace": Out(accelerator.trace.signature),
                "interrupt": Out(1),
            }
        )

    @property
    def accelerator(self):
        return self._accelerator

    @property
    def pixel_bits(self):
        return self._pixels.data_bits

    @property
    def sizes(self):
        return self._control.sizes

    def elaborate(self, platform):
        m = Module()
        m.submodules.accelerator = core = self._accelerator
        m.submodules.control_port = control = self._control
        m.submodules.pixel_input = pixels = self._pixels
        m.submodules.result_output = results = self._results
        connect_ports(m, self, "s_axi", control.axi)
        connect_ports(m, self, "s_axis_pixels", pixels.axi)
        connect_ports(m, self, "m_axis_results", results.axi)
        connect(m, pixels.pixels, core.pixels)
        connect(m, core.results, results.results)
        connect(m, core.records, results.leaves)
        connect(m, core.spin, flipped(self.spin))
        connect(m, core.trace, flipped(self.trace))
        abort = control.control.abort
        m.d.comb += [part.abort.eq(abort) for part in (core, pixels, results)]
        self._configure(m, core, control)
        m.d.comb += control.status.busy.eq(core.busy)
        if self.sizes.form is Form.FULL:
            self._watch(m, core, control, results)
        return m

    def _configure(self, m, core, control):
        margin = Cat(control.min_margin_low.value, control.min_margin_high.value)
        limit = core.min_margin
        too_large = margin[len(limit) :].any()
        m.d.comb += [
            limit.eq(margin | too_large.replicate(len(margin))),
            core.mode.eq(control.setup.mode),
            core.passes.eq(control.passes.value),
            core.min_votes.eq(control.min_votes.value),
        ]
        for layer in range(self.sizes.layers):
            m.d.comb += core.drive_codes[layer].eq(control.drive_code[layer].value)

    def _watch(self, m, core, control, results):
        """What only the full form has."""
        connect(m, control.host, core.host)
        for part in range(self.sizes.scale_parts):
            m.d.comb += core.inject.word_select(part, 32).eq(control.scale_xor[part].value)
        m.d.comb += [
            core.record_enable.eq(control.setup.records),
            results.records.eq(control.setup.records),
            core.cutoff.eq(control.cutoff.value),
            core.stop_enable.eq(control.stop_enable.value),
            core.clear.eq(control.monitors_clear),
            core.monitor_select.eq(control.monitor_select),
            core.counter_select.eq(control.counter_select),
            control.refusal.code.eq(core.refusal),
            control.refusal.layer.eq(core.refused_layer),
            control.monitors.eq(core.status),
            control.monitor_count.eq(core.monitor_count),
            control.counter_value.eq(core.counter_value),
            self.interrupt.eq(core.stop | core.refused),
        ]
