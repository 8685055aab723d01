# SPDX-License-Identifier: Apache-2.0
"""Widths of the default network on the default array, for tests that price its events."""

from scaledrop.energy import Sizes

SIZES = Sizes(
    rows=64,
    columns=16,
    lanes=16,
    scale_bits=8,
    sum_width=15,
    scaled_width=23,
    logit_width=40,
    gain_bits=16,
)
