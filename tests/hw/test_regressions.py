# SPDX-License-Identifier: Apache-2.0
"""Every case that ever failed, or shows something rare, runs clean."""

from pathlib import Path

import pytest

from scaledrop_flow.fuzz.case import read_case
from scaledrop_flow.fuzz.run import run_case

STORED = sorted((Path(__file__).parent.parent / "regressions").glob("*.json"))


def test_there_are_stored_cases():
    assert STORED


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_case_runs_clean(path):
    outcome = run_case(read_case(path))
    assert outcome.ok, str(outcome)
