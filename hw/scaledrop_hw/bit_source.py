# SPDX-License-Identifier: Apache-2.0
"""Bit source: the one spin unit's controller, and the calibrator that shares it."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.calibration import Calibration
from scaledrop.errors import UserError
from scaledrop.numbers import DROP_BITS
from scaledrop_hw.calibrator import Calibrator
from scaledrop_hw.dropout import DropoutController, SpinSignature, SpinTiming

__all__ = ["BitSource"]


class BitSource(wiring.Component):
    """Mask bits from the spin unit, at drive codes that are programmed or held by a calibrator.

    Parameters
    ----------
    layers : int
    timing : SpinTiming
    calibration : scaledrop.calibration.Calibration or None
        None leaves the calibrator out: codes go out as they are.

    Members
    -------
    request : In(stream of layer index); bits : Out(stream of 1 bit)
        See DropoutController. Requests wait while ``searching``.
    targets : In(ArrayLayout(16, layers))
        Programmed probabilities in 2**-16; without a calibrator, or while ``calibrate`` is low, the
        drive codes.
    calibrate : In(1); start : In(1)
        Hold the probabilities; search the codes anew. ``start`` is given while no request is under
        way, and ``targets`` are steady from then on.
    searching : Out(1)
        The calibrator draws bits of its own.
    locked : Out(layers); lost : Out(1); select : In(layer index); value : Out(16)
        See Calibrator; 0, and the target, without one.
    abort : In(1)
        Forgets the request under way; a search goes on.
    spin : Out(SpinSignature); serving : Out(layer index)
        See DropoutController.

    Timing
    ------
    As DropoutController. A search takes its own time; see Calibrator.

    Stochastic contract
    -------------------
    Each bit of the device goes to whom asked for it, and the calibrator counts those of both.
    """

    def __init__(self, *, layers, timing=SpinTiming(), calibration=None):
        if calibration is not None and not isinstance(calibration, Calibration):
            raise UserError(f"calibration must be a Calibration or None, not {calibration!r}")
        self._dropout = DropoutController(layers=layers, timing=timing)
        self._calibration = calibration
        layer = self._dropout.serving.shape()
        super().__init__(
            {
                "request": In(stream.Signature(layer)),
                "bits": Out(stream.Signature(1)),
                "targets": In(data.ArrayLayout(DROP_BITS, layers)),
                "calibrate": In(1),
                "start": In(1),
                "searching": Out(1),
                "locked": Out(layers),
                "lost": Out(1),
                "select": In(layer),
                "value": Out(DROP_BITS),
                "abort": In(1),
                "spin": Out(SpinSignature),
                "serving": Out(layer),
            }
        )

    @property
    def layers(self):
        return self._dropout.layers

    @property
    def timing(self):
        return self._dropout.timing

    @property
    def calibration(self):
        return self._calibration

    def elaborate(self, platform):
        m = Module()
        dropout = self._dropout
        m.submodules.dropout = ResetInserter(self.abort & ~self.searching)(dropout)
        connect(m, dropout.spin, flipped(self.spin))
        m.d.comb += self.serving.eq(dropout.serving)
        if self._calibration is None:
            connect(m, flipped(self.request), dropout.request)
            connect(m, dropout.bits, flipped(self.bits))
            m.d.comb += [
                dropout.code.eq(self.targets[dropout.serving]),
                self.value.eq(self.targets[self.select]),
            ]
        else:
            self._share(m, dropout)
        return m

    def _share(self, m, dropout):
        """The calibrator's requests come first, and its bits reach nobody else."""
        config = self._calibration
        m.submodules.calibrator = calibrator = Calibrator(
            layers=self.layers,
            dac_bits=config.dac_bits,
            window_bits=config.window_bits,
            fraction_bits=config.fraction_bits,
            lock_windows=config.lock_windows,
            lose_windows=config.lose_windows,
        )
        own, given = Signal(), Signal()
        m.d.comb += [
            calibrator.enable.eq(self.calibrate),
            calibrator.start.eq(self.start),
            calibrator.target.eq(self.targets),
            calibrator.serving.eq(dropout.serving),
            calibrator.select.eq(self.select),
            dropout.code.eq(calibrator.code),
            self.searching.eq(calibrator.busy),
            self.locked.eq(calibrator.locked),
            self.lost.eq(calibrator.lost),
            self.value.eq(calibrator.value),
            given.eq(dropout.bits.valid & dropout.bits.ready),
            calibrator.bit_valid.eq(given),
            calibrator.bit.eq(~dropout.bits.payload),
            calibrator.bit_layer.eq(dropout.serving),
            self.bits.payload.eq(dropout.bits.payload),
            self.bits.valid.eq(dropout.bits.valid & ~own),
            dropout.bits.ready.eq(self.bits.ready | own),
        ]
        with m.If(given):
            m.d.sync += own.eq(0)
        with m.If(calibrator.busy):
            m.d.comb += [
                dropout.request.payload.eq(calibrator.request.payload),
                dropout.request.valid.eq(calibrator.request.valid),
                calibrator.request.ready.eq(dropout.request.ready),
            ]
            with m.If(calibrator.request.valid & calibrator.request.ready):
                m.d.sync += own.eq(1)
        with m.Else():
            m.d.comb += [
                dropout.request.payload.eq(self.request.payload),
                dropout.request.valid.eq(self.request.valid),
                self.request.ready.eq(dropout.request.ready),
            ]
