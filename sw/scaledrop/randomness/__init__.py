# SPDX-License-Identifier: Apache-2.0
"""How random a stream of bits is: tests, entropy estimates and whitening, for any probability.

Bits in the order in which they were drawn, as a flat array of 0 and 1, go in; nothing here changes
them. :func:`assess` runs everything; the modules have the parts.
"""

from scaledrop.randomness.correlation import autocorrelation, ones, transitions, wilson
from scaledrop.randomness.health_check import HealthCheck, health_check
from scaledrop.randomness.reading import FORMATS, read_bits
from scaledrop.randomness.report import Report, assess
from scaledrop.randomness.verdict import (
    SecondLevel,
    Verdict,
    allowed_failures,
    holm,
    second_level,
)
from scaledrop.randomness.whitening import (
    Whitened,
    measure,
    peres,
    von_neumann,
    whitenings,
    xor_streams,
    xor_successive,
)

__all__ = [
    "FORMATS",
    "HealthCheck",
    "Report",
    "SecondLevel",
    "Verdict",
    "Whitened",
    "allowed_failures",
    "assess",
    "autocorrelation",
    "health_check",
    "holm",
    "measure",
    "ones",
    "peres",
    "read_bits",
    "second_level",
    "transitions",
    "von_neumann",
    "whitenings",
    "wilson",
    "xor_streams",
    "xor_successive",
]
