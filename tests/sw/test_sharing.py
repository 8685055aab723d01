# SPDX-License-Identifier: Apache-2.0
"""Plans: every pass reaches its own leaf, and no prefix is evaluated twice."""

import numpy as np
import pytest

from scaledrop.sharing import separate_plan, shared_plan

PLANS = {"shared": shared_plan, "separate": separate_plan}


def walked(plan, images):
    """Image and bits of each leaf, following the splits from the roots."""
    paths = [(image,) for image in range(images)]
    for split in plan.splits:
        kept = [(*paths[at], 1) for at in split.kept]
        paths = kept + [(*paths[at], 0) for at in split.dropped]
    return paths


def masks_of(images, passes, layers, p=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((images, passes, layers)) >= p).astype(np.uint8)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 40, 3), (5, 7, 4), (3, 9, 11), (4, 1, 6)])
def test_every_pass_reaches_its_own_leaf(name, size):
    masks = masks_of(*size)
    plan = PLANS[name](masks)
    paths = walked(plan, size[0])
    for image in range(size[0]):
        for at in range(size[1]):
            assert paths[plan.leaves[image, at]] == (image, *masks[image, at])


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_no_prefix_is_evaluated_twice(p):
    images, passes, layers = 6, 20, 5
    masks = masks_of(images, passes, layers, p)
    plan = shared_plan(masks)
    alive = images
    for layer, split in enumerate(plan.splits):
        assert alive <= images * min(passes, 2**layer)
        distinct = sum(len(np.unique(one[:, : layer + 1], axis=0)) for one in masks)
        alive = len(split.parents)
        assert alive == distinct
    assert len(set(walked(plan, images))) == alive


def test_separate_passes_share_only_the_first_sum():
    plan = separate_plan(masks_of(3, 8, 4, 0.0))
    assert [len(split.parents) for split in plan.splits] == [24] * 4
    assert sorted(plan.splits[0].parents.tolist()) == sorted([0, 1, 2] * 8)
