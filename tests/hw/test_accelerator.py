# SPDX-License-Identifier: Apache-2.0
"""The whole accelerator against the golden model: every bit, and every event when undisturbed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from accelerator_bench import run
from amaranth.hdl import ResetInserter, Signal
from simulate import send, simulate, take
from wrong_parameters import refusal

from networks import random_images, random_network
from scaledrop.engine import infer
from scaledrop.events import predict_events
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import predict_cycles
from scaledrop.spin import masks_from_words, uniform_words
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinTiming


@dataclass(frozen=True)
class Case:
    """One network on one array; the defaults are the ordinary."""

    sizes: tuple
    array: tuple
    input_bits: int = 4
    p: float = 0.4
    images: int = 3
    passes: int = 2
    timing: SpinTiming = SpinTiming()


CASES = {
    "one layer": Case((7, 3), (4, 4, 2)),
    "two layers, nothing divides": Case((11, 7, 3), (4, 6, 2), input_bits=8),
    "three layers, rows below columns": Case((9, 13, 6, 4), (4, 8, 4), passes=5),
    "four layers, rows above columns": Case((10, 9, 8, 7, 3), (8, 2, 2)),
    "one lane": Case((10, 9, 5), (8, 4, 1), passes=3),
    "one row, one column": Case((3, 2, 2), (1, 1, 1)),
    "one bit pixels": Case((17, 9, 4), (8, 4, 4), input_bits=1, passes=5),
    "never dropped": Case((9, 8, 3), (4, 4, 4), p=0.0, passes=3),
    "always dropped, nearly": Case((9, 8, 3), (4, 4, 4), p=1 - 2**-16, passes=3),
    "one pass": Case((12, 6, 3), (4, 4, 2), passes=1, images=5),
    "head of several column tiles": Case((9, 6, 11), (4, 4, 2), passes=3),
    "head that waits for the results": Case(
        (2, 1, 9), (16, 2, 2), input_bits=1, passes=1, images=6
    ),
    "one class": Case((6, 5, 1), (4, 2, 2), passes=3),
    "one big tile": Case((20, 16, 10), (32, 16, 16), input_bits=8, passes=5),
    "slow spin unit": Case((6, 5, 4, 3), (4, 4, 4), passes=5, timing=SpinTiming(reset=20)),
    "fast spin unit": Case((6, 5, 4, 3), (4, 4, 4), timing=SpinTiming(reset=1, settle=0)),
}


class Setup:
    """A case with its accelerator, its images and what the golden model makes of them."""

    def __init__(self, case, seed=1):
        self.case, self.seed = case, seed
        network = random_network(seed, case.sizes, case.input_bits, case.p)
        self.mapping = NetworkMapping(network, ArrayShape(*case.array))
        self.dut = Accelerator(mapping=self.mapping, timing=case.timing, max_passes=case.passes)
        self.images = random_images(seed, network, case.images)
        layers = len(network.layers)
        count = case.images * case.passes * layers
        words = uniform_words(seed, count + 64)[:count]
        masks = masks_from_words(network, words, case.images, case.passes)
        self.record = infer(network, self.images, masks)

    def run(self, **disturbance):
        seed, passes = self.seed, self.case.passes
        return run(self.dut, self.images, passes, seed=seed, **disturbance)

    def masks(self):
        bits = self.record.masks.reshape(-1, self.record.masks.shape[-1])
        return [(layer, int(bit)) for one in bits for layer, bit in enumerate(one)]

    def hidden(self):
        """(layer, beat, bits) in order; lanes that are not in use hold 0."""
        lanes, beats = self.mapping.array.lanes, []
        for image, index in np.ndindex(self.record.logits.shape[:2]):
            for layer, of in enumerate(self.record.hidden):
                bits = of[image, index].tolist()
                for beat, start in enumerate(range(0, len(bits), lanes)):
                    part = bits[start : start + lanes]
                    beats.append((layer, beat, sum(bit << lane for lane, bit in enumerate(part))))
        return beats

    def in_use(self, layer, beat, bits):
        """An observed beat without the lanes that are not in use."""
        lanes = self.mapping.array.lanes
        left = self.mapping.layers[layer].layer.out_features - beat * lanes
        return layer, beat, bits & (1 << min(left, lanes)) - 1

    def logits(self):
        rows = self.record.logits.reshape(-1, self.record.logits.shape[-1]).tolist()
        return [(label, value) for row in rows for label, value in enumerate(row)]

    def results(self):
        pairs = zip(self.record.sums.tolist(), self.record.votes.tolist(), strict=True)
        return [
            (label, *both)
            for sums, votes in pairs
            for label, both in enumerate(zip(sums, votes, strict=True))
        ]

    def check_values(self, seen):
        assert seen.masks == self.masks()
        assert [self.in_use(*beat) for beat in seen.hidden] == self.hidden()
        assert seen.logits == self.logits()
        assert seen.results == self.results()
        assert seen.writes == self.record.masks.size

    def predicted(self):
        case, timing = self.case, self.dut.pipeline_timing
        cycles = predict_cycles(self.mapping, case.images, case.passes, timing)
        return predict_events(self.mapping, self.images, self.record, cycles)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equals_the_golden_model_and_the_prediction(case):
    setup = Setup(case)
    seen = setup.run()
    setup.check_values(seen)
    assert seen.counters == setup.predicted()


DISTURBED = ["two layers, nothing divides", "head of several column tiles", "one pass", "one layer"]


@pytest.mark.parametrize("name", DISTURBED)
@pytest.mark.parametrize(("idle", "stall"), [(0.6, 0.0), (0.0, 0.8), (0.4, 0.4)])
def test_idle_and_back_pressure_change_no_result(name, idle, stall):
    setup = Setup(CASES[name], seed=2)
    seen = setup.run(idle=idle, stall=stall)
    setup.check_values(seen)
    exempt = {"cycles", "waiting"}
    for layer, events in setup.predicted().items():
        for event, count in events.items():
            assert event in exempt or seen.counters[layer][event] == count


def test_the_slow_spin_unit_is_what_stalls():
    slow, fast = CASES["slow spin unit"], CASES["fast spin unit"]
    assert (slow.sizes, slow.array) == (fast.sizes, fast.array)
    cycles = []
    for timing in (slow.timing, fast.timing):
        setup = Setup(Case(slow.sizes, slow.array, timing=timing))
        cycles.append(sum(events["cycles"] for events in setup.predicted().values()))
    assert cycles[0] > 1.5 * cycles[1]


def run_after_reset(case, before):
    """Run a case with a device that never switches, after ``before`` cycles of noise and a reset.

    Returns the setup, the results, and the masks, hidden beats and logits of every cycle.
    """
    setup, reset, results = Setup(case), Signal(), []
    dut = setup.dut
    pixels = setup.images.ravel().tolist()

    async def feed(ctx):
        ctx.set(dut.passes, case.passes)
        ctx.set(dut.pixels.payload, 1)
        ctx.set(dut.pixels.valid, 1)
        await ctx.tick().repeat(before)
        ctx.set(dut.pixels.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await send(ctx, dut.pixels, pixels)

    async def collect(ctx):
        await ctx.tick().repeat(before + 1)
        results.extend(await take(ctx, dut.results, len(setup.results())))

    trace = dut.trace
    watch = [trace.mask_valid, trace.hidden_valid, trace.hidden.beat, trace.logit_valid]
    rows = simulate(ResetInserter(reset)(dut), feed, collect, watch=watch)
    return setup, results, rows[before + 1 :]


NEVER_DROPPED = Case((9, 8, 3), (4, 4, 2), p=0.0)


@pytest.mark.parametrize("before", [1, 8, 23, 40, 55, 90])
def test_a_reset_at_any_moment_leaves_no_trace(before):
    setup, results, _ = run_after_reset(NEVER_DROPPED, before)
    assert [(one["label"], one["sum"], one["votes"]) for one in results] == setup.results()


def test_a_mask_is_observed_when_it_is_first_used():
    setup, _, rows = run_after_reset(NEVER_DROPPED, 1)
    masks = [now for now, row in enumerate(rows) if row[0]]
    first_beats = [now for now, row in enumerate(rows) if row[1] and row[2] == 0]
    assert len(masks) == setup.record.masks.size
    assert [now + 2 for now in masks[::2]] == first_beats


def test_both_mask_values_and_both_activations_occur():
    setup = Setup(CASES["three layers, rows below columns"])
    assert {keep for _, keep in setup.masks()} == {0, 1}
    assert all(0 < bits.mean() < 1 for bits in setup.record.hidden)


@pytest.mark.parametrize("passes", [0, 65536, 2.5])
def test_wrong_parameters(passes):
    mapping = NetworkMapping(random_network(1, (4, 3)), ArrayShape(4, 4))
    message = f"max_passes must be an integer from 1 to 65535, not {passes}"
    assert refusal(Accelerator, {"mapping": mapping}, {"max_passes": passes}) == message


def test_parameters_read_back():
    timing, mapping = SpinTiming(read=4), Setup(CASES["one layer"]).mapping
    dut = Accelerator(mapping=mapping, timing=timing, max_passes=9)
    assert (dut.mapping, dut.timing, dut.max_passes) == (mapping, timing, 9)
    assert dut.pipeline_timing.spin == timing.cycles == 8


def with_scales(network, value):
    layers = [replace(one, scale=np.full(one.out_features, value)) for one in network.layers]
    return replace(network, nodes=tuple(layers))


def test_scales_loaded_by_the_host_are_used_while_it_goes_on_reading():
    """Baked in are wrong scales; the right ones come through the port and are read back."""
    setup = Setup(CASES["two layers, nothing divides"])
    mapping = setup.mapping
    words = [word for one in mapping.layers for word in one.by_beat(one.layer.scale, 0).tolist()]
    wrong = NetworkMapping(with_scales(mapping.network, 1), mapping.array)
    setup.dut = Accelerator(mapping=wrong, max_passes=setup.case.passes)
    host, read_back = setup.dut.scale_host, []

    async def access(ctx, address, write, word=None):
        ctx.set(host.address, address)
        ctx.set(host.write, write)
        if word is not None:
            ctx.set(host.data, word)
        await ctx.tick().until(host.ready)

    async def load(ctx):
        ctx.set(host.valid, 1)
        for address, word in enumerate(words):
            await access(ctx, address, 1, word)
        for address in range(len(words)):
            await access(ctx, address, 0)
            read_back.append([ctx.get(host.word[lane]) for lane in range(mapping.array.lanes)])

    seen = setup.run(prepare=load)
    assert read_back == words
    setup.check_values(seen)
    assert seen.counters == setup.predicted()
