# SPDX-License-Identifier: Apache-2.0
"""Store: what a layer leaves in the buffers is NumPy's max pooling of its codes."""

import numpy as np
import pytest
from amaranth.hdl import Value
from simulate import play, play_then_reset
from wrong_parameters import refusal

from chains import METHODS, SEEDS, mapping_of, random_mapping
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.layer_mapping import Method
from scaledrop_hw.descriptors import descriptor_layout, descriptor_of
from scaledrop_hw.store import Store

OUTCOMES = [(1,), (0,), (1, 0)]
HEAD = Layer("head", 3, output=Kind.LOGITS)


def parameters_of(mapping):
    array = mapping.array
    return {
        "layout": descriptor_layout(mapping),
        **{"rows": array.rows, "lanes": array.lanes, "planes": mapping.planes},
        "pool_words": mapping.pool_words,
        "words": max(mapping.end.target, 1),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 1025}, "rows must be an integer from 1 to 1024, not 1025"),
        ({"lanes": 3}, "lanes must divide rows (8), not 3"),
        ({"planes": 0}, "planes must be an integer from 1 to 8, not 0"),
        ({"pool_words": -1}, "pool_words must be an integer from 0 to 1048576, not -1"),
        ({"words": 0}, "words must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    good = parameters_of(random_mapping(1, "taps")) | {"rows": 8, "lanes": 4}
    assert refusal(Store, good, wrong) == message


def test_parameters_read_back():
    good = parameters_of(random_mapping(2, "taps"))
    dut = Store(**good)
    names = set(good) - {"layout"}
    assert {name: getattr(dut, name) for name in names} == {name: good[name] for name in names}
    assert dut.descriptor.shape() == good["layout"]


def beats_of(mapped, rng, outcomes):
    """Codes (outcomes, y, x, group, lane) of a visit, unused lanes as random as the others."""
    high = 1 << mapped.layer.output.planes
    shape = (len(outcomes), *mapped.positions, mapped.groups, mapped.array.lanes)
    return rng.integers(high, size=shape)


def pooled(codes, size):
    """Codes (outcomes, y, x, ...) behind a max pool, by NumPy."""
    count, height, width = codes.shape[0], codes.shape[1] // size, codes.shape[2] // size
    whole = codes[:, : height * size, : width * size]
    return whole.reshape(count, height, size, width, size, *codes.shape[3:]).max(axis=(2, 4))


def contents(mapped, outcomes, codes):
    """What a visit leaves: place -> codes; a place is (address, slot) or (keep, y, x, group)."""
    lanes, rows = mapped.array.lanes, mapped.array.rows
    left = {}
    for keep, values in zip(outcomes, pooled(codes, mapped.pool), strict=True):
        begin = mapped.bases.target + (mapped.out_words if keep else 0)
        if mapped.user is Method.UNROLLED:
            for at in np.ndindex(*values.shape[:3]):
                left["window", keep, *at] = values[at].tolist()
            continue
        positions = values.reshape(-1, mapped.groups, lanes)
        for position, group in np.ndindex(*positions.shape[:2]):
            code = positions.shape[1] * position * lanes + group * lanes
            word, row = divmod(code, rows)
            if mapped.user is Method.TAPS:
                word, row = divmod(group * lanes, rows)
                word += position * mapped.position_words
            assert word < mapped.out_words
            left["vector", begin + word, row // lanes] = positions[position, group].tolist()
    return left


class Visits:
    """Stimulus for a store, visit by visit."""

    def __init__(self, mapping, rng, idle):
        self.mapping, self.rng, self.idle = mapping, rng, idle
        self.rows, self.ends, self.expected = [], [], []
        self.lanes = mapping.array.lanes

    def cycle(self, mapped, valid, codes, keep, flags):
        descriptor = descriptor_of(mapped, self.mapping)
        self.rows.append((descriptor, valid, codes, keep, *flags))

    def noise(self, mapped):
        """Idle cycles, in which everything but ``valid`` is random."""
        while self.rng.random() < self.idle:
            codes = self.rng.integers(1 << self.mapping.planes, size=self.lanes).tolist()
            keep, *flags = self.rng.integers(2, size=4).tolist()
            self.cycle(mapped, 0, codes, keep, flags)

    def visit(self, mapped, outcomes):
        codes = beats_of(mapped, self.rng, outcomes)
        height, width, groups = codes.shape[1:4]
        for y, x, group in np.ndindex(height, width, groups):
            ends = group == groups - 1
            final = ends and (y, x) == (height - 1, width - 1)
            for at, keep in enumerate(outcomes):
                self.noise(mapped)
                last = at == len(outcomes) - 1
                flags = [int(flag) for flag in (last, ends, final)]
                self.cycle(mapped, 1, codes[at, y, x, group].tolist(), keep, flags)
        self.ends.append(len(self.rows))
        self.expected.append(contents(mapped, outcomes, codes))

    def written(self):
        """What each visit writes, no place twice; (valid, written) of every cycle."""
        dut = Store(**parameters_of(self.mapping))
        inputs = [dut.descriptor, dut.valid, dut.codes, dut.keep]
        inputs += [dut.last_outcome, dut.ends_position, dut.ends_layer]
        out = dut.out
        watch = [out.write, out.write_address, out.slot, out.write_window, out.keep]
        rows = play(dut, inputs, self.rows, [*watch, out.y, out.x, out.group, out.codes])
        visits, left = [], {}
        for at, (write, address, slot, window, *place, codes) in enumerate(rows, 1):
            assert not (write or window) or self.rows[at - 1][1]
            for chosen, name, where in (
                (write, "vector", (address, slot)),
                (window, "window", place),
            ):
                if chosen:
                    assert (name, *where) not in left
                    left[name, *where] = codes
            if at in self.ends:
                visits.append(left)
                left = {}
        return visits


def check(mapping, seed, idle, rounds=2):
    """Visits of every hidden layer in random order; all that they write, and nothing else."""
    rng = np.random.default_rng(seed)
    visits, hidden = Visits(mapping, rng, idle), mapping.layers[:-1]
    for index in rng.permutation(np.repeat(np.arange(len(hidden)), rounds)):
        visits.visit(hidden[index], OUTCOMES[rng.integers(3)])
    for found, expected in zip(visits.written(), visits.expected, strict=True):
        assert found == expected


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 4])
def test_random_layers(seed, method):
    check(random_mapping(seed, method), seed, [0.0, 0.4][seed // 4 % 2])


@pytest.mark.parametrize("method", ["unrolled", "taps"])
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("edges", [(7, 8), (6, 6), (4, 3)])
def test_pools_with_and_without_a_rest(method, size, edges):
    """Several groups and planes; a position that fills a word exactly, and one that does not."""
    for channels in (5, 7, 8):
        nodes = [
            Layer("conv0", channels, Window(1), planes=2),
            MaxPool("pool0", size),
            Layer("conv1", 3, Window(1), planes=3),
            HEAD,
        ]
        check(mapping_of(1, (1, *edges), nodes, (4, 2, 2), method), channels, 0.0, 1)


def test_dense_layers():
    nodes = [Layer("dense0", 7, planes=3), Layer("dense1", 12), HEAD]
    check(mapping_of(1, (5,), nodes, (6, 4, 2), "auto"), 1, 0.3, rounds=4)


def test_the_cases_cover_every_target():
    targets = [
        (entry.user, entry.pool, entry.groups > 1, entry.positions[1] % entry.pool > 0)
        for seed in SEEDS
        for method in METHODS
        for entry in random_mapping(seed, method).layers[:-1]
    ]
    users, pools, groups, rests = (set(column) for column in zip(*targets, strict=True))
    assert users == set(Method) and pools == {1, 2, 3} and groups == rests == {False, True}


def test_first_position_after_reset():
    """A reset in the middle of a layer; codes of the windows left open do not matter."""
    nodes = [Layer("conv", 3, Window(1)), MaxPool("pool"), HEAD]
    mapping = mapping_of(1, (1, 4, 4), nodes, (4, 4, 2), "taps")
    dut = Store(**parameters_of(mapping))
    inputs = [Value.cast(dut.descriptor), dut.valid, dut.last_outcome, dut.ends_position]
    outputs = [dut.out.y, dut.out.x, dut.out.group, dut.out.write_address, dut.out.slot]
    descriptor = dut.descriptor.shape().const(descriptor_of(mapping.layers[0], mapping))
    stimulus = [[descriptor.as_value().value, 1, 1, at % 2] for at in range(22)]
    first, after = play_then_reset(dut, inputs, stimulus, outputs)
    assert first == after == [[0] * 5] * 2
