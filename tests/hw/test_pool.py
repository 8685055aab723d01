# SPDX-License-Identifier: Apache-2.0
"""Pool: the largest code of every window, whatever the order and the idle cycles between."""

from itertools import product

import numpy as np
import pytest
from simulate import play
from wrong_parameters import refusal

from scaledrop_hw.pool import PoolStage

GOOD = {"lanes": 2, "planes": 3, "depth": 5}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lanes": 0}, "lanes must be an integer from 1 to 1024, not 0"),
        ({"planes": 9}, "planes must be an integer from 1 to 8, not 9"),
        ({"depth": 0}, "depth of the pool must be an integer from 1 to 1048576, not 0"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(PoolStage, GOOD, wrong) == message


def test_parameters_read_back():
    dut = PoolStage(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD


def results(dut, stimulus):
    """Result of every cycle; a row is valid, codes, keep, address, first."""
    inputs = [dut.valid, dut.codes, dut.keep, dut.address, dut.first]
    return [result for (result,) in play(dut, inputs, stimulus, [dut.result])]


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_every_pair_of_codes(planes):
    """A window of two beats on consecutive cycles."""
    dut = PoolStage(lanes=1, planes=planes, depth=1)
    pairs = list(product(range(1 << planes), repeat=2))
    rows = [(1, [code], 0, 0, at == 0) for pair in pairs for at, code in enumerate(pair)]
    found = results(dut, rows)
    assert found[0::2] == [[before] for before, _ in pairs]
    assert found[1::2] == [[max(pair)] for pair in pairs]


@pytest.mark.parametrize("lanes, planes, depth", [(1, 1, 1), (2, 3, 5), (4, 1, 8), (3, 8, 3)])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_random_windows(lanes, planes, depth, idle):
    """Windows of both outcomes in any order; what stands in idle cycles leaves no trace."""
    rng = np.random.default_rng(depth)
    dut, stimulus, opened = PoolStage(lanes=lanes, planes=planes, depth=depth), [], set()
    for _ in range(600):
        codes = rng.integers(1 << planes, size=lanes).tolist()
        keep, address = int(rng.integers(2)), int(rng.integers(depth))
        valid = int(rng.random() >= idle)
        first = int((keep, address) not in opened or rng.random() < 0.3)
        opened |= {(keep, address)} if valid else set()
        stimulus.append((valid, codes, keep, address, first))
    found = [
        row for row, (valid, *_) in zip(results(dut, stimulus), stimulus, strict=True) if valid
    ]
    assert found == dut.twin([beat for valid, *beat in stimulus if valid])


def test_twin_in_words():
    beats = [([3, 0], 1, 0, 1), ([1, 2], 0, 0, 1), ([2, 1], 1, 0, 0), ([0, 0], 1, 0, 1)]
    assert PoolStage.twin(beats) == [[3, 0], [1, 2], [3, 1], [0, 0]]
