# SPDX-License-Identifier: Apache-2.0
"""Random results and leaves of images: as values, as transfers of the core, as frames of words."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from scaledrop.device_sizes import DeviceSizes
from scaledrop.packets import Leaf, Result, leaf_words, result_words
from scaledrop_hw.packet_merge import PacketMerge

CLASSES, SUM, SQUARES, WEIGHT, LOGIT, LAYERS = 3, 45, 70, 25, 21, 34
SIZES = DeviceSizes(layers=LAYERS, classes=CLASSES, squares_words=3, weight_bits=WEIGHT)
RESULT = data.StructLayout(
    {
        "label": range(CLASSES),
        "sum": signed(SUM),
        "squares": unsigned(SQUARES),
        "votes": unsigned(WEIGHT),
        "predicted": range(CLASSES),
        "abstain": 1,
        "covered": unsigned(WEIGHT),
        "last": 1,
    }
)
LEAF = data.StructLayout(
    {
        "path": LAYERS,
        "weight": WEIGHT,
        "label": range(CLASSES),
        "value": signed(LOGIT),
        "ends_leaf": 1,
        "ends_image": 1,
    }
)


def random_image(rng, leaves):
    """Leaves and result of an image, with extreme values among the random ones."""

    def signeds(width):
        ends = [-(1 << width - 1), (1 << width - 1) - 1, -1]
        return (
            tuple(ends)
            if rng.integers(2)
            else tuple(rng.integers(-(1 << width - 1), 1 << width - 1, CLASSES).tolist())
        )

    result = Result(
        sums=signeds(SUM),
        squares=tuple(int.from_bytes(rng.bytes(9)) >> 2 for _ in range(CLASSES)),
        votes=tuple(rng.integers(1 << WEIGHT, size=CLASSES).tolist()),
        predicted=int(rng.integers(CLASSES)),
        abstain=bool(rng.integers(2)),
        covered=int(rng.integers(1 << WEIGHT)),
    )
    made = [
        Leaf(int(rng.integers(1 << LAYERS)), int(rng.integers(1 << WEIGHT)), signeds(LOGIT))
        for _ in range(leaves)
    ]
    return made, result


def result_transfers(result):
    return [
        {
            "label": label,
            "sum": result.sums[label],
            "squares": result.squares[label],
            "votes": result.votes[label],
            "predicted": result.predicted,
            "abstain": int(result.abstain),
            "covered": result.covered,
            "last": int(label == CLASSES - 1),
        }
        for label in range(CLASSES)
    ]


def leaf_transfers(leaves):
    return [
        {
            "path": leaf.path,
            "weight": leaf.weight,
            "label": label,
            "value": leaf.logits[label],
            "ends_leaf": int(label == CLASSES - 1),
            "ends_image": int(label == CLASSES - 1 and leaf is leaves[-1]),
        }
        for leaf in leaves
        for label in range(CLASSES)
    ]


def frames_of(images, records):
    """Frames as lists of words."""
    leaves = [[leaf_words(leaf, SIZES) for leaf in one] if records else [] for one, _ in images]
    return PacketMerge.twin(leaves, [result_words(result, SIZES) for _, result in images])
