# SPDX-License-Identifier: Apache-2.0
"""The checker counts what it compares and finds every kind of planted fault."""

import copy
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from captures import CONVOLUTIONAL, DENSE, TIMING, faultless, made
from test_diff import plant

from scaledrop.engine import infer
from scaledrop.events import Event, predict_events
from scaledrop.monitors import MonitorFlag
from scaledrop.record import PassRecord
from scaledrop.schedule import predict_cycles
from scaledrop.walk import MASS, Inference, Mode, walk
from scaledrop_cosim.checker import CheckReport, check, failed
from scaledrop_cosim.contract import Observation
from scaledrop_cosim.monitor import observe

WORKLOAD, MAPPING = made(DENSE, passes=5)
NETWORK = WORKLOAD.network
RECORD_COUNTS = {
    "masks": 2 * 5 * 3,
    "hidden_bits": 2 * 5 * (6 + 5),
    "logits": 2 * 5 * 3,
    "sums": 2 * 3,
    "squares": 2 * 3,
    "votes": 2 * 3,
}
VERDICT_COUNTS = {"predicted": 2 * 3, "covered": 2 * 3, "abstain": 2 * 3}
ALL_COUNTS = {
    **RECORD_COUNTS,
    **{"device_writes": 1, "monitors": 1},
    **VERDICT_COUNTS,
    "counters": 3 * 17,
}
DISTURBED_COUNTS = {**ALL_COUNTS, "counters": 3 * 15}
LAYERS = ["a", "b", "head"]
CYCLE_EVENTS = ["cycles", "waiting"]
OTHER_EVENTS = [str(event) for event in Event if event not in CYCLE_EVENTS]
GOOD = observe(faultless(WORKLOAD, MAPPING), WORKLOAD, MAPPING)


def checked(observation):
    return check("back end", WORKLOAD, observation, MAPPING, TIMING)


def checked_disturbed(observation):
    """The check of a run with gaps or back-pressure: nobody predicts its cycles."""
    return check("back end", WORKLOAD, observation, MAPPING, None)


def with_counter(layer, event, error):
    """The faultless observation with one counter off by ``error``."""
    counters = copy.deepcopy(GOOD.counters)
    counters[layer][event] += error
    return replace(GOOD, counters=counters)


def differing(report):
    """Kinds that differ, and how often."""
    return {kind: count for kind, count in report.mismatches.items() if count}


def test_a_faultless_back_end_passes_and_every_value_is_counted():
    report = checked(GOOD)
    assert report.ok and report.first is None and differing(report) == {}
    assert report.checked == ALL_COUNTS and set(report.mismatches) == set(ALL_COUNTS)
    assert str(report) == f"back end: {sum(ALL_COUNTS.values())} values equal"
    assert report.predicted == GOOD.counters


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("topology", [DENSE, CONVOLUTIONAL])
def test_a_faultless_run_of_every_mode_passes(mode, topology):
    workload, mapping = made(topology, mode, masks=2)
    observation = observe(faultless(workload, mapping), workload, mapping)
    report = check("RTL", workload, observation, mapping, TIMING)
    assert report.ok, str(report)
    codes = sum(layer.size for layer in observation.record.hidden)
    assert report.checked["hidden_bits"] == codes > 0
    assert report.checked["counters"] == 51
    folded = check("RTL", workload, observation, mapping, TIMING, folded=True)
    assert folded.first.startswith("counter scale_reads of layer a is ")
    assert folded.first.endswith(", expected 0")


def test_what_is_not_there_is_not_counted():
    report = check("back end", WORKLOAD, Observation(GOOD.record))
    assert report.ok and report.checked == RECORD_COUNTS and report.predicted is None
    counted = {**ALL_COUNTS}
    del counted["counters"]
    report = check("back end", WORKLOAD, GOOD, None, TIMING)
    assert report.ok and report.checked == counted and report.predicted is None
    report = checked(replace(GOOD, counters=None))
    assert report.ok and report.checked == counted
    report = checked(replace(GOOD, counters=None, monitors=None, verdict={}))
    assert report.ok and report.checked == {**RECORD_COUNTS, "device_writes": 1}


