# SPDX-License-Identifier: Apache-2.0
"""Memory contents that do not fit are refused by name, never truncated."""

import pytest

from scaledrop.errors import UserError
from scaledrop_hw.counters import EventCounters
from scaledrop_hw.crossbar import CrossbarTile
from scaledrop_hw.head import Head
from scaledrop_hw.hosted_memory import HostedMemory
from scaledrop_hw.scale_memory import ScaleMemory
from scaledrop_hw.threshold import ThresholdStage

HEAD = {"lanes": 1, "value_width": 6, "logit_width": 8, "gain_bits": 3, "weight_bits": 2}
CASES = [
    (Head, {**HEAD, "init": [(7, 0)]}, "gain[0] must be an integer from -4 to 3, not 7"),
    (Head, {**HEAD, "init": [(1, 128)]}, "offset[0] must be an integer from -128 to 127, not 128"),
    (
        Head,
        {**HEAD, "init": [(1, 1, 1), (1, 4, 1)]},
        "gain_dropped[1] must be an integer from -4 to 3, not 4",
    ),
    (Head, {**HEAD, "init": [(1, 1), (1, 1, 1)]}, "init[1] must hold 2 values, not 3"),
    (
        ThresholdStage,
        {"lanes": 1, "scaled_width": 5, "init": [[(0, 0)], [(16, 0)]]},
        "thresholds[1] must be an integer from -16 to 15, not 16",
    ),
    (
        ThresholdStage,
        {"lanes": 1, "scaled_width": 5, "init": [[(0, 2)]]},
        "flips[0] must be an integer from 0 to 1, not 2",
    ),
    (
        ScaleMemory,
        {"lanes": 2, "scale_bits": 4, "init": [[99, 1]]},
        "init[0] must be an integer from 0 to 15, not 99",
    ),
    (
        ScaleMemory,
        {"lanes": 2, "scale_bits": 4, "init": [[1, 2], [1]]},
        "init[1] must hold 2 values, not 1",
    ),
    (
        CrossbarTile,
        {"rows": 2, "columns": 1, "init": [3, 4]},
        "tile[1] must be an integer from 0 to 3, not 4",
    ),
    (
        HostedMemory,
        {"width": 3, "depth": 4, "init": [7, 8]},
        "init[1] must be an integer from 0 to 7, not 8",
    ),
    (
        HostedMemory,
        {"width": 3, "depth": 1, "init": [1, 2]},
        "number of words in init must be an integer from 0 to 1, not 2",
    ),
    (
        EventCounters,
        {"events": ["a", "a"], "layers": 1, "amount_bits": 1},
        "events must have different names, not ['a', 'a']",
    ),
    (
        EventCounters,
        {"events": [], "layers": 1, "amount_bits": 1},
        "number of events must be an integer from 1 to 256, not 0",
    ),
]


@pytest.mark.parametrize(("component", "parameters", "text"), CASES)
def test_contents_that_do_not_fit_are_refused(component, parameters, text):
    with pytest.raises(UserError) as caught:
        component(**parameters)
    assert str(caught.value) == text
