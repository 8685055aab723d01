# SPDX-License-Identifier: Apache-2.0
"""Tiny networks on tiny arrays whose control is tested: more classes than lanes everywhere."""

from dataclasses import dataclass

from control_bench import Bench

from networks import random_graph_network, random_images, random_network
from scaledrop.frozen import FrozenNetwork
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.contract import Workload
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinTiming

__all__ = ["CASES", "Case", "convolution", "dense", "operate"]

SPIN = SpinTiming(reset=1, settle=0, write=1, read=1)
NODES = [Layer("conv", 2, Window(2)), MaxPool("pool", 2), Layer("head", 3, output=Kind.LOGITS)]


def dense(seed):
    return random_network(seed, (5, 3, 3), 2, p=0.5)


def convolution(seed):
    return random_graph_network(seed, (1, 3, 4), NODES, 2, p=0.5)


@dataclass(frozen=True)
class Case:
    """A network, how it is laid out and how it is inferred."""

    network: FrozenNetwork
    mode: Mode
    convolution: str = "auto"
    datapath: str = "reference"
    passes: int = 3

    @property
    def mapping(self):
        rows = 2 if len(self.network.input_shape) == 1 else 4
        return NetworkMapping(self.network, ArrayShape(rows, 2, 1), self.convolution)

    def workload(self, seed, images=1):
        pixels = random_images(seed, self.network, images)
        inference = Inference(self.mode, self.passes)
        return Workload(self.network, pixels, self.passes, seed, inference=inference)

    def accelerator(self, **parameters):
        sizes = {"timing": SPIN, "max_passes": self.passes, "datapath": self.datapath}
        return Accelerator(mapping=self.mapping, **sizes, **parameters)


CASES = {
    "dense, shared": Case(dense(3), Mode.SHARED),
    "dense, passes, folded": Case(dense(3), Mode.PASSES, datapath="folded", passes=2),
    "dense, exact": Case(dense(3), Mode.EXACT),
    "unrolled, shared": Case(convolution(5), Mode.SHARED, "unrolled"),
    "taps, exact, folded": Case(convolution(5), Mode.EXACT, "taps", "folded"),
}


def operate(case, script, seed=3, images=1, dut=None):
    """Run ``script(bench)`` on an accelerator of a case, to its end; returns the bench."""
    bench, ended = Bench(dut or case.accelerator(), case.workload(seed, images)), []

    async def whole(bench):
        await script(bench)
        ended.append(True)

    bench.run(whole)
    assert ended
    return bench
