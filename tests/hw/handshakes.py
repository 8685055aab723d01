# SPDX-License-Identifier: Apache-2.0
"""Rules of every valid/ready channel, checked over the cycles of a run."""

from itertools import pairwise


def check_held(rows):
    """``rows`` of (valid, ready, payload): an offer stays as it is until it is taken."""
    for (valid, ready, payload), after in pairwise(rows):
        if valid and not ready:
            assert after[0], "valid fell before ready"
            assert after[2] == payload, "payload changed before ready"


def transfers(rows):
    """Payloads that were taken."""
    return [payload for valid, ready, payload in rows if valid and ready]
