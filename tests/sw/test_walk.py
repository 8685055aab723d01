# SPDX-License-Identifier: Apache-2.0
"""The walk: every pass gets its own bits, every leaf its mass, and what is pruned is the least."""

from itertools import product

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.sampling import Exact
from scaledrop.spin import masks_from_codes
from scaledrop.walk import (
    MASS,
    Inference,
    Mode,
    Visit,
    leaves,
    masks_of,
    walk,
    walk_words,
)

CODES = [(6554,), (32768, 32768), (0, 40000, 65535), (6554, 0, 32768, 60000, 13107), (9830,) * 6]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"passes": 0}, "passes: must be 1 to 65535, not 0"),
        ({"passes": 65536}, "passes: must be 1 to 65535, not 65536"),
        ({"passes": 2.0}, "passes: must be 1 to 65535, not 2.0"),
        ({"masks": -1}, "masks: must be a whole number, 0 or more, not -1"),
        ({"masks": 1.5}, "masks: must be a whole number, 0 or more, not 1.5"),
        ({"mode": "turbo"}, "mode: must be one of passes, shared, exact, not 'turbo'"),
    ],
)
def test_wrong_inference(values, message):
    with pytest.raises(UserError) as caught:
        Inference(**values)
    assert str(caught.value) == message


def test_a_mode_is_known_by_its_name_and_its_place():
    assert Inference("shared", 3).mode is Mode.SHARED is Mode.named("shared")
    assert [mode.value for mode in Mode] == ["passes", "shared", "exact"]
    assert Inference() == Inference(Mode.PASSES, 20, 0)


def test_a_shared_walk_by_hand():
    bits = [0, 1, 1, 0, 1, 0, 0, 1]
    assert list(walk(Inference("shared", 4), (1, 2), bits)) == [
        Visit(0, 0b0, 2, 2, (0, 1, 1, 0), True, False),
        Visit(1, 0b1, 1, 1, (1, 0), True, False),
        Visit(1, 0b0, 1, 1, (0, 1), False, True),
    ]
    masks, weights = leaves(walk(Inference("shared", 4), (1, 2), bits), 2)
    assert masks.tolist() == [[0, 0], [1, 1], [1, 0], [0, 1]] and weights.tolist() == [1] * 4


def naive(layers, passes, bits):
    """Masks by pass, from lists of the passes that wait."""
    masks = np.full((passes, layers), 9)

    def visit(layer, waiting):
        drawn = {index: next(bits) for index in waiting}
        for index, bit in drawn.items():
            masks[index, layer] = bit
        for bit in (1, 0):
            side = [index for index in waiting if drawn[index] == bit]
            if side and layer < layers - 1:
                visit(layer + 1, side)

    visit(0, range(passes))
    return masks


@pytest.mark.parametrize("layers", [1, 2, 3, 6])
@pytest.mark.parametrize("passes", [1, 2, 7, 40])
def test_shared_passes_get_one_bit_a_layer_each_in_the_order_of_the_visits(layers, passes):
    rng = np.random.default_rng(layers)
    for chance in (0.0, 0.1, 0.5, 1.0):
        bits = (rng.random(layers * passes) < chance).astype(int).tolist()
        stream = iter([*bits, 5])
        visits = list(walk(Inference("shared", passes), [0] * layers, stream))
        assert list(stream) == [5]
        assert [bit for visit in visits for bit in visit.bits] == bits
        assert all(len(visit.bits) == visit.kept + visit.dropped > 0 for visit in visits)
        assert len({(visit.layer, visit.path) for visit in visits}) == len(visits)
        masks, weights = leaves(visits, layers)
        assert np.array_equal(masks, naive(layers, passes, iter(bits)))
        assert weights.tolist() == [1] * passes


