# SPDX-License-Identifier: Apache-2.0
"""The two datapaths: equal to the number contract, and so to each other, on every sum."""

import numpy as np
import pytest
from amaranth.hdl import Value, signed
from simulate import play

from chains import METHODS, SEEDS, mapping_of, random_mapping
from scaledrop.device_sizes import Memory
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold
from scaledrop.graph import Kind, Layer
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.numbers import Coding, activation_bit, scaled_sum
from scaledrop_hw import head as head_rtl
from scaledrop_hw.datapath import DATAPATHS

MOST_SUMS = 60


def head(classes):
    return Layer("head", classes, output=Kind.LOGITS)


def datapath_of(name, mapping):
    rows = mapping.array.rows
    sum_width = max(mapping.network.sum_width, rows.bit_length() + 1)
    return DATAPATHS[name](mapping=mapping, sum_width=sum_width)


def sums_of(mapped, rng):
    """Beats of sums: all that a layer can have, in every lane; the ends and a sample of many."""
    bound, lanes = mapped.layer.sum_bound, mapped.array.lanes
    every = np.arange(-bound, bound + 1)
    if len(every) > MOST_SUMS:
        every = np.concatenate([[-bound, -1, 0, 1, bound], rng.choice(every, MOST_SUMS)])
    return np.stack([rng.permutation(every) for _ in range(lanes)], axis=1)


def beats_of(mapping, rng, most):
    """(mapped, group, keep, sums) of every layer, group and outcome, in random order; ``most`` of
    them at most."""
    beats = [
        (mapped, group, keep, sums)
        for mapped in mapping.layers
        for group in range(mapped.groups)
        for keep in (0, 1)
        for sums in sums_of(mapped, rng).tolist()
    ]
    return [beats[at] for at in rng.permutation(len(beats))[:most]]


def cycles_of(beats, rng, idle):
    """What is driven: a row (valid, fresh, hidden, keep, sums, scale and level address) and the
    beat and level that it belongs to."""
    for beat in beats:
        mapped, group, keep, sums = beat
        for level in range(mapped.levels):
            while rng.random() < idle:
                flags = rng.integers(2, size=3).tolist()
                yield (0, *flags, rng.integers(-4, 4, len(sums)).tolist(), 0, 0), None
            scale = mapped.bases.scale + group
            at = mapped.bases.level + group * mapped.levels + level
            row = 1, int(level == 0), int(not mapped.is_head), keep, sums, scale
            yield (*row, 0 if mapped.is_head else at), (beat, level)


def decided(mapped, group, keep, sums, level, network):
    """Channels, scaled sums and bits of the lanes in use, by the number contract."""
    lanes = mapped.array.lanes
    used = slice(group * lanes, min((group + 1) * lanes, mapped.layer.out_features))
    channels = np.arange(used.start, used.stop)
    s = np.array(sums[: len(channels)])
    shat = scaled_sum(s, mapped.layer.scale[used], np.array(keep), network.scale_frac_bits)
    if mapped.is_head:
        return channels, shat, None
    output = mapped.layer.output
    thresholds = output.threshold.reshape(len(output.threshold), -1)[used, level]
    return channels, shat, activation_bit(shat, thresholds, output.flip[used]).astype(int)


def check(name, mapping, seed, idle, most=600):
    dut, rng = datapath_of(name, mapping), np.random.default_rng(seed)
    rows = list(cycles_of(beats_of(mapping, rng, most), rng, idle))
    blank = (0, 0, 0, 0, [0] * mapping.array.lanes, 0, 0)
    inputs = [dut.valid, dut.fresh, dut.hidden, dut.keep, dut.sums]
    inputs += [dut.scale_address, dut.level_address]
    stimulus = [row for row, _ in rows] + [blank] * dut.LATENCY
    seen = play(dut, inputs, stimulus, [dut.bits, dut.values, dut.scale_read, dut.multiplying])
    words, _ = dut.head_words()
    network, head = mapping.network, mapping.network.head
    for at, (driven, beat) in enumerate(rows):
        valid, fresh, _, keep, *_ = driven
        counted = int(valid and fresh and keep and name == "reference")
        assert seen[at][2:] == [counted, counted]
        if beat is None:
            continue
        bits, values, *_ = seen[at + dut.LATENCY]
        channels, shat, expected = decided(*beat[0], beat[1], network)
        if expected is not None:
            assert [bits >> lane & 1 for lane in range(len(channels))] == expected.tolist()
            continue
        logits = head.gain[channels] * shat + head.offset[channels]
        found = [
            head_rtl.Head.twin(words[label], values[lane], keep)
            for lane, label in enumerate(channels)
        ]
        assert found == logits.tolist()


