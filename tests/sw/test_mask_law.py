# SPDX-License-Identifier: Apache-2.0
"""Laws over masks: known small cases, and what their bounds promise."""

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.mask_law import (
    common_law,
    components,
    drift_bound,
    effective_passes,
    independent_law,
    mean_variance,
    moved_mass,
)
from scaledrop_flow.studies.exactness import every_mask

P = (0.1, 0.25, 0.4)


def values(*lead):
    return np.random.default_rng(0).random((*lead, 8))


def test_independent_bits_multiply_in_the_order_of_the_masks():
    expected = [np.prod(np.where(mask, 1 - np.array(P), P)) for mask in every_mask(3)]
    assert np.allclose(independent_law(P), expected, atol=1e-15)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_common_draw_leaves_each_layer_its_probability(share):
    law = common_law(P, share)
    assert np.isclose(law.sum(), 1) and (law >= 0).all()
    assert np.allclose(law @ every_mask(3), 1 - np.array(P))


def test_a_common_draw_of_equal_layers_drops_all_or_none():
    assert np.allclose(common_law((0.2, 0.2), 1.0), [0.2, 0, 0, 0.8])
    law, masks = common_law((0.2, 0.2), 0.3), every_mask(2).astype(float)
    both = law @ masks.prod(axis=1) - 0.8**2
    assert np.isclose(both / (0.2 * 0.8), 0.3)


def test_unequal_layers_of_a_common_draw_are_nested():
    # One number u: all drop below 0.1, the last two below 0.25, the last alone below 0.4.
    assert np.allclose(common_law(P, 1.0), [0.1, 0, 0, 0, 0.15, 0, 0.15, 0.6])


def test_no_mean_moves_by_more_than_the_mass_that_moved():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, q = rng.random((2, 3))
        law, other = independent_law(p), independent_law(q)
        mass = moved_mass(law, other)
        assert np.abs(values(100) @ (law - other)).max() <= mass
        assert mass <= drift_bound(p, q) + 1e-12
    assert moved_mass(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1
    assert np.isclose(drift_bound((0.1, 0.5), (0.2, 0.5)), 0.1)


def test_components_sum_to_the_variance_and_know_their_layer():
    law, found = independent_law(P), values(4)
    parts = components(found, P)
    mean = found @ law
    assert np.allclose(parts[:, 0], mean**2)
    assert np.allclose(parts[:, 1:].sum(axis=-1), found**2 @ law - mean**2)
    middle = components(every_mask(3)[:, 1].astype(float), P)
    assert np.allclose(middle, [0.75**2, 0, 0.25 * 0.75, 0, 0, 0, 0, 0])


def test_effective_passes_of_known_chains():
    assert effective_passes(20, 0.0) == 20
    assert np.isclose(effective_passes(20, 1.0), 1)
    assert np.isclose(effective_passes(10**5, 0.5), 10**5 / 3, rtol=1e-4)
    assert np.isclose(effective_passes(2, 0.5), 2 / 1.5)


def test_the_variance_of_a_mean_over_a_chain_is_that_of_many_runs():
    rng, correlation, passes, runs = np.random.default_rng(2), 0.6, 5, 200_000
    keep = rng.random((runs, 3)) >= P
    found, total = values(), np.zeros(runs)
    for at in range(passes):
        if at:
            fresh = rng.random((runs, 3)) >= P
            keep = np.where(rng.random((runs, 3)) < correlation, keep, fresh)
        total += found[keep @ [4, 2, 1]]
    expected = mean_variance(components(found, P), passes, correlation)
    # The standard error of a variance of near-normal values is sqrt(2 / runs), here 0.3 %.
    assert np.isclose((total / passes).var(), expected, rtol=5 * np.sqrt(2 / runs))
    plain = mean_variance(components(found, P), passes, 0.0)
    assert plain < expected < plain * 4


@pytest.mark.parametrize("p", [(), (0.5, 1.5), ((0.1, 0.2),)])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(UserError, match="p: must be one probability of 0 to 1 a layer"):
        independent_law(p)
