# SPDX-License-Identifier: Apache-2.0
"""Runs small accelerators against the golden model; exit status 3 when one differs.

The networks are chosen so that every fault can show: ties at thresholds and between classes,
unused rows and columns, several row and column tiles, more columns than lanes, positions that do
not fill a word, maps with several channels, padding, and a pool that leaves a rest.

As a server it reads a folder and a victim from every line of its input, runs the victim on the RTL
there in a process of its own, and answers with that one's exit status; what it said is in
``said.txt`` in that folder.
"""

import dataclasses
import os
import sys
import traceback
from pathlib import Path

import numpy as np

from networks import random_graph_network, random_images
from scaledrop.frozen import Head, Threshold
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.numbers import drop_code, scaled_sum
from scaledrop.schedule import predict_cycles
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.amaranth_bench import run
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.monitor import observe

__all__ = ["DIFFERENT", "VICTIMS"]

DIFFERENT = 3
HEAD = Layer("head", 6, output=Kind.LOGITS)
DENSE = ((11,), (Layer("a", 9), Layer("b", 7), HEAD), 4)
MAPS = (
    (2, 4, 3),
    (
        Layer("a", 5, Window(3, 1, 1), planes=2),
        MaxPool("p", 2),
        Layer("b", 3, Window(2, 1, 1)),
        HEAD,
    ),
    2,
)
SMALL = ((2,), (Layer("a", 1), Layer("head", 9, output=Kind.LOGITS)), 1)


@dataclasses.dataclass(frozen=True)
class Victim:
    """A network and what is done to it."""

    topology: tuple
    inference: Inference
    images: int = 2
    array: tuple = (4, 4, 2)
    datapath: str = "reference"
    convolution: str = "auto"
    depth: int = 16


SHARED = Inference(Mode.SHARED, 5)
VICTIMS = {
    "passes": Victim(DENSE, Inference(Mode.PASSES, 4), images=3),
    "shared": Victim(DENSE, SHARED),
    "exact": Victim(DENSE, Inference(Mode.EXACT, masks=5), depth=2),
    "folded": Victim(DENSE, SHARED, datapath="folded"),
    "unrolled": Victim(MAPS, SHARED, array=(8, 4, 2), convolution="unrolled"),
    "taps": Victim(MAPS, SHARED, array=(8, 4, 2), convolution="taps"),
    "results": Victim(SMALL, Inference(Mode.PASSES, 1), images=6, array=(16, 2, 2)),
}


def _with_threshold_ties(network, images):
    """Thresholds of the first layer lie exactly on sums of the first image, unscaled."""
    layer = network.layers[0]
    sums = images[0] @ (2 * layer.weights.astype(np.int64) - 1).T
    ties = scaled_sum(sums, layer.scale, np.array([1]), network.scale_frac_bits)
    return dataclasses.replace(layer, output=Threshold(ties, layer.output.flip))


def _with_class_tie(layer):
    """The last two classes are the same, and win often."""
    weights, scale = layer.weights.copy(), layer.scale.copy()
    gain, offset = layer.output.gain.copy(), layer.output.offset.copy()
    weights[-1], scale[-1], gain[-1] = weights[-2], scale[-2], gain[-2]
    offset[-2:] = offset.max() + 1
    head = Head(gain, offset, layer.output.gain_bits, layer.output.gain_frac_bits)
    return dataclasses.replace(layer, weights=weights, scale=scale, output=head)


def _network(topology, images):
    """A random network with ties and different drop codes, and images for it."""
    shape, nodes, bits = topology
    codes = [drop_code(p) for p in (0.3, 0.4, 0.6)]
    network = random_graph_network(11, shape, nodes, bits, codes=codes)
    pixels = random_images(12, network, images)
    nodes = [*network.nodes[:-1], _with_class_tie(network.nodes[-1])]
    if len(shape) == 1:
        nodes[0] = _with_threshold_ties(network, pixels)
    return dataclasses.replace(network, nodes=tuple(nodes)), pixels


def verdict(victim):
    """Whether all is equal; the checker's report, or the reason why there is none."""
    from scaledrop_hw.accelerator import Accelerator

    network, pixels = _network(victim.topology, victim.images)
    mapping = NetworkMapping(network, ArrayShape(*victim.array), victim.convolution)
    inference = victim.inference
    workload = Workload(network, pixels, inference.passes, 5, inference=inference)
    accelerator = Accelerator(mapping=mapping, datapath=victim.datapath, depth=victim.depth)
    timing = accelerator.pipeline_timing
    predicted = predict_cycles(mapping, workload.walks, timing).values()
    limit = 1000 + 3 * sum(sum(events.values()) for events in predicted)
    try:
        observation = observe(run(accelerator, workload, limit=limit), workload, mapping)
    except (TimeoutError, CaptureError) as error:
        return False, f"no complete record: {error}"
    folded = victim.datapath == "folded"
    report = check("RTL", workload, observation, mapping, timing, folded)
    return report.ok, str(report)


def attempt(folder, name):
    """Exit status of a victim on the RTL in ``folder``."""
    sys.path.insert(0, folder)
    try:
        equal, text = verdict(VICTIMS[name])
        status = 0 if equal else DIFFERENT
    except Exception:
        text, status = traceback.format_exc(), 1
    (Path(folder) / "said.txt").write_text(f"{name}: {text}\n")
    return status


def serve():
    """One process for each attempt: what it has imported is as it was before."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(attempt(*line.split()))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