def test_a_disturbed_run_counts_all_but_the_cycles():
    report = checked_disturbed(GOOD)
    assert report.ok and report.first is None and differing(report) == {}
    assert report.checked == DISTURBED_COUNTS and set(report.mismatches) == set(ALL_COUNTS)
    assert str(report) == f"back end: {sum(DISTURBED_COUNTS.values())} values equal"
    assert len(OTHER_EVENTS) == 15
    assert report.predicted == {
        layer: {event: GOOD.counters[layer][event] for event in OTHER_EVENTS} for layer in LAYERS
    }


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("event", CYCLE_EVENTS)
def test_the_cycles_of_a_disturbed_run_may_be_any(layer, event):
    report = checked_disturbed(with_counter(layer, event, 1000))
    assert report.ok and report.checked == DISTURBED_COUNTS


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("event", OTHER_EVENTS)
@pytest.mark.parametrize("error", [-1, 1])
def test_every_other_counter_of_a_disturbed_run_that_is_off_by_one_is_found(layer, event, error):
    report = checked_disturbed(with_counter(layer, event, error))
    expected = GOOD.counters[layer][event]
    assert not report.ok and differing(report) == {"counters": 1}
    assert report.checked == DISTURBED_COUNTS
    assert report.first == (
        f"counter {event} of layer {layer} is {expected + error}, expected {expected}"
    )


@pytest.mark.parametrize(
    ("field", "at", "layer", "kind"),
    [
        ("hidden", (1, 2, 3), 0, "hidden_bits"),
        ("hidden", (1, 4, 0), 0, "hidden_bits"),
        ("logits", (0, 4, 2), None, "logits"),
        ("sums", (0, 1), None, "sums"),
        ("votes", (1, 0), None, "votes"),
        ("squares", (1, 2), None, "squares"),
    ],
)
def test_one_wrong_value_is_one_mismatch(field, at, layer, kind):
    report = checked(replace(GOOD, record=plant(GOOD.record, field, at, layer), verdict={}))
    assert not report.ok and differing(report) == {kind: 1}
    assert report.first.startswith(f"image {at[0]}, ")
    assert str(report) == f"back end: 1 values differ; first: {report.first}"


def test_every_wrong_mask_bit_is_found():
    for at in np.ndindex(GOOD.record.masks.shape):
        report = checked(replace(GOOD, record=plant(GOOD.record, "masks", at)))
        image, index, layer = at
        assert not report.ok and report.mismatches["masks"] == 1
        assert report.first.startswith(
            f"image {image}, pass {index}, layer {layer} ({LAYERS[layer]}): mask bit is "
        )


def reused(at):
    """Masks of a device whose word ``at`` serves two layers; every later bit comes one late."""
    bits = WORKLOAD.masks.ravel()
    return np.insert(bits, at, bits[at])[: bits.size].reshape(WORKLOAD.masks.shape)


def consistent(masks):
    """What a back end that used these masks would report, faultless but for that."""
    passes = infer(NETWORK, WORKLOAD.images, masks)
    record = PassRecord.of_passes(masks, passes.hidden, passes.logits)
    inference = Inference(Mode.PASSES, 5)
    walks = [list(walk(inference, WORKLOAD.codes, image.ravel())) for image in masks]
    cycles = predict_cycles(MAPPING, walks, TIMING)
    counters = predict_events(MAPPING, WORKLOAD.images, walks, cycles)
    return Observation(record, counters, WORKLOAD.bits, walks)


@pytest.mark.parametrize("at", [0, 7, 20])
def test_a_bit_used_twice_is_found_although_all_else_follows_from_it(at):
    masks = reused(at)
    wrong = int((masks != WORKLOAD.masks).sum())
    assert wrong > 0 and checked(consistent(WORKLOAD.masks)).ok
    report = checked(consistent(masks))
    assert not report.ok and differing(report) == {"masks": wrong}
    assert "mask bit" in report.first


@pytest.mark.parametrize("name", VERDICT_COUNTS)
def test_every_wrong_verdict_is_found(name):
    for at in np.ndindex(2, 3):
        values = GOOD.verdict[name].copy()
        values[at] += 1
        report = checked(replace(GOOD, verdict={**GOOD.verdict, name: values}))
        assert not report.ok and differing(report) == {name: 1}
        before = int(GOOD.verdict[name][at])
        where = f"image {at[0]}, class {at[1]}"
        assert report.first == f"{where}: {name} is {before + 1}, expected {before}"