@pytest.mark.parametrize("name", DATAPATHS)
def test_parameters_read_back(name):
    mapping = random_mapping(6, "taps")
    dut = datapath_of(name, mapping)
    assert dut.mapping is mapping and dut.ecc is True
    assert dut.sum_width >= mapping.network.sum_width
    assert (dut.memory is None) is (name == "folded")
    assert dut.values.shape().elem_shape == signed(dut.value_width)


@pytest.mark.parametrize("name", DATAPATHS)
def test_every_sum_outcome_and_level(name):
    """Lanes that no channel fills, codes of one to three bits, no beat left out."""
    nodes = [Layer("a", 5, planes=2), Layer("b", 3), Layer("c", 4, planes=3), head(3)]
    mapping = mapping_of(5, (4,), nodes, (4, 4, 2), "auto", input_bits=2)
    check(name, mapping, 1, 0.0, most=10_000)


@pytest.mark.parametrize("name", DATAPATHS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(name, seed):
    check(name, random_mapping(seed, METHODS[seed // 4 % 3]), seed, [0.0, 0.4][seed % 2])


@pytest.mark.parametrize("name", DATAPATHS)
def test_a_head_alone(name):
    check(name, mapping_of(1, (6,), [head(7)], (4, 4, 4), "auto"), 1, 0.2)


@pytest.mark.parametrize("name", DATAPATHS)
def test_a_level_that_is_never_passed(name):
    """It lies one above the largest sum, scaled or not, here 3: a power of two."""
    weights, one = np.ones((1, 3), dtype=np.uint8), np.array([1])
    levels = Threshold(np.array([[-3, 1, 4]]), np.array([0]))
    hidden = FrozenLayer("a", weights, one, 0, Coding.UNSIGNED, 1, levels)
    last = FrozenLayer("b", weights[:, :1], one, 0, Coding.BIPOLAR, 2, Head(one, one, 4, 0))
    network = FrozenNetwork("never", (3,), 1, 1, 0, (hidden, last))
    check(name, NetworkMapping(network, ArrayShape(2, 2, 1)), 1, 0.0)


def hosted(name, port):
    """A small datapath, inputs of its beats and of a host port, and parts of a word behind it."""
    mapping = mapping_of(5, (4,), [Layer("a", 5), head(3)], (4, 4, 2), "auto", input_bits=2)
    dut = datapath_of(name, mapping)
    host, shape = getattr(dut, port), dict(dut.hosts.values())[port]
    beat = [dut.valid, dut.fresh, dut.hidden, dut.keep, Value.cast(dut.sums)]
    inputs = [*beat, host.select, host.write, host.address, host.part, host.data, dut.inject]
    return dut, inputs, shape.parts


def packed(dut, sums):
    limit = 1 << dut.sum_width
    return sum((s % limit) << lane * dut.sum_width for lane, s in enumerate(sums))


def test_memories_that_a_host_reaches():
    for name in DATAPATHS:
        dut = datapath_of(name, random_mapping(6, "taps"))
        scales = [Memory.SCALES] if name == "reference" else []
        assert list(dut.hosts) == [*scales, Memory.THRESHOLDS]
        assert all(hasattr(dut, port) for port, _ in dut.hosts.values())


@pytest.mark.parametrize("name", DATAPATHS)
def test_a_host_loads_thresholds(name):
    """A word of zeros, which compares with 0."""
    dut, inputs, parts = hosted(name, "host_thresholds")
    rows = [[0] * 5 + [1, 1, 0, part, 0, 0] for part in range(parts)]
    for sums in ((1, -1), (-1, 0), (0, 1), (-2, -1)):
        rows += [[1, 1, 1, 0, packed(dut, sums), *[0] * 6], *[[0] * 11] * dut.LATENCY]
    seen = [bits for (bits,) in play(dut, inputs, rows, [dut.bits])]
    assert seen[parts + dut.LATENCY :: dut.LATENCY + 1] == [1, 2, 3, 0]


def test_a_host_loads_scales_and_a_wrong_bit_is_corrected():
    dut, inputs, parts = hosted("reference", "host_scales")
    assert parts == 1
    rows = [[0] * 5 + [1, 1, 0, 0, 0x0705, 1], [0] * 11]
    rows += [[1, 1, 0, 1, packed(dut, (1, -2)), *[0] * 6], *[[0] * 11] * dut.LATENCY]
    seen = play(dut, inputs, rows, [dut.values, dut.corrected, dut.uncorrected])
    assert seen[-1][0] == [5, -2 * 7]
    assert [sum(row[at] for row in seen) for at in (1, 2)] == [1, 0]
