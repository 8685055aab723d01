# SPDX-License-Identifier: Apache-2.0
"""What is made of a device's frames: a faultless device passes, every planted fault is found."""

import json
from dataclasses import replace

import numpy as np
import pytest
from system_designs import DESIGNS, golden_frames

from networks import random_images
from scaledrop.events import predict_events
from scaledrop.mapping import NetworkMapping
from scaledrop.monitors import MonitorFlag
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.axi.frames import HIDDEN, DeviceRun, observe_run
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload

DESIGN = DESIGNS["dense"]
NETWORK = DESIGN["network"]
MAPPING = NetworkMapping(NETWORK, DESIGN["array"])


def workload(mode):
    images = random_images(2, NETWORK, 3)
    return Workload(NETWORK, images, 9, 5, inference=Inference(mode, 9))


def faultless(work):
    """What a device sends and counts."""
    frames = golden_frames(NETWORK, work.images, work.inference, work.words)
    counters = predict_events(MAPPING, work.images, work.walks, None)
    return DeviceRun(frames, list(counters.values()), 0, work.bits)


def judged(work, run):
    return check("device", work, observe_run(run, work), MAPPING)


def with_leaf(run, image, at, **change):
    """The run with one leaf of an image changed."""
    frame = run.frames[image]
    leaves = list(frame.leaves)
    leaves[at] = replace(leaves[at], **change)
    frames = list(run.frames)
    frames[image] = replace(frame, leaves=tuple(leaves))
    return replace(run, frames=frames)


@pytest.mark.parametrize("mode", Mode)
def test_a_faultless_device_passes(mode):
    work = workload(mode)
    run = faultless(work)
    assert DeviceRun.from_json(json.loads(json.dumps(run.as_json()))) == run
    report = judged(work, run)
    assert report.ok, str(report)
    assert report.skipped == HIDDEN and "hidden_bits" not in report.checked
    record = observe_run(run, work).record
    assert np.array_equal(record.masks, work.masks)
    assert np.array_equal(record.weights, work.weights)


def test_leaves_of_shared_passes_stand_for_as_many_passes_as_they_weigh():
    work = workload(Mode.SHARED)
    run = faultless(work)
    assert any(leaf.weight > 1 for frame in run.frames for leaf in frame.leaves)
    masks = work.masks[0].tolist()
    assert masks != sorted(masks, reverse=True), "choose another seed: passes come in their order"


FAULTS = {
    "logit": lambda leaf: {"logits": (leaf.logits[0] + 1, *leaf.logits[1:])},
    "mask bit": lambda leaf: {"path": leaf.path ^ 2},
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_leaf_is_found(mode, fault):
    work = workload(mode)
    run = faultless(work)
    wrong = with_leaf(run, 1, 2, **FAULTS[fault](run.frames[1].leaves[2]))
    report = judged(work, wrong)
    assert not report.ok
    assert report.first.startswith("image 1, pass") and f": {fault} is " in report.first


@pytest.mark.parametrize("name", ["sums", "squares", "votes"])
def test_a_wrong_result_is_found(name):
    work = workload(Mode.PASSES)
    run = faultless(work)
    result = run.frames[2].result
    values = getattr(result, name)
    frame = replace(run.frames[2], result=replace(result, **{name: (*values[:-1], values[-1] + 1)}))
    report = judged(work, replace(run, frames=[*run.frames[:2], frame]))
    assert {kind: count for kind, count in report.mismatches.items() if count} == {name: 1}


@pytest.mark.parametrize(
    ("name", "value"), [("predicted", 3), ("abstain", True), ("covered", 8), ("covered", 0)]
)
def test_a_wrong_verdict_is_found(name, value):
    work = workload(Mode.PASSES)
    run = faultless(work)
    result = run.frames[0].result
    assert getattr(result, name) != value
    frame = replace(run.frames[0], result=replace(result, **{name: value}))
    report = judged(work, replace(run, frames=[frame, *run.frames[1:]]))
    assert report.mismatches[name] == NETWORK.classes
    assert report.first.startswith("image 0") and name in report.first


def test_a_wrong_count_and_a_monitor_are_found():
    work = workload(Mode.SHARED)
    run = faultless(work)
    assert not judged(work, replace(run, device_writes=work.bits - 1)).ok
    report = judged(work, replace(run, monitors=1 << MonitorFlag.PASS_COUNT))
    assert report.first == "monitors fired: PASS_COUNT"
    counters = [dict(one) for one in run.counters]
    counters[1]["activations"] += 1
    assert "activations" in judged(work, replace(run, counters=counters)).first


def broken(work, run):
    with pytest.raises(CaptureError) as caught:
        observe_run(run, work)
    return str(caught.value)


@pytest.mark.parametrize("mode", Mode)
def test_leaves_that_do_not_add_up_are_refused(mode):
    work = workload(mode)
    run = faultless(work)
    frames = list(run.frames)
    frames[1] = replace(frames[1], leaves=frames[1].leaves[:-1])
    count, wanted = len(frames[1].leaves), work.masks.shape[1]
    if mode is Mode.SHARED:
        count = sum(leaf.weight for leaf in frames[1].leaves)
    what = "leaves" if mode is Mode.EXACT else "passes in its leaves"
    assert broken(work, replace(run, frames=frames)) == (
        f"image 1: {count} {what}, {wanted} expected"
    )


def test_results_that_do_not_come_are_refused():
    work = workload(Mode.PASSES)
    run = faultless(work)
    frames = [*run.frames[:2], replace(run.frames[2], result=None)]
    assert broken(work, replace(run, frames=frames)) == "results: 2 came, 3 expected"
    assert broken(work, replace(run, frames=run.frames[:1])) == "results: 1 came, 3 expected"
