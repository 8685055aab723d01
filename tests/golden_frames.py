# SPDX-License-Identifier: Apache-2.0
"""What a faultless device would send."""

import numpy as np

from scaledrop.engine import infer
from scaledrop.numbers import argmax
from scaledrop.packets import Frame, Leaf, Result
from scaledrop.walk import walk_words


def _leaves(visits, last):
    """(path, weight) of every leaf, in the order in which they come."""
    for visit in visits:
        if visit.layer == last:
            kept, dropped = visit.path | 1 << last, visit.path
            yield from [one for one in ((kept, visit.kept), (dropped, visit.dropped)) if one[1]]


def _frame(network, image, visits):
    layers = len(network.layers)
    leaves = list(_leaves(visits, layers - 1))
    masks = np.array([[[path >> bit & 1 for bit in range(layers)] for path, _ in leaves]])
    logits = infer(network, image[None], masks).logits[0]
    rows = logits.tolist()
    weights = [weight for _, weight in leaves]
    classes = range(network.classes)
    sums = [sum(w * row[k] for w, row in zip(weights, rows, strict=True)) for k in classes]
    squares = [sum(w * row[k] ** 2 for w, row in zip(weights, rows, strict=True)) for k in classes]
    won = argmax(logits).tolist()
    votes = [sum(w for w, k in zip(weights, won, strict=True) if k == label) for label in classes]
    packets = [Leaf(*leaf, tuple(row)) for leaf, row in zip(leaves, rows, strict=True)]
    result = Result(*map(tuple, (sums, squares, votes)), sums.index(max(sums)), False, sum(weights))
    return Frame(tuple(packets), result)


def golden_frames(network, images, inference, words=()):
    """The frames of images whose bits come from ``words``, one after another."""
    codes = [layer.drop_code for layer in network.layers]
    count = 0 if inference.mode == "exact" else inference.passes * len(codes)
    parts = [words[at * count : (at + 1) * count] for at in range(len(images))]
    return [
        _frame(network, image, list(walk_words(inference, codes, part)))
        for image, part in zip(images, parts, strict=True)
    ]