def check_order(visits, layers):
    """Depth first, the kept side first; the two flags; nothing that leads nowhere."""
    heads = [at for at, visit in enumerate(visits) if visit.layer == layers - 1]
    assert [visit.first for visit in visits] == [at <= heads[0] for at in range(len(visits))]
    assert [visit.last for visit in visits] == [at == heads[-1] for at in range(len(visits))]
    assert heads[-1] == len(visits) - 1
    expected = [(0, 0)] * sum(visit.layer == 0 for visit in visits)
    for visit in visits:
        assert (visit.layer, visit.path) == expected.pop()
        assert visit.kept + visit.dropped > 0
        below, both = visit.layer + 1, ((visit.dropped, 0), (visit.kept, 1))
        if below < layers:
            expected += [(below, visit.path | bit << visit.layer) for weight, bit in both if weight]
    assert not expected


@pytest.mark.parametrize("codes", CODES, ids=str)
def test_order_and_flags_in_every_mode(codes):
    rng = np.random.default_rng(4)
    for passes in (1, 3, 9):
        bits = rng.integers(0, 2, passes * len(codes)).tolist()
        for mode in Mode:
            check_order(list(walk(Inference(mode, passes), codes, bits)), len(codes))
    for masks in range(1, 20):
        check_order(list(walk(Inference("exact", masks=masks), codes)), len(codes))


def test_images_take_their_bits_from_one_stream_and_no_more_than_they_need():
    bits = iter([1, 0, 1, 1, 0, 0])
    first = leaves(walk(Inference("shared", 1), (5, 5), bits), 2)[0]
    second = leaves(walk(Inference("passes", 2), (5, 5), bits), 2)[0]
    assert first.tolist() == [[1, 0]] and second.tolist() == [[1, 1], [0, 0]]


def test_too_few_bits():
    with pytest.raises(UserError) as caught:
        list(walk(Inference("shared", 2), (5, 5), [1, 1, 0]))
    assert str(caught.value) == "bits: layer 1 needs 2 and 1 are left"


@pytest.mark.parametrize("codes", CODES, ids=str)
def test_nothing_pruned_is_every_mask_with_its_probability(codes):
    masks, weights = leaves(walk(Inference("exact"), codes), len(codes))
    assert weights.sum() == MASS and weights.min() > 0
    source = Exact().source(codes, 1)
    expected = source.block(slice(0, 1), slice(0, source.passes))
    chances = {tuple(mask): 0.0 for mask in expected.bits[0].tolist()}
    chances |= dict(zip(map(tuple, expected.bits[0].tolist()), expected.weights, strict=True))
    found = dict(zip(map(tuple, masks.tolist()), (weights / MASS).tolist(), strict=True))
    assert found.keys() <= chances.keys()
    for mask, chance in chances.items():
        assert abs(found.get(mask, 0.0) - chance) <= len(codes) * 2.0**-24
    assert np.array_equal(masks, sorted(masks.tolist(), reverse=True))


def every_leaf(codes):
    """Weight of every mask by integer splitting, without a walk; the one always visited."""
    weights = {}
    for mask in product((1, 0), repeat=len(codes)):
        weight = MASS
        for bit, code in zip(mask, codes, strict=True):
            dropped = weight * code // 2**16
            weight = weight - dropped if bit else dropped
        weights[mask] = weight
    main, weight = [], MASS
    for code in codes:
        dropped = weight * code // 2**16
        main.append(int(weight - dropped >= dropped))
        weight = max(dropped, weight - dropped)
    return weights, tuple(main)


def random_codes(rng):
    layers = int(rng.integers(1, 8))
    kinds = [rng.integers(0, 65536), rng.integers(0, 12000), 32768, 0, 65535, 32767, 32769]
    return [int(rng.choice(kinds)) for _ in range(layers)]


