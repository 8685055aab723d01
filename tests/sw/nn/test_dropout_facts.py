# SPDX-License-Identifier: Apache-2.0
"""Closed forms against draws: five standard errors, or exactly where they are arithmetic."""

import numpy as np
import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.methods.dropblock import seed_probability
from scaledrop.nn.dropout_facts import (
    block_share,
    dropout_k,
    dropout_variance,
    exact_gamma,
    expected_depth,
    linear_survival,
    scale_k,
    uniform_k,
    weighted_dropout_k,
)

DRAWS = 400_000
CLOSE = 5 * np.sqrt(2 / DRAWS)
"""Of a variance of DRAWS near-normal values, relative."""


def normal(mean, variance, seed=0):
    rng = np.random.default_rng(seed)
    return mean + np.sqrt(variance) * rng.standard_normal(DRAWS), rng


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_inverted_dropout_keeps_the_mean_and_has_this_variance(p):
    torch.manual_seed(1)
    y = torch.nn.functional.dropout(torch.full((DRAWS,), 3.0, dtype=torch.float64), p)
    variance = dropout_variance(3.0, p)
    assert abs(float(y.mean()) - 3.0) < 5 * np.sqrt(variance / DRAWS)
    kurtosis = (1 - 3 * p + 3 * p * p) / (p * (1 - p))
    error = 5 * np.sqrt((kurtosis - 1) / DRAWS)
    assert np.isclose(float(y.var()), variance, rtol=max(error, 1e-3))
    assert dropout_variance(2.0, 0.5) == 4.0


@pytest.mark.parametrize(("block", "height", "width"), [(1, 6, 6), (3, 7, 5), (5, 5, 9)])
def test_the_share_of_dropblock_is_that_of_drawn_blocks(block, height, width):
    gamma, rng, runs = 0.1, np.random.default_rng(2), 4000
    places = (runs, height - block + 1, width - block + 1)
    seeds = rng.random(places) < gamma
    dropped = np.zeros((runs, height, width), dtype=bool)
    for y, x in np.ndindex(block, block):
        dropped[:, y : y + places[1], x : x + places[2]] |= seeds
    share = dropped.mean(axis=(1, 2))
    error = 5 * share.std() / np.sqrt(runs)
    assert abs(share.mean() - block_share(gamma, block, height, width)) < error


def test_dropblock_of_one_pixel_is_dropout_and_of_more_drops_less_than_asked():
    assert np.isclose(seed_probability((1, 8, 8), 0.2, 1), 0.2)
    assert np.isclose(block_share(0.2, 1, 8, 8), 0.2)
    gamma = seed_probability((1, 10, 10), 0.2, 3)
    assert np.isclose(gamma, 0.2 / 9 * 100 / 64)
    assert 0.16 < block_share(gamma, 3, 10, 10) < 0.2
    assert np.isclose(block_share(exact_gamma(0.2, 3, 10, 10), 3, 10, 10), 0.2)
    assert exact_gamma(0.0, 3, 10, 10) < 1e-12


def test_a_block_of_the_whole_map_drops_all_or_nothing():
    assert np.isclose(block_share(0.3, 4, 4, 4), 0.3)
    assert np.isclose(seed_probability((1, 4, 4), 0.3, 4), 0.3)


def test_stochastic_depth_falls_linearly_and_sums_to_its_depth():
    assert np.allclose(linear_survival(4, 0.5), [0.875, 0.75, 0.625, 0.5])
    for layers, last in ((1, 0.5), (54, 0.5), (9, 0.2)):
        assert np.isclose(linear_survival(layers, last).sum(), expected_depth(layers, last))
    assert np.isclose(expected_depth(54, 0.5), 40.25)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.5, 0.5)])
def test_dropout_in_front_of_a_norm_shifts_its_variance(mean, variance):
    (x, rng), p = normal(mean, variance), 0.4
    train = (x * (rng.random(DRAWS) >= p) / (1 - p)).var()
    assert np.isclose(np.sqrt(train / x.var()), dropout_k(p, mean, variance), rtol=2 * CLOSE)
    assert dropout_k(0.0, mean, variance) == 1
    assert dropout_k(0.5, 0.0, 1.0) == np.sqrt(2)


def test_weights_between_dropout_and_norm_let_the_noise_average_out():
    rng, p, mean, correlation, d = np.random.default_rng(4), 0.3, 1.0, 0.4, 5
    weights = np.array([1.0, -0.5, 2.0, 1.0, 0.3])
    common = rng.standard_normal((DRAWS, 1))
    own = rng.standard_normal((DRAWS, d))
    x = mean + np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    noisy = x * (rng.random((DRAWS, d)) >= p) / (1 - p)
    found = np.sqrt((noisy @ weights).var() / (x @ weights).var())
    expected = weighted_dropout_k(p, mean, 1.0, weights, correlation)
    assert np.isclose(found, expected, rtol=2 * CLOSE)
    assert np.isclose(weighted_dropout_k(p, mean, 1.0, np.ones(1)), dropout_k(p, mean, 1.0))
    many = weighted_dropout_k(p, mean, 1.0, np.ones(1000), correlation)
    assert 1 < many < 1.002


def test_uniform_noise_shifts_less_than_dropout_does():
    x, rng = normal(0.5, 1.0, 5)
    found = (x * (1 + rng.uniform(-0.9, 0.9, DRAWS))).std() / x.std()
    assert np.isclose(found, uniform_k(0.9, 0.5, 1.0), rtol=2 * CLOSE)
    assert uniform_k(0.3, 0.5, 1.0) < dropout_k(0.3, 0.5, 1.0)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("drawn", [False, True])
def test_scale_dropout_shifts_as_the_norm_of_pytorch_sees_it(batch, drawn):
    alpha, p, mean, variance, size = 1.6, 0.3, 2.0, 1.5, 200
    (s, rng), rows = normal(mean, variance, 6), DRAWS // size
    s = torch.from_numpy(s).reshape(rows, size)
    drop = torch.from_numpy(rng.random((rows, 1 if batch else size)) < p)
    train = torch.where(drop, 1.0, alpha) * s
    running_mean, running = train.mean(), train.var(dim=1).mean()
    test = alpha * s
    if drawn:
        fresh = torch.from_numpy(rng.random(s.shape) < p)
        test = torch.where(fresh, 1.0, alpha) * s
    output = (test - running_mean) / running.sqrt()
    expected = scale_k(alpha, p, mean, variance, batch=batch, drawn=drawn)
    # Behind the norm the variance of a batch is 1 in training.
    assert np.isclose(1 / float(output.std()), expected, rtol=0.01)


def test_scale_dropout_with_a_bit_a_sample_and_masks_drawn_has_no_shift():
    assert scale_k(0.4, 0.2, 3.0, 1.0) == 1
    assert scale_k(1.0, 0.2, 3.0, 1.0, batch=True, drawn=False) == 1
    assert scale_k(1.6, 0.2, 3.0, 1.0, batch=True) < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dropout_variance(1.0, 1.0), "p: must be 0 to below 1, not 1.0; 0.1 is usual"),
        (lambda: block_share(0.1, 5, 4, 8), "block: must be 1 to 4, not 5; a block must fit"),
        (lambda: block_share(1.5, 1, 4, 4), "gamma: must be 0 to 1, not 1.5; lower p, or take"),
        (lambda: linear_survival(0, 0.5), "layers: must be 1 or more, not 0"),
        (lambda: linear_survival(3, 0.0), "1 - last: must be 0 to below 1"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(UserError, match=message):
        call()
