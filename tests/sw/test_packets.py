# SPDX-License-Identifier: Apache-2.0
"""Packets: what was put in comes out; frames that are none are refused by name."""

import numpy as np
import pytest

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError
from scaledrop.packets import (
    ABORTED_WORD,
    Frame,
    Leaf,
    PacketType,
    Result,
    header_word,
    leaf_words,
    packet_length,
    parse_frame,
    result_words,
)

SIZES = DeviceSizes(layers=40, classes=3, squares_words=4)


def random_leaf(rng, sizes=SIZES):
    return Leaf(
        path=int(rng.integers(1 << 31)) << sizes.layers - 31,
        weight=int(rng.integers(1 << 25)),
        logits=tuple(rng.integers(-(1 << 62), 1 << 62, sizes.classes).tolist()),
    )


def random_result(rng, sizes=SIZES):
    classes = range(sizes.classes)
    return Result(
        sums=tuple(rng.integers(-(1 << 62), 1 << 62, sizes.classes).tolist()),
        squares=tuple(int.from_bytes(rng.bytes(4 * sizes.squares_words)) for _ in classes),
        votes=tuple(rng.integers(1 << 25, size=sizes.classes).tolist()),
        predicted=int(rng.integers(sizes.classes)),
        abstain=bool(rng.integers(2)),
        covered=int(rng.integers(1 << 25)),
    )


def test_what_was_put_in_comes_out():
    rng = np.random.default_rng(1)
    for count in range(4):
        leaves = tuple(random_leaf(rng) for _ in range(count))
        result = random_result(rng)
        words = [word for leaf in leaves for word in leaf_words(leaf, SIZES)]
        words += result_words(result, SIZES)
        assert parse_frame(words, SIZES) == Frame(leaves, result)
        assert all(0 <= word < 1 << 32 for word in words)


def test_words_of_a_small_result():
    sizes = DeviceSizes(layers=2, classes=2, squares_words=1)
    result = Result((-1, 1 << 32), (7, 8), (3, 259), 1, True, 9)
    assert result_words(result, sizes) == [
        *(0x1800_000B, 0x0002_0001, 9),
        *(0xFFFF_FFFF, 0xFFFF_FFFF, 7, 3),
        *(0, 1, 8, 259),
    ]


def test_words_of_a_small_leaf():
    sizes = DeviceSizes(layers=33, classes=1)
    leaf = Leaf(path=1 << 32 | 5, weight=6, logits=(-2,))
    assert leaf_words(leaf, sizes) == [
        *(0x2000_0007, 0x0001_0000, 6, 5, 1),
        *(0xFFFF_FFFE, 0xFFFF_FFFF),
    ]


def test_an_abort_anywhere_leaves_whole_leaves_only():
    rng = np.random.default_rng(2)
    leaves = tuple(random_leaf(rng) for _ in range(3))
    words = [word for leaf in leaves for word in leaf_words(leaf, SIZES)]
    words += result_words(random_result(rng), SIZES)
    length = packet_length(PacketType.LEAF, SIZES)
    for sent in range(len(words)):
        frame = parse_frame([*words[:sent], ABORTED_WORD], SIZES)
        assert frame == Frame(leaves[: sent // length], None)


def test_no_votes_look_like_an_abort():
    assert ABORTED_WORD >> 28 == PacketType.ABORTED
    with pytest.raises(UserError, match="weight_bits: must be 1 to 28, not 29"):
        DeviceSizes(layers=1, classes=1, weight_bits=29)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "frame: 0 words without a result"),
        ([5], "frame: word 0 is 0x00000005, no header of a packet"),
        ([header_word(PacketType.RESULT, 9)], "frame: word 0 is 0x10000009, no header"),
        (result_words(random_result(np.random.default_rng(1)), SIZES)[:-1], "24 words... "),
    ],
)
def test_frames_that_are_none(words, message):
    message = message.replace("24 words... ", f"frame: {len(words)} words without a result")
    with pytest.raises(UserError) as caught:
        parse_frame(words, SIZES)
    assert str(caught.value).startswith(message)


def test_nothing_follows_a_result():
    rng = np.random.default_rng(3)
    result = result_words(random_result(rng), SIZES)
    for more in (result, leaf_words(random_leaf(rng), SIZES), [ABORTED_WORD]):
        with pytest.raises(UserError, match=r"frame: a packet (result|leaf) stands where none may"):
            parse_frame([*result, *more], SIZES)