@pytest.mark.parametrize("seed", range(40))
def test_a_cutoff_keeps_what_has_it_and_the_heaviest_leaf(seed):
    rng = np.random.default_rng(seed)
    codes = random_codes(rng)
    weights, main = every_leaf(codes)
    assert weights[main] == max(weights.values())
    some = rng.choice(list(weights.values()), 5).tolist()
    for cutoff in [0, 1, 2, *some, *[weight + 1 for weight in some], MASS, 2 * MASS - 1]:
        visits = list(walk(Inference("exact"), codes, cutoff=cutoff))
        check_order(visits, len(codes))
        masks, found = leaves(visits, len(codes))
        leaf = {mask: w for mask, w in weights.items() if w >= max(cutoff, 1)}
        assert dict(zip(map(tuple, masks.tolist()), found.tolist(), strict=True)) == (
            leaf | {main: weights[main]}
        )


@pytest.mark.parametrize("seed", range(20))
def test_at_most_so_many_masks_are_the_most_probable_ones(seed):
    codes = random_codes(np.random.default_rng(seed))
    best = sorted((weight for weight in every_leaf(codes)[0].values() if weight), reverse=True)
    for count in range(1, len(best) + 2):
        inference = Inference("exact", masks=count)
        weights = sorted(leaves(walk(inference, codes), len(codes))[1].tolist(), reverse=True)
        assert 1 <= len(weights) <= count and weights == best[: len(weights)]
        cutoff = inference.cutoff(codes)
        if count >= len(best):
            assert cutoff == 0 and len(weights) == len(best)
        else:
            more = leaves(walk(inference, codes, cutoff=cutoff - 1), len(codes))[1]
            assert len(more) > count


def test_ties_at_the_limit_are_left_out_and_the_main_path_stays():
    halves = (32768,) * 4
    masks, weights = leaves(walk(Inference("exact", masks=15), halves), 4)
    assert masks.tolist() == [[1, 1, 1, 1]] and weights.tolist() == [MASS // 16]
    assert MASS - weights.sum() == MASS // 16 * 15
    masks, _ = leaves(walk(Inference("exact", masks=1), (60000, 100, 32769)), 3)
    assert masks.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("code", [6554, 32768])
def test_thirty_layers_visit_what_they_need(code):
    visits = list(walk(Inference("exact", masks=100), (code,) * 30))
    masks, _ = leaves(visits, 30)
    assert 1 <= len(masks) <= 100 and len(visits) <= 30 * len(masks)
    assert {tuple(mask) for mask in masks.tolist()} >= {(1,) * 30}


def test_only_exact_has_a_cutoff():
    codes = (6554,) * 5
    assert [Inference(mode, masks=2).cutoff(codes) > 0 for mode in Mode] == [False, False, True]
    assert Inference("exact", masks=32).cutoff(codes) == 0


@pytest.mark.parametrize("codes", CODES, ids=str)
def test_masks_of_words(codes):
    rng = np.random.default_rng(6)
    layers, passes = len(codes), 5
    words = rng.integers(0, 1 << 16, (4, passes * layers), dtype=np.uint16)
    words[0, :2] = codes[0], max(codes[0] - 1, 0)
    for mode in (Mode.PASSES, Mode.SHARED):
        inference = Inference(mode, passes)
        masks = masks_of(inference, codes, words)
        assert masks.shape == (4, passes, layers) and masks.dtype == np.uint8
        for row, mask in zip(words, masks, strict=True):
            visits = list(walk_words(inference, codes, row))
            assert np.array_equal(leaves(visits, layers)[0], mask)
            drawn = [(bit, codes[visit.layer]) for visit in visits for bit in visit.bits]
            assert [bit for bit, _ in drawn] == [
                int(word >= code) for word, (_, code) in zip(row, drawn, strict=True)
            ]
    passes_masks = masks_of(Inference(Mode.PASSES, passes), codes, words)
    assert np.array_equal(passes_masks.reshape(-1, layers), masks_from_codes(codes, words))
    exact = masks_of(Inference("exact"), codes, np.zeros((3, 0), dtype=np.uint16))
    assert len(exact) == 3 and np.array_equal(
        exact[2], leaves(walk(Inference("exact"), codes), layers)[0]
    )


def test_many_layers_are_no_limit():
    bits = [1, 0] * 50
    assert leaves(walk(Inference("passes", 1), (5,) * 100, bits), 100)[0].tolist() == [bits]
