# SPDX-License-Identifier: Apache-2.0
"""Scale SRAM interface: one word of scales per beat, two cycles later, checked and scrubbed."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.secded import MAX_WIDTH, check_bits, encode
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.hosted_memory import Contents
from scaledrop_hw.secded import SecdedDecoder, SecdedEncoder
from scaledrop_hw.sram import Sram

__all__ = ["ScaleMemory", "host_signature"]


def host_signature(lanes, scale_bits, depth):
    """Port through which a host loads scales and reads them back, from the host's side.

    An access happens in a cycle in which ``valid`` and ``ready`` are high; ``word`` holds what was
    read ScaleMemory.LATENCY cycles later.
    """
    word = data.ArrayLayout(unsigned(scale_bits), lanes)
    return wiring.Signature(
        {
            "valid": Out(1),
            "ready": In(1),
            "write": Out(1),
            "address": Out(range(max(depth, 2))),
            "data": Out(word),
            "word": In(word),
        }
    )


class ScaleMemory(wiring.Component):
    """Synchronous single-port memory of scales with a host side for loading and reading back.

    A word holds ``lanes`` scales, lane 0 in the low bits. One access a cycle: the host is served
    only in cycles in which the scale path does not read.

    With ``ecc`` a word is stored with check bits. Whoever reads it gets it with one wrong bit put
    right; with two wrong bits, the data bits as they are stored. A corrected word is written back
    (scrubbed) in the first cycle, after the one that reports it, in which neither the scale path
    reads nor the host asks. One such word waits at a time: others found meanwhile are left to their
    next read. A host's write to the address drops the scrub. Uncorrected words are not written.

    Parameters
    ----------
    lanes, scale_bits : int
        At most 1024 bits together where ``ecc``.
    init : list of list of int
        ``lanes`` scales per word: the contents after power-up where the memory can be initialised.
        A macro has none and is loaded through the host side; only their number counts then.
    ecc : bool
        Store check bits, correct one wrong bit, report two.
    macro : str
        Name of the SRAM module to instantiate; "" for an array. See Sram.

    Members
    -------
    read : In(1)
        Fetch the word at ``address``.
    address : In(range(depth))
    scales : Out(ArrayLayout(scale_bits, lanes))
        The fetched word, LATENCY cycles after ``read``; holds until that of the next read of
        either side.
    host : In(host_signature)
    inject : In(code_bits)
        For tests of the error handling: wrong bits of the code word (check bits above the data)
        that a host's write stores in the cycle in which it is granted. 0 in use.
    corrected, uncorrected : Out(1)
        The word read LATENCY cycles before, by either side, had one wrong bit, or two. Once a
        read. 0 without ``ecc``.
    error_address : Out(range(depth))
        With ``corrected`` or ``uncorrected``, the address of the error.

    Timing
    ------
    Latency 2, of the memory and of its word's syndrome; one access per cycle; the scale path
    always wins, then the host, then a scrub, which delays neither. Reset drops a waiting scrub and
    keeps the words.

    Reference
    ---------
    Hsiao's code; construction and source in scaledrop.secded.
    """

    LATENCY = 2

    def __init__(self, *, lanes, scale_bits, init, ecc=True, macro=""):
        self._lanes = require_range("lanes", lanes, 1, 1024)
        self._scale_bits = require_range("scale_bits", scale_bits, 1, 16)
        self._ecc = bool(ecc)
        if ecc:
            require_range("lanes * scale_bits with ecc", self.data_bits, 1, MAX_WIDTH)
        self._init = require_words("init", init, lanes, 0, (1 << scale_bits) - 1)
        depth = require_range("depth of the scale memory", len(self._init), 1, 2**20)
        self._sram = Sram(
            width=self.code_bits,
            depth=depth,
            init=() if macro else [self.twin(word, scale_bits, ecc) for word in self._init],
            macro=macro,
        )
        self._word = data.ArrayLayout(unsigned(scale_bits), lanes)
        super().__init__(
            {
                "read": In(1),
                "address": In(self._sram.address.shape()),
                "scales": Out(self._word),
                "host": In(host_signature(lanes, scale_bits, depth)),
                "inject": In(self.code_bits),
                "corrected": Out(1),
                "uncorrected": Out(1),
                "error_address": Out(self._sram.address.shape()),
            }
        )

    @property
    def lanes(self):
        return self._lanes

    @property
    def scale_bits(self):
        return self._scale_bits

    @property
    def init(self):
        return [list(word) for word in self._init]

    @property
    def depth(self):
        return len(self._init)

    @property
    def contents(self):
        """The scales as a host loads them, without check bits."""
        return Contents(
            self._word, [self.twin(word, self._scale_bits, False) for word in self._init]
        )

    @property
    def ecc(self):
        return self._ecc

    @property
    def macro(self):
        return self._sram.macro

    @property
    def data_bits(self):
        return self._lanes * self._scale_bits

    @property
    def code_bits(self):
        return self.data_bits + (check_bits(self.data_bits) if self._ecc else 0)

    @staticmethod
    def twin(scales, scale_bits, ecc):
        """The stored word of a list of scales."""
        word = sum(scale << lane * scale_bits for lane, scale in enumerate(scales))
        return encode(word, len(scales) * scale_bits) if ecc else word

    def elaborate(self, platform):
        m = Module()
        m.submodules.sram = sram = self._sram
        m.d.comb += [
            self.host.ready.eq(~self.read),
            sram.en.eq(self.read | self.host.valid),
            sram.write.eq(~self.read & self.host.write),
            sram.address.eq(Mux(self.read, self.address, self.host.address)),
        ]
        if self._ecc:
            word = self._checked(m)
        else:
            word = Signal(self.data_bits)
            m.d.comb += sram.data.eq(self.host.data.as_value() ^ self.inject)
            m.d.sync += word.eq(sram.word)
        m.d.comb += [self.scales.eq(word), self.host.word.eq(word)]
        return m

    def _checked(self, m):
        """Coding on the way in and out; returns the word read."""
        sram = self._sram
        m.submodules.encoder = encoder = SecdedEncoder(width=self.data_bits)
        m.submodules.decoder = decoder = SecdedDecoder(width=self.data_bits, registered=True)
        fetched, checked, written = Signal(), Signal(), Signal()
        address = Signal(self.address.shape(), name="fetched_address")
        m.d.sync += [
            fetched.eq(sram.en & ~sram.write),
            address.eq(sram.address),
            checked.eq(fetched),
            self.error_address.eq(address),
            written.eq(sram.en & sram.write & (sram.address == address)),
        ]
        m.d.comb += [
            encoder.data.eq(self.host.data),
            sram.data.eq(encoder.code ^ self.inject),
            decoder.code.eq(sram.word),
            self.corrected.eq(checked & decoder.corrected),
            self.uncorrected.eq(checked & decoder.uncorrected),
        ]
        self._scrub(m, encoder, self.corrected & ~written, decoder.data)
        return decoder.data

    def _scrub(self, m, encoder, found, good):
        """Keep a corrected word until the port is free, unless the host writes it first."""
        sram = self._sram
        waiting = Signal(name="scrub_waiting")
        word = Signal(self.data_bits, name="scrub_word")
        address = Signal(self.address.shape(), name="scrub_address")
        subject = Signal(self.address.shape(), name="scrub_subject")
        replaced = Signal(name="scrub_replaced")
        m.d.comb += [
            subject.eq(Mux(waiting, address, self.error_address)),
            replaced.eq(sram.en & sram.write & (sram.address == subject)),
        ]
        with m.If(waiting & ~self.read & ~self.host.valid):
            m.d.comb += [
                sram.en.eq(1),
                sram.write.eq(1),
                sram.address.eq(address),
                sram.data.eq(encoder.code),
                encoder.data.eq(word),
            ]
        with m.If(replaced):
            m.d.sync += waiting.eq(0)
        with m.Elif(found & ~waiting):
            m.d.sync += [waiting.eq(1), address.eq(self.error_address), word.eq(good)]
