# SPDX-License-Identifier: Apache-2.0
"""The monitor puts what was captured where it belongs, and refuses what is out of place."""

from dataclasses import replace

import numpy as np
import pytest
from captures import CONVOLUTIONAL, DENSE, faultless, made

from scaledrop.walk import Mode
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.monitor import observe

MODES = {
    "passes": {},
    "one pass": {"passes": 1},
    "shared": {"mode": Mode.SHARED, "passes": 5},
    "exact": {"mode": Mode.EXACT},
    "most probable": {"mode": Mode.EXACT, "masks": 3},
}
ARRAYS = [(4, 4, 4), (4, 6, 2), (8, 3, 1)]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("topology", [DENSE, CONVOLUTIONAL, ((4,), DENSE[1][-1:])])
@pytest.mark.parametrize("mode", MODES)
def test_a_faultless_capture_is_the_golden_record(mode, topology, array):
    workload, mapping = made(topology, array=array, **MODES[mode])
    capture = faultless(workload, mapping)
    found, expected = observe(capture, workload, mapping), IntegerBackend().infer(workload).record
    for name in ("masks", "logits", "sums", "squares", "votes", "weights"):
        assert np.array_equal(getattr(found.record, name), getattr(expected, name)), name
    for one, other in zip(found.record.hidden, expected.hidden, strict=True):
        assert np.array_equal(one, other)
    assert found.walks == workload.walks
    assert found.counters == capture.counters
    assert (found.device_writes, found.monitors) == (workload.bits, 0)
    assert set(found.verdict) == {"predicted", "abstain", "covered"}
    assert np.array_equal(found.verdict["predicted"][:, 0], expected.predicted)


@pytest.fixture(scope="module")
def shared():
    """A workload whose visits have one outcome or both, its mapping and its capture."""
    workload, mapping = made(CONVOLUTIONAL, Mode.SHARED)
    return workload, mapping, faultless(workload, mapping)


def spoilt(shared, kind, change):
    """The text with which a capture is refused after ``change`` of one of its tables."""
    workload, mapping, capture = shared
    fields = {name: values.copy() for name, values in getattr(capture, kind).items()}
    fields = change(fields) or fields
    with pytest.raises(CaptureError) as caught:
        observe(replace(capture, **{kind: fields}), workload, mapping)
    assert "\n" not in str(caught.value)
    return str(caught.value)


MISSING = {
    "drawn": "bits: {} drawn, {} expected",
    "visits": "layer of visits: {} captured, {} expected",
    "logits": "label of logits: {} captured, {} expected",
    "results": "results: {} captured, {} expected",
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_and_extra_rows_are_refused(shared, kind):
    count = len(next(iter(getattr(shared[2], kind).values())))
    for rows in ([*range(count - 1)], [*range(1, count)], [*range(count), 0], []):
        text = spoilt(shared, kind, lambda fields, rows=rows: _rows(fields, rows))
        assert text == MISSING[kind].format(len(rows), count)


def _rows(fields, rows):
    return {name: values[np.array(rows, dtype=int)] for name, values in fields.items()}


def test_missing_and_extra_beats_are_refused(shared):
    count = len(shared[2].hidden["beat"])
    text = spoilt(shared, "hidden", lambda fields: _rows(fields, range(count - 1)))
    assert text.startswith("hidden layers: ") and " captured, " in text
    text = spoilt(shared, "hidden", lambda fields: _rows(fields, [*range(count), 0]))
    assert text == f"hidden: {count + 1} captured, {count} expected"


@pytest.mark.parametrize(
    ("kind", "field", "what"),
    [
        ("visits", "layer", "layer of visits"),
        ("visits", "path", "path of visits"),
        ("visits", "kept", "kept of visits"),
        ("visits", "dropped", "dropped of visits"),
        ("visits", "first", "first of visits"),
        ("visits", "last", "last of visits"),
        ("drawn", "layer", "bits"),
        ("hidden", "layer", "hidden layers"),
        ("hidden", "beat", "hidden beats"),
        ("hidden", "keep", "hidden outcomes"),
        ("logits", "label", "label of logits"),
        ("logits", "keep", "keep of logits"),
        ("logits", "weight", "weight of logits"),
        ("logits", "first", "first of logits"),
        ("logits", "ends_leaf", "ends_leaf of logits"),
        ("logits", "ends_image", "ends_image of logits"),
        ("results", "label", "results"),
        ("results", "last", "last flags of results"),
    ],
)
def test_every_field_out_of_place_is_refused(shared, kind, field, what):
    values = getattr(shared[2], kind)[field]
    for at in range(len(values)):

        def change(fields, at=at):
            fields[field][at] ^= 1

        text = spoilt(shared, kind, change)
        place = "" if kind == "hidden" else f"{at} "
        assert text.startswith(f"{what}: record {place}")
        assert text.endswith(f"is of {values[at] ^ 1}, expected {values[at]}")


def test_every_turned_bit_contradicts_the_visits(shared):
    for at in range(len(shared[2].drawn["keep"])):

        def turn(fields, at=at):
            fields["keep"][at] ^= 1

        assert "of visits: " in spoilt(shared, "drawn", turn)


def test_two_bits_of_one_visit_may_change_places():
    """Which pass goes which way follows from the order of the bits."""
    workload, mapping = made(DENSE, Mode.SHARED, passes=4)
    capture = faultless(workload, mapping)
    keep = capture.drawn["keep"].copy()
    at = next(one for one in range(3) if keep[one] != keep[one + 1])
    keep[[at, at + 1]] = keep[[at + 1, at]]
    turned = replace(capture, drawn={**capture.drawn, "keep": keep})
    masks = observe(turned, workload, mapping).record.masks
    assert masks[0, at, 0] != workload.masks[0, at, 0]


@pytest.mark.parametrize(
    ("kind", "field", "of"),
    [("logits", "value", "logits"), ("results", "sum", "sums"), ("results", "votes", "votes")],
)
def test_a_wrong_value_is_not_refused_but_kept(shared, kind, field, of):
    workload, mapping, capture = shared
    fields = {name: values.copy() for name, values in getattr(capture, kind).items()}
    fields[field][-1] += 1
    found = observe(replace(capture, **{kind: fields}), workload, mapping).record
    wrong = getattr(found, of) != getattr(IntegerBackend().infer(workload).record, of)
    assert wrong[-1].any() and not wrong[:-1].any()
