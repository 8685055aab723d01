# SPDX-License-Identifier: Apache-2.0
"""Shared by the whole suite: import paths, caches, and what a skip means."""

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS / "hw")]
CACHE = TESTS.parent / "build" / "test-cache"
os.environ["SCALEDROP_CACHE"] = str(CACHE)

ALLOWED_SKIPS = ("GPU:", "data:")
"""A skip in CI fails the run unless its reason starts with one of these."""


@pytest.fixture(scope="session")
def cache():
    """Folder for checkpoints and built simulations; kept between runs under build/."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say how many were checked and skipped."""
    counts = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed")}
    skipped = len(terminalreporter.stats.get("skipped", []))
    terminalreporter.write_line(f"checked {counts['passed'] + counts['failed']}, skipped {skipped}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """In CI, a test that did not run is a failure."""
    of_worker = hasattr(session.config, "workerinput")
    if os.environ.get("CI") != "true" or session.exitstatus != 0 or of_worker:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reasons = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", [])]
    bad = [r for r in reasons if not r.removeprefix("Skipped: ").startswith(ALLOWED_SKIPS)]
    if bad:
        reporter.write_line(f"skipped in CI: {bad[0]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
