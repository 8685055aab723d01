# SPDX-License-Identifier: Apache-2.0
"""Binary digits of e, pi and square roots, the integer part included: the data of SP 800-22."""

from math import isqrt

import numpy as np

MILLION = 10**6
LINE, LINES_END = 25, 24
"""Digits a line of NIST's file of pi, and of its first line."""


def _bits(number, count):
    """The first ``count`` binary digits of a whole number."""
    cut = number >> max(number.bit_length() - count, 0)
    return np.frombuffer(format(cut, "b").encode(), dtype=np.uint8) - ord("0")


def root(number, count=MILLION):
    return _bits(isqrt(number << 2 * count), count)


def _sum_e(low, high):
    """P / Q = 1 / (low + 1) + 1 / (low + 1)(low + 2) + ..."""
    if high - low == 1:
        return 1, high
    middle = (low + high) // 2
    (p, q), (r, s) = _sum_e(low, middle), _sum_e(middle, high)
    return p * s + r, q * s


def e(count=MILLION):
    p, q = _sum_e(0, count // 11)
    return _bits(((p + q) << count + 32) // q, count)


def _sum_pi(low, high):
    """Chudnovsky's series by binary splitting."""
    if high - low == 1:
        p = -(6 * low - 5) * (2 * low - 1) * (6 * low - 1) if low else 1
        q = 10939058860032000 * low**3 if low else 1
        return p, q, p * (13591409 + 545140134 * low)
    middle = (low + high) // 2
    (p, q, t), (r, s, u) = _sum_pi(low, middle), _sum_pi(middle, high)
    return p * r, q * s, t * s + p * u


def pi(count):
    _, q, t = _sum_pi(0, count // 47 + 2)
    places = count + 64
    return _bits(q * 426880 * isqrt(10005 << 2 * places) // t, count)


def nist_file_of_pi(digits):
    """``data.pi`` as NIST's tool for SP 800-90B reads it: each line begins with four ones.

    They stand for the blanks of the file; one of the first four is at the end.
    """
    lines = np.split(digits, range(LINES_END, len(digits), LINE))
    marked = [part for line in lines for part in (np.ones(4, np.uint8), line)]
    return np.roll(np.concatenate(marked), -1)
