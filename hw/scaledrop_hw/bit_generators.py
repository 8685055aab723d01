# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the spin unit's magnetic device, where a board has none: a shift register, and
ring oscillators."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from scaledrop.numbers import DROP_BITS
from scaledrop.shift_register import (
    LAGS,
    MAX_SEED,
    STATE_BITS,
    WORD_BITS,
    first_state,
    register_words,
)
from scaledrop_hw.checks import require_range
from scaledrop_hw.dropout import SpinSignature
from scaledrop_hw.ring_oscillator import RingOscillators

__all__ = ["LfsrSource", "RingSource"]


def _device(m, spin, word):
    """A device that switches where the word of its write pulse is below the drive code.

    Returns a wire that is high in the first cycle of each write pulse: the word is used up.
    """
    writing, switched, used = Signal(), Signal(), Signal()
    m.d.sync += writing.eq(spin.write)
    m.d.comb += [used.eq(spin.write & ~writing), spin.sense.eq(switched)]
    with m.If(used):
        m.d.sync += switched.eq(word < spin.drive)
    with m.Elif(spin.reset):
        m.d.sync += switched.eq(0)
    return used


def _shifted(state):
    """The bits that a shift register makes of ``WORD_BITS`` steps at once."""
    fresh = 0
    for lag in LAGS:
        fresh ^= state[STATE_BITS - lag : STATE_BITS - lag + WORD_BITS]
    return fresh


class LfsrSource(wiring.Component):
    """STAND-IN for the magnetic device: pseudo-random bits of a linear feedback shift register.

    Each write pulse takes a word of 16 bits of the stream of scaledrop.shift_register and switches
    where it is below the drive code: with probability drive / 65536, and so that the golden model
    can be given the same bits. It tells nothing of a magnetic device: no noise, drift or energy.

    Parameters
    ----------
    seed : int
        Of the stream, 0 to 2**31 - 1.

    Members
    -------
    spin : In(SpinSignature)

    Timing
    ------
    ``sense`` is the state from the cycle after the first one of a write pulse on. The k-th pulse
    after reset takes the k-th word.

    Stochastic contract
    -------------------
    One word a write pulse, however long it is.
    """

    def __init__(self, *, seed):
        self._seed = require_range("seed", seed, 0, MAX_SEED)
        super().__init__({"spin": In(SpinSignature)})

    @property
    def seed(self):
        return self._seed

    def twin(self, codes):
        """Sensed state of successive write pulses at these drive codes."""
        words = register_words(self._seed, len(codes)).tolist()
        return [int(word < code) for word, code in zip(words, codes, strict=True)]

    def elaborate(self, platform):
        m = Module()
        state = Signal(STATE_BITS, init=first_state(self._seed))
        fresh = Signal(DROP_BITS)
        m.d.comb += fresh.eq(_shifted(state))
        used = _device(m, self.spin, fresh)
        with m.If(used):
            m.d.sync += state.eq(Cat(state[WORD_BITS:], fresh))
        return m


class RingSource(wiring.Component):
    """STAND-IN for the magnetic device: bits from the jitter of ring oscillators.

    A few free-running rings are sampled in every cycle, and each sample goes into the feedback of
    the shift register of LfsrSource, which makes 16 steps a cycle whether its word is used or
    not. So the words look alike for any drive code, and cannot be foreseen as far as the rings
    drift. How much entropy they have on a board nobody has measured here: it depends on the part,
    the place and route, the supply and the temperature. Not for secrets, and no magnetic device.

    Parameters
    ----------
    family : "ice40", "ecp5" or None
        See RingOscillators; with None, which is for simulation, the rings are a stand-in too, and
        the bits are the same every time.
    rings : int
        1 to 16.

    Members
    -------
    spin : In(SpinSignature)

    Timing
    ------
    As LfsrSource. No bit can be predicted, so no golden model follows; the device's leaves say
    which masks it drew.
    """

    def __init__(self, *, family, rings=4):
        self._rings = RingOscillators(family=family, rings=rings)
        super().__init__({"spin": In(SpinSignature)})

    @property
    def family(self):
        return self._rings.family

    @property
    def rings(self):
        return self._rings.rings

    def elaborate(self, platform):
        m = Module()
        m.submodules.oscillators = oscillators = self._rings
        state = Signal(STATE_BITS, init=first_state(0))
        _device(m, self.spin, state[-DROP_BITS:])
        m.d.sync += state.eq(Cat(state[WORD_BITS:], _shifted(state) ^ oscillators.samples))
        return m
