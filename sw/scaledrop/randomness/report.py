# SPDX-License-Identifier: Apache-2.0
"""All tests of a stream at once, and what they say together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import log2
from typing import Any

from scaledrop.errors import UserError
from scaledrop.randomness import bernoulli, correlation, counts, patterns, rank, spectrum
from scaledrop.randomness.bits import Bits, as_bits, check_share
from scaledrop.randomness.entropy import collision, compression, markov, most_common
from scaledrop.randomness.health_check import HealthCheck, health_check
from scaledrop.randomness.tuples import tuple_estimates
from scaledrop.randomness.verdict import Verdict, allowed_failures, holm
from scaledrop.randomness.whitening import Whitened, whitenings

__all__ = ["LEAST", "Report", "assess"]

LEAST = 1000
"""Fewest bits that are assessed."""

LAGS = 32

TUPLE_BITS = 2_000_000
"""Of a longer stream, only so many first bits are searched for repeated words."""

Test = Callable[[Bits], Verdict | tuple[Verdict, ...]]

FAIR: dict[str, Test] = {
    "frequency": counts.frequency,
    "block frequency": counts.block_frequency,
    "runs": counts.runs,
    "longest run": counts.longest_run,
    "cumulative sums": lambda bits: (
        counts.cumulative_sums(bits),
        counts.cumulative_sums(bits, backward=True),
    ),
    "matrix rank": rank.matrix_rank,
    "spectral": spectrum.spectral,
    "serial": patterns.serial,
    "approximate entropy": patterns.approximate_entropy,
    "universal": patterns.universal,
}
"""SP 800-22, for p of one half."""

CONDITIONAL: dict[str, Test] = {
    "runs": bernoulli.runs_given_ones,
    "independence": bernoulli.independence,
    "autocorrelation": lambda bits: correlation.portmanteau(bits, LAGS),
    "drift": bernoulli.drift,
    "spectrum shape": spectrum.spectrum_shape,
    "spectral peak": spectrum.peak,
}
"""For independent bits of any constant probability."""


def _with(p: float | None) -> dict[str, Test]:
    """Tests that use the programmed probability where there is one."""
    tests: dict[str, Test] = {
        "block share": lambda bits: bernoulli.block_share(bits, p),
        "words": lambda bits: bernoulli.words(bits, p),
        "worst window": lambda bits: bernoulli.worst_window(bits, p, min(1024, len(bits))),
        "equal run": lambda bits: bernoulli.equal_run(bits, p),
    }
    return tests if p is None else {"share of ones": lambda b: bernoulli.share(b, p), **tests}


@dataclass(frozen=True)
class Report:
    """What was found in a stream of bits.

    Attributes:
        bits: How many.
        p: Programmed probability of a 1, or None: estimated, and conditioned on.
        alpha: Level of each test, and of the family after Holm's correction.
        ones: Share of ones with its Wilson interval at ``1 - alpha``.
        transitions: Chances of a 1 after a 0 and after a 1.
        autocorrelation: At lags 1 to 32, with its band; None if all bits are equal.
        verdicts: One for each P-value. Names that begin with ``SP 800-22`` assume one half.
        skipped: Test and why it was not run.
        failures: How many verdicts are below ``alpha``.
        expected_failures: ``alpha`` times their number: what chance brings on average.
        allowed_failures: What chance exceeds with a probability of ``alpha`` at most, if the tests
            were independent.
        rejected: Tests that fail after Holm's correction: chance brings any with a probability of
            ``alpha`` at most, however they depend on each other.
        entropy: Min-entropy estimates of SP 800-90B in bits a bit; None where there is none.
        min_entropy: The least of them.
        ideal_entropy: ``-log2 max(p, 1 - p)``, of independent bits; p as measured if not given.
        health: Alarms of the hardware's monitors.
        whitenings: What XOR, von Neumann and Peres make of the stream.
    """

    bits: int
    p: float | None
    alpha: float
    ones: correlation.Interval
    transitions: correlation.Transitions
    autocorrelation: correlation.Autocorrelation | None
    verdicts: tuple[Verdict, ...]
    skipped: dict[str, str]
    failures: int
    expected_failures: float
    allowed_failures: int
    rejected: tuple[str, ...]
    entropy: dict[str, float | None]
    min_entropy: float
    ideal_entropy: float
    health: HealthCheck
    whitenings: tuple[Whitened, ...]

    @property
    def passed(self) -> bool:
        """No test is rejected after correction, and no more fail than chance allows."""
        return not self.rejected and self.failures <= self.allowed_failures

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every attribute, and ``passed`` of each verdict and of the whole."""
        found = asdict(self) | {"passed": self.passed}
        for one, verdict in zip(found["verdicts"], self.verdicts, strict=True):
            one["passed"] = verdict.passed(self.alpha)
        without_nan: dict[str, Any] = _finite(found)
        return without_nan


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _run(
    tests: Iterable[tuple[str, Test]], bits: Bits, prefix: str = ""
) -> tuple[list[Verdict], dict[str, str]]:
    verdicts: list[Verdict] = []
    skipped = {}
    for name, test in tests:
        try:
            found = test(bits)
        except UserError as error:
            skipped[prefix + name] = str(error)
            continue
        for one in found if isinstance(found, tuple) else (found,):
            verdicts.append(Verdict(prefix + one.test, one.statistic, one.p_value, one.note))
    return verdicts, skipped


