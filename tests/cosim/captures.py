# SPDX-License-Identifier: Apache-2.0
"""What a faultless accelerator shows of a workload, from the golden model alone."""

import numpy as np

from networks import random_graph_network, random_images
from scaledrop.engine import infer
from scaledrop.events import predict_events
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.numbers import drop_code
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.capture import Capture
from scaledrop_cosim.contract import Workload

__all__ = ["CONVOLUTIONAL", "DENSE", "TIMING", "faultless", "made", "table"]

IMAGES, PASSES = 2, 3
TIMING = PipelineTiming(spin=5)
DENSE = ((9,), (Layer("a", 6), Layer("b", 5, planes=2), Layer("head", 3, output=Kind.LOGITS)))
CONVOLUTIONAL = (
    (2, 4, 3),
    (
        *(Layer("a", 3, Window(2, padding=1), planes=2), MaxPool("pool", 2)),
        *(Layer("b", 5), Layer("head", 3, output=Kind.LOGITS)),
    ),
)


def made(topology, mode=Mode.PASSES, passes=PASSES, masks=0, array=(4, 4, 2)):
    """A random network as (workload, mapping)."""
    shape, nodes = topology
    codes = [drop_code(p) for p in (0.4, 0.5, 0.3)]
    network = random_graph_network(6, shape, nodes, input_bits=2, codes=codes)
    images, inference = random_images(3, network, IMAGES), Inference(mode, passes, masks)
    workload = Workload(network, images, passes, seed=8, inference=inference)
    return workload, NetworkMapping(network, ArrayShape(*array))


def table(rows, *names):
    """Columns of rows by name."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: np.array(column) for name, column in zip(names, columns, strict=True)}


def outcomes(visit):
    """(bit, weight) of every outcome, the kept one first."""
    return [(bit, weight) for bit, weight in ((1, visit.kept), (0, visit.dropped)) if weight]


def results_of(workload, image, visit, bit):
    """Codes of a visit's layer, or logits, under one outcome; later bits do not matter."""
    layers = len(workload.network.layers)
    path = visit.path | bit << visit.layer
    masks = np.array([[[path >> at & 1 for at in range(layers)]]])
    record = infer(workload.network, workload.images[image : image + 1], masks)
    of_layers = [*record.hidden, record.logits]
    return of_layers[visit.layer][0, 0]


def beats_of(mapped, codes):
    """(beats, lanes); lanes that are not in use hold 1, so that taking them would show."""
    lanes = mapped.array.lanes
    padded = np.ones((mapped.position_count, mapped.groups * lanes), dtype=np.int64)
    padded[:, : len(codes)] = codes.reshape(len(codes), -1).T
    return padded.reshape(-1, lanes)


def hidden_rows(workload, mapping, image, visit):
    """Beats of a visit of a hidden layer, the outcomes of each side by side."""
    mapped = mapping.layers[visit.layer]
    sides = [
        (bit, beats_of(mapped, results_of(workload, image, visit, bit)))
        for bit, _ in outcomes(visit)
    ]
    return [
        (visit.layer, bit, beat, codes[beat].tolist())
        for beat in range(mapped.beat_count)
        for bit, codes in sides
    ]


def logit_rows(workload, mapping, image, visit):
    """Logits of a visit of the last layer, in the order of the beats."""
    lanes, classes, rows = mapping.array.lanes, workload.network.classes, []
    sides = [(*side, results_of(workload, image, visit, side[0])) for side in outcomes(visit)]
    for label in range(0, classes, lanes):
        for at, (bit, weight, logits) in enumerate(sides):
            for one in range(label, min(label + lanes, classes)):
                ends, first = one == classes - 1, visit.first and at == 0
                last = ends and visit.last and at == len(sides) - 1
                rows.append((one, logits[one], bit, weight, int(first), int(ends), int(last)))
    return rows


def result_rows(record):
    covered, last = int(record.weights.sum()), record.sums.shape[1] - 1
    return [
        (
            *(label, record.sums[image, label], record.squares[image, label]),
            *(record.votes[image, label], record.predicted[image], 0, covered),
            int(label == last),
        )
        for image, label in np.ndindex(record.sums.shape)
    ]


def faultless(workload, mapping):
    """The capture."""
    visits, drawn, hidden, logits = [], [], [], []
    for image, walk in enumerate(workload.walks):
        for visit in walk:
            path = visit.layer, visit.path, visit.kept, visit.dropped
            visits.append((*path, int(visit.first), int(visit.last)))
            drawn += [(visit.layer, bit) for bit in visit.bits]
            if visit.layer < len(mapping.layers) - 1:
                hidden += hidden_rows(workload, mapping, image, visit)
            else:
                logits += logit_rows(workload, mapping, image, visit)
    record = IntegerBackend().infer(workload).record
    cycles = predict_cycles(mapping, workload.walks, TIMING)
    names = ("label", "sum", "squares", "votes", "predicted", "abstain", "covered", "last")
    flags = ("first", "ends_leaf", "ends_image")
    return Capture(
        visits=table(visits, "layer", "path", "kept", "dropped", "first", "last"),
        drawn=table(drawn, "layer", "keep"),
        hidden=table(hidden, "layer", "keep", "beat", "codes"),
        logits=table(logits, "label", "value", "keep", "weight", *flags),
        results=table(result_rows(record), *names),
        counters=predict_events(mapping, workload.images, workload.walks, cycles),
        device_writes=workload.bits,
    )
