# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the spin unit's magnetic device, where a board has none: shift registers, and ring
oscillators."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from scaledrop.lfsr import MAX_SEED, REGISTERS, WORD_BITS, first_state, lfsr_words
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


class _Registers:
    """The shift registers of scaledrop.lfsr: their word, and where they go next."""

    def __init__(self, seed):
        states = zip(REGISTERS, first_state(seed), strict=True)
        self.states = [Signal(k, init=state) for (k, _, _), state in states]

    @property
    def word(self):
        one, other, third = (state[-WORD_BITS:] for state in self.states)
        return one ^ other ^ third

    def step(self, *noise):
        """Statements for the steps of one word, with bits of ``noise`` dealt out to their feedback,
        to one register after another."""
        statements = []
        for at, (state, (k, q, s)) in enumerate(zip(self.states, REGISTERS, strict=True)):
            fresh = state[k - s :] ^ state[k - s - q : k - q] ^ Cat(noise[at :: len(REGISTERS)])
            statements.append(state.eq(Cat(fresh[:s], state[: k - s])))
        return statements


class LfsrSource(wiring.Component):
    """STAND-IN for the magnetic device: pseudo-random bits of linear feedback shift registers.

    Each write pulse takes a word of 16 bits of the stream of scaledrop.lfsr and switches
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
        words = lfsr_words(self._seed, len(codes)).tolist()
        return [int(word < code) for word, code in zip(words, codes, strict=True)]

    def elaborate(self, platform):
        m = Module()
        registers = _Registers(self._seed)
        used = _device(m, self.spin, registers.word)
        with m.If(used):
            m.d.sync += registers.step()
        return m


class RingSource(wiring.Component):
    """STAND-IN for the magnetic device: bits from the jitter of ring oscillators.

    A few free-running rings are sampled in every cycle, and the samples go into the feedback of the
    shift registers of LfsrSource, which go on in every cycle whether their word is used or not. So
    the words look alike for any drive code, and cannot be foreseen as far as the rings drift. How
    much entropy they have on a board nobody has measured here: it depends on the part, the place
    and route, the supply and the temperature. Not for secrets, and no magnetic device.

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

    def __init__(self, *, family, rings=3):
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
        registers = _Registers(0)
        _device(m, self.spin, registers.word)
        m.d.sync += registers.step(*oscillators.samples)
        return m
