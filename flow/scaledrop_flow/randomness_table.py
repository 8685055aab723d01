# SPDX-License-Identifier: Apache-2.0
"""The report on a bit stream, for a person at a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from scaledrop.randomness import Report

__all__ = ["show_randomness"]


def _percent(value: float) -> str:
    return f"{100 * value:.4g} %"


def _verdicts(report: Report) -> Table:
    table = Table("test", "statistic", "P", "", "note")
    for one in report.verdicts:
        mark = "" if one.passed(report.alpha) else "FAILS"
        mark = "REJECTED" if one.test in report.rejected else mark
        table.add_row(one.test, f"{one.statistic:.6g}", f"{one.p_value:.4g}", mark, one.note)
    return table


def _whitenings(report: Report) -> Table:
    table = Table("whitening", "bits", "rate", "ones (interval)", "lag 1", "min-entropy")
    for one in report.whitenings:
        share, lag, entropy = one.ones, one.lag_1, one.min_entropy
        table.add_row(
            one.method,
            f"{one.given}",
            f"{one.rate:.4f}",
            f"{share.value:.5f} ({share.low:.5f} to {share.high:.5f})" if share else "none",
            f"{lag:+.5f}" if lag is not None else "none",
            f"{entropy:.4f}" if entropy is not None else "none",
        )
    return table


def show_randomness(report: Report) -> None:
    """Tables of tests, entropy and whitening, then the verdict on the whole."""
    console = Console(highlight=False, soft_wrap=True)
    p = "estimated" if report.p is None else f"{report.p:g} programmed"
    ones, moves = report.ones, report.transitions
    sure = _percent(1 - report.alpha)
    console.print(f"bits        {report.bits:,}, p {p}")
    console.print(f"ones        {ones.value:.6f}, {ones.low:.6f} to {ones.high:.6f} at {sure}")
    console.print(
        f"next is 1   {moves.after_zero.value:.6f} after 0, {moves.after_one.value:.6f} after 1"
    )
    if report.autocorrelation is not None:
        found = report.autocorrelation
        console.print(
            f"correlation {found.outside} of {len(found.values)} lags outside +-{found.band:.2g},"
            f" chance allows {found.allowed}"
        )
    console.print(_verdicts(report))
    for test, reason in report.skipped.items():
        console.print(f"skipped     {test}: {reason}")
    table = Table("min-entropy by SP 800-90B", "bits a bit")
    for name, value in report.entropy.items():
        table.add_row(name, "too few bits" if value is None else f"{value:.4f}")
    table.add_row("independent bits of this p", f"{report.ideal_entropy:.4f}")
    console.print(table)
    console.print(_whitenings(report))
    console.print(
        f"failures    {report.failures} of {len(report.verdicts)} at {report.alpha:g};"
        f" chance brings {report.expected_failures:.2g} and allows {report.allowed_failures}"
    )
    if report.passed:
        console.print("result      no sign against independent bits of this probability")
    else:
        why = ", ".join(report.rejected) or "more failures than chance allows"
        console.print(f"result      REJECTED: {why}")
