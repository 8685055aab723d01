# SPDX-License-Identifier: Apache-2.0
"""Code words: the matrix at every width, every one and two wrong bits at several."""

from hashlib import sha256
from itertools import combinations

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.secded import MAX_WIDTH, Status, check_bits, columns, decode, encode, masks

EXHAUSTIVE = [1, 2, 3, 4, 8, 11, 12, 32, 57, 58, 128, 247]
SAMPLED = [512, 1013, 1014, 1024]


def words(width):
    """All zeros, all ones and a random word."""
    random = int.from_bytes(np.random.default_rng(width).bytes(128), "little")
    return [0, (1 << width) - 1, random % (1 << width)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_bits(0), "width: must be 1 to 1024, not 0"),
        (lambda: columns(1025), "width: must be 1 to 1024, not 1025"),
        (lambda: encode(0, -1), "width: must be 1 to 1024, not -1"),
        (lambda: encode(16, 4), "word: must have at most 4 bits, not 0x10"),
        (lambda: encode(-1, 4), "word: must have at most 4 bits, not -0x1"),
        (lambda: decode(256, 4), "code word: must have at most 8 bits, not 0x100"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(UserError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("width", "check"),
    [(1, 3), (4, 4), (8, 5), (11, 5), (12, 6), (32, 7), (64, 8), (128, 9), (1013, 11), (1024, 12)],
)
def test_number_of_check_bits(width, check):
    assert check_bits(width) == check


def test_matrix_at_every_width():
    """Different columns of an odd number of ones: what single and double errors are told by."""
    for width in range(1, MAX_WIDTH + 1):
        check = check_bits(width)
        assert (1 << check - 2) - (check - 1) < width <= (1 << check - 1) - check
        found = {*columns(width), *(1 << row for row in range(check))}
        assert len(found) == width + check
        assert all(column.bit_count() % 2 for column in found) and max(found) < 1 << check


@pytest.mark.parametrize("width", [8, 32, 64, 128, 1024])
def test_rows_share_the_work(width):
    """Hsiao's condition: no check bit is the parity of many more bits than another."""
    loads = [mask.bit_count() for mask in masks(width)]
    assert max(loads) - min(loads) <= 1
    assert sum(loads) == sum(column.bit_count() for column in columns(width))


def test_the_code_is_frozen():
    """Simulation, exported memories and recorded error positions all rely on one matrix."""
    assert columns(8) == (0b00111, 0b11001, 0b01110, 0b10011, 0b11100, 0b01011, 0b10101, 0b10110)
    assert encode(0b1010_0101, 8) == 0b1010_0101 | 0b10100 << 8
    digest = sha256(str(columns(1024)).encode()).hexdigest()
    assert digest.startswith("65da85f299bb80bd")


@pytest.mark.parametrize("width", EXHAUSTIVE + SAMPLED)
def test_every_single_error_is_corrected(width):
    for word in words(width):
        code = encode(word, width)
        assert decode(code, width) == (word, Status.CLEAN)
        for at in range(width + check_bits(width)):
            assert decode(code ^ 1 << at, width) == (word, Status.CORRECTED)


@pytest.mark.parametrize("width", EXHAUSTIVE)
def test_every_double_error_is_detected(width):
    for word in words(width)[-1:]:
        code = encode(word, width)
        for a, b in combinations(range(width + check_bits(width)), 2):
            wrong = code ^ 1 << a ^ 1 << b
            assert decode(wrong, width) == (wrong % (1 << width), Status.UNCORRECTED)


@pytest.mark.parametrize("width", SAMPLED)
def test_double_errors_of_wide_words_are_detected(width):
    rng = np.random.default_rng(1)
    code = encode(words(width)[-1], width)
    for _ in range(2000):
        a, b = rng.choice(width + check_bits(width), 2, replace=False).tolist()
        assert decode(code ^ 1 << a ^ 1 << b, width)[1] is Status.UNCORRECTED


def test_every_pair_of_the_widest_word_has_its_own_kind_of_syndrome():
    """The code is linear: an even number of ones, and not none, is a double error's syndrome."""
    all_columns = [*columns(1024), *(1 << row for row in range(check_bits(1024)))]
    pairs = combinations(all_columns, 2)
    assert all((a ^ b) and (a ^ b).bit_count() % 2 == 0 for a, b in pairs)


def test_three_wrong_bits_are_beyond_the_code():
    """Some are reported, some are mistaken for one: the limit the datasheets state."""
    code = encode(0, 8)
    seen = {decode(code ^ 1 << a ^ 1 << b ^ 1 << c, 8)[1] for a, b, c in combinations(range(13), 3)}
    assert seen == {Status.CORRECTED, Status.UNCORRECTED}