def _entropies(bits: Bits) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "most common value": most_common(bits),
        "collision": collision(bits),
        "Markov": markov(bits),
        "compression": compression(bits) if len(bits) >= 6012 else None,
    }
    tuples = tuple_estimates(bits[:TUPLE_BITS])
    return found | {"t-tuple": tuples.t_tuple, "longest repeat": tuples.longest_repeat}


def assess(values: Any, p: float | None = None, alpha: float = 0.01) -> Report:
    """Judge a stream of bits.

    Args:
        values: (n,) bits in the order in which they were drawn; never changed.
        p: Probability of a 1 that was programmed. None: it is estimated, and the tests are
            conditional on it, so that a wrong probability goes unnoticed. With 0.5 the tests of
            SP 800-22 are run as well.
        alpha: Level of each test.

    Returns:
        The report. Tests that need more bits are listed as skipped, with how many they need.

    Raises:
        UserError: not bits, fewer than 1000, or ``p`` or ``alpha`` not between 0 and 1.
    """
    bits = as_bits(values, LEAST, "an assessment")
    alpha = check_share(alpha, "alpha")
    p = None if p is None else check_share(p, "p")
    verdicts, skipped = _run((_with(p) | CONDITIONAL).items(), bits)
    if p == 0.5:
        fair, too_short = _run(FAIR.items(), bits, "SP 800-22 ")
        verdicts, skipped = verdicts + fair, skipped | too_short
    else:
        skipped["SP 800-22"] = "assumes that p is 0.5; whiten the bits and assess those"
    share = correlation.ones(bits, 1 - alpha)
    typical = p if p is not None else min(max(share.value, 2.0**-17), 1 - 2.0**-16)
    health = health_check(bits, min(typical, 1 - 2.0**-16))
    verdicts.append(health.verdict())
    corrected = holm([one.p_value for one in verdicts])
    entropy = _entropies(bits)
    return Report(
        bits=len(bits),
        p=p,
        alpha=alpha,
        ones=share,
        transitions=correlation.transitions(bits, 1 - alpha),
        autocorrelation=(
            correlation.autocorrelation(bits, LAGS, alpha) if bits.min() != bits.max() else None
        ),
        verdicts=tuple(verdicts),
        skipped=skipped,
        failures=sum(not one.passed(alpha) for one in verdicts),
        expected_failures=alpha * len(verdicts),
        allowed_failures=allowed_failures(len(verdicts), alpha),
        rejected=tuple(
            one.test for one, value in zip(verdicts, corrected, strict=True) if value < alpha
        ),
        entropy=entropy,
        min_entropy=min(one for one in entropy.values() if one is not None),
        ideal_entropy=-log2(max(typical, 1 - typical)),
        health=health,
        whitenings=whitenings(bits),
    )
