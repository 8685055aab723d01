# SPDX-License-Identifier: Apache-2.0
"""Packets of the result stream: what they hold, as words and as values.

A frame ends where TLAST stands: the leaves of one image, if they are asked for, then its result; or
whatever had been sent, then ``aborted``. Every packet begins with a word {length in words: bits 23
to 0, abstain: bit 27, type: bits 31 to 28}. No votes reach bit 28, so that the last word of a frame
tells whether it was aborted.

    result   header, {predicted: 15 to 0, classes: 31 to 16}, covered,
             for each class: sum (2 words, signed), squares (0 to 4 words), votes
    leaf     header, {classes: 31 to 16}, weight, path (one bit a layer),
             for each class: logit (2 words, signed)
    aborted  header

Numbers of several words have the lowest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError

__all__ = [
    "ABORTED_WORD",
    "LOGIT_WORDS",
    "SUM_WORDS",
    "Frame",
    "Leaf",
    "PacketType",
    "Result",
    "header_word",
    "leaf_words",
    "packet_length",
    "parse_frame",
    "result_words",
]

WORD = (1 << 32) - 1
SUM_WORDS = LOGIT_WORDS = 2
HEAD_WORDS = 3
LENGTH = (1 << 24) - 1


class PacketType(IntEnum):
    """What a packet is, in the highest bits of its first word."""

    RESULT = 1
    LEAF = 2
    ABORTED = 15


@dataclass(frozen=True)
class Result:
    """An image's result: three values of each class, then three of the image.

    Squares are 0 where a device has none.
    """

    sums: tuple[int, ...]
    squares: tuple[int, ...]
    votes: tuple[int, ...]
    predicted: int
    abstain: bool
    covered: int


@dataclass(frozen=True)
class Leaf:
    """One network of an image: bit j of ``path`` is the mask bit of layer j."""

    path: int
    weight: int
    logits: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """All that was sent of an image; no result if it was aborted."""

    leaves: tuple[Leaf, ...]
    result: Result | None


def header_word(kind: PacketType, length: int, abstain: bool = False) -> int:
    """First word of a packet of ``length`` words."""
    return length | abstain << 27 | kind << 28


ABORTED_WORD = header_word(PacketType.ABORTED, 1)
"""Closes the frame of an image that was dropped."""


def packet_length(kind: PacketType, sizes: DeviceSizes) -> int:
    """Words of a packet, its header included."""
    if kind is PacketType.RESULT:
        return HEAD_WORDS + sizes.classes * (SUM_WORDS + sizes.squares_words + 1)
    if kind is PacketType.LEAF:
        return HEAD_WORDS + sizes.path_words + sizes.classes * LOGIT_WORDS
    return 1


def _split(value: int, words: int) -> list[int]:
    return [value >> 32 * at & WORD for at in range(words)]


def result_words(result: Result, sizes: DeviceSizes) -> list[int]:
    """The packet of a result."""
    length = packet_length(PacketType.RESULT, sizes)
    packet = [
        header_word(PacketType.RESULT, length, result.abstain),
        result.predicted | sizes.classes << 16,
        result.covered,
    ]
    for total, squares, votes in zip(result.sums, result.squares, result.votes, strict=True):
        packet += [*_split(total, SUM_WORDS), *_split(squares, sizes.squares_words), votes]
    return packet


def leaf_words(leaf: Leaf, sizes: DeviceSizes) -> list[int]:
    """The packet of a leaf."""
    length = packet_length(PacketType.LEAF, sizes)
    packet = [header_word(PacketType.LEAF, length), sizes.classes << 16, leaf.weight]
    packet += _split(leaf.path, sizes.path_words)
    for logit in leaf.logits:
        packet += _split(logit, LOGIT_WORDS)
    return packet


def _number(words: Iterator[int], count: int, signed: bool = False) -> int:
    value = sum(word << 32 * at for at, word in enumerate(islice(words, count)))
    return value - (1 << 32 * count) if signed and value >> 32 * count - 1 else value


def _parse_result(packet: Sequence[int], sizes: DeviceSizes) -> Result:
    words = iter(packet[HEAD_WORDS:])
    rows = [
        (_number(words, SUM_WORDS, True), _number(words, sizes.squares_words), _number(words, 1))
        for _ in range(sizes.classes)
    ]
    sums, squares, votes = (tuple(column) for column in zip(*rows, strict=True))
    predicted, abstain = packet[1] & 0xFFFF, bool(packet[0] >> 27 & 1)
    return Result(sums, squares, votes, predicted, abstain, packet[2])


def _parse_leaf(packet: Sequence[int], sizes: DeviceSizes) -> Leaf:
    words = iter(packet[HEAD_WORDS:])
    path = _number(words, sizes.path_words)
    logits = tuple(_number(words, LOGIT_WORDS, True) for _ in range(sizes.classes))
    return Leaf(path, packet[2], logits)


def _packets(
    words: Sequence[int], sizes: DeviceSizes
) -> Iterable[tuple[PacketType, Sequence[int]]]:
    """Whole packets of a frame; the rest of one that was cut off by an abort is left out."""
    at = 0
    while at < len(words):
        length, code = words[at] & LENGTH, words[at] >> 28
        kind = PacketType(code) if code in tuple(PacketType) else None
        if kind is None or length != packet_length(kind, sizes):
            raise UserError(
                f"frame: word {at} is {words[at]:#010x}, no header of a packet; "
                "is this the device that the sizes describe?"
            )
        packet = words[at : at + length]
        if len(packet) < length:
            return
        yield kind, packet
        at += len(packet)


def parse_frame(words: Sequence[int], sizes: DeviceSizes) -> Frame:
    """The values of a frame, which ends with a result or with ``aborted``.

    Raises:
        UserError: a word that should begin a packet does not, or the frame has no end.
    """
    aborted = bool(words) and words[-1] == ABORTED_WORD
    leaves: list[Leaf] = []
    result: Result | None = None
    for kind, packet in _packets(words[:-1] if aborted else words, sizes):
        if kind is PacketType.LEAF and result is None:
            leaves.append(_parse_leaf(packet, sizes))
        elif kind is PacketType.RESULT and result is None and not aborted:
            result = _parse_result(packet, sizes)
        else:
            raise UserError(f"frame: a packet {kind.name.lower()} stands where none may")
    if result is None and not aborted:
        raise UserError(f"frame: {len(words)} words without a result")
    return Frame(tuple(leaves), result)