def test_what_is_covered_is_that_of_the_leaves():
    workload, mapping = made(DENSE, Mode.EXACT, masks=3)
    observation = observe(faultless(workload, mapping), workload, mapping)
    whole = np.full((2, 3), MASS)
    wrong = replace(observation, verdict={**observation.verdict, "covered": whole})
    report = check("RTL", workload, wrong, mapping, TIMING)
    assert differing(report) == {"covered": 6}
    covered = sum(workload.weights.tolist())
    assert (
        report.first == f"image 0, class 0: covered is {MASS}, expected {covered}"
        and covered < MASS
    )


@pytest.mark.parametrize("flag", MonitorFlag)
def test_a_monitor_that_fired_is_found(flag):
    report = checked(replace(GOOD, monitors=1 << flag))
    assert not report.ok and differing(report) == {"monitors": 1}
    assert report.first == f"monitors fired: {flag.name}"


def test_all_monitors_that_fired_are_named():
    report = checked(replace(GOOD, monitors=0b101))
    assert report.first == "monitors fired: MASK_STALE, MASK_COUNT"


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("event", list(map(str, Event)))
@pytest.mark.parametrize("error", [-1, 1])
def test_every_counter_that_is_off_by_one_is_found(layer, event, error):
    report = checked(with_counter(layer, event, error))
    expected = GOOD.counters[layer][event]
    assert not report.ok and differing(report) == {"counters": 1}
    assert report.first == (
        f"counter {event} of layer {layer} is {expected + error}, expected {expected}"
    )


@pytest.mark.parametrize("error", [-1, 1])
def test_one_device_write_too_many_or_too_few_is_found(error):
    report = checked(replace(GOOD, device_writes=WORKLOAD.bits + error))
    assert not report.ok and differing(report) == {"device_writes": 1}
    assert report.first == f"the spin unit was written {30 + error} times, expected 30"


def test_the_first_difference_is_the_record_before_the_counters():
    counters = with_counter("a", "cycles", 1).counters
    record, walks = plant(GOOD.record, "votes", (1, 2)), GOOD.walks
    report = checked(Observation(record, counters, WORKLOAD.bits + 1, walks, monitors=8))
    assert differing(report) == {"votes": 1, "device_writes": 1, "monitors": 1, "counters": 1}
    assert report.first.startswith("image 1, class 2: votes is ")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("logits", GOOD.record.logits[:, :4], "logits: shape (2, 4, 3), expected (2, 5, 3)"),
        ("masks", GOOD.record.masks[:, :4], "masks: shape (2, 4, 3), expected (2, 5, 3)"),
        ("masks", GOOD.record.masks[:1], "masks: shape (1, 5, 3), expected (2, 5, 3)"),
        ("sums", GOOD.record.sums[:1], "sums: shape (1, 3), expected (2, 3)"),
        ("votes", GOOD.record.votes[0], "votes: shape (3,), expected (2, 3)"),
        ("squares", GOOD.record.squares[0], "squares: shape (3,), expected (2, 3)"),
        ("hidden", GOOD.record.hidden[:1], "zip() argument 2 is shorter than argument 1"),
        (
            "hidden",
            (GOOD.record.hidden[0], GOOD.record.hidden[1][:, :, :3]),
            "hidden_bits: shape (2, 5, 3), expected (2, 5, 5)",
        ),
    ],
)
def test_another_shape_is_never_compared(field, value, text):
    record = replace(GOOD.record, **{field: value})
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        checked(replace(GOOD, record=record))


def test_a_consistent_record_of_fewer_passes_is_never_compared():
    shorter = infer(NETWORK, WORKLOAD.images, WORKLOAD.masks[:, :4])
    with pytest.raises(ValueError, match=r"^masks: shape"):
        checked(Observation(shorter))


def test_a_report_that_checked_nothing_is_not_ok():
    assert not CheckReport("back end").ok
    assert str(CheckReport("back end")) == "back end: nothing was compared"
    empty = CheckReport("back end")
    empty.add("logits", np.zeros((0, 3)), np.zeros((0, 3)))
    assert not empty.ok and empty.checked == {"logits": 0}
    assert str(empty) == "back end: nothing was compared"


def test_a_failed_run_is_not_ok():
    report = failed("RTL", "the accelerator hung")
    assert not report.ok and report.total_checked == 0
    assert str(report) == "RTL: 1 values differ; first: the accelerator hung"


def test_a_report_survives_json():
    report = checked(replace(GOOD, device_writes=0))
    assert CheckReport(**json.loads(json.dumps(report.as_json()))) == report
