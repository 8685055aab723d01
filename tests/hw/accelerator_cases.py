# SPDX-License-Identifier: Apache-2.0
"""Small networks on small arrays, each with something of its own, and what runs them."""

from dataclasses import dataclass, replace

from networks import random_graph_network, random_images
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.numbers import drop_code
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.amaranth_bench import World, run
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.monitor import observe
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinTiming

__all__ = ["CASES", "SMALL", "Case", "Setup", "workload_of"]

PASSES, SHARED, EXACT = Mode


def head(classes):
    return Layer("head", classes, output=Kind.LOGITS)


def dense(*sizes, planes=1):
    """Dense layers of these widths, the last one the head."""
    nodes = [Layer(f"dense{at}", size, planes=planes) for at, size in enumerate(sizes[:-1])]
    return [*nodes, head(sizes[-1])]


def conv(name, channels, size, stride=1, padding=0, planes=1):
    return Layer(name, channels, Window(size, stride, padding), planes=planes)


@dataclass(frozen=True)
class Case:
    """One network on one array; the defaults are the ordinary."""

    shape: tuple
    nodes: list
    array: tuple
    mode: Mode = PASSES
    passes: int = 3
    masks: int = 0
    datapath: str = "reference"
    convolution: str = "unrolled"
    input_bits: int = 3
    p: float = 0.4
    images: int = 3
    timing: SpinTiming = SpinTiming()
    depth: int = 16
    weights: str = "memory"


FOLDED = {"datapath": "folded"}
TAPS = {"convolution": "taps"}
CASES = {
    "one layer": Case((7,), dense(3), (4, 4, 2)),
    "one layer, all masks": Case((7,), dense(3), (4, 4, 2), EXACT, **FOLDED),
    "nothing divides": Case((11,), dense(7, 3), (4, 6, 2), SHARED, input_bits=8),
    "rows below columns": Case((9,), dense(13, 6, 4), (4, 8, 4), SHARED, passes=5, **FOLDED),
    "rows above columns": Case((10,), dense(9, 8, 7, 3), (8, 2, 2), EXACT, masks=3, images=2),
    "one lane": Case((10,), dense(9, 5), (8, 4, 1), **FOLDED),
    "one row, one column": Case((3,), dense(2, 2), (1, 1, 1), SHARED),
    "one bit pixels": Case((17,), dense(9, 4), (8, 4, 4), SHARED, passes=9, input_bits=1),
    "never dropped": Case((9,), dense(8, 3), (4, 4, 4), SHARED, p=0.0),
    "always dropped, nearly": Case((9,), dense(8, 3), (4, 4, 4), p=1 - 2**-16),
    "one pass, many images": Case((12,), dense(6, 3), (4, 4, 2), passes=1, images=6),
    "head that waits for the results": Case(
        (2,), dense(1, 9), (16, 2, 2), passes=1, images=6, input_bits=1
    ),
    "head of several column tiles": Case((9,), dense(6, 11), (4, 4, 2), EXACT),
    "one class": Case((6,), dense(5, 1), (4, 2, 2), SHARED),
    "three-bit codes": Case((6,), dense(9, 5, 4, planes=3), (8, 4, 4), SHARED, **FOLDED),
    "fast spin unit, short queue": Case(
        (6,), dense(5, 4, 3), (4, 4, 4), SHARED, timing=SpinTiming(reset=1, settle=0), depth=2
    ),
    "slow spin unit": Case((6,), dense(5, 4, 3), (4, 4, 4), timing=SpinTiming(reset=20)),
    "channels, stride, padding": Case(
        (3, 5, 4), [conv("a", 5, 3, 2, 1), conv("b", 3, 2, 1, 1), head(4)], (8, 4, 2), SHARED
    ),
    "channels, tap by tap": Case(
        (3, 5, 4),
        [conv("a", 5, 3, 2, 1), conv("b", 3, 2, 1, 1), head(4)],
        (8, 4, 2),
        images=1,
        **TAPS,
    ),
    "stride beyond the kernel": Case(
        (5, 6), [conv("a", 3, 2, 3), *dense(4, 2)], (4, 4, 1), EXACT, **FOLDED
    ),
    "pool that leaves a rest": Case(
        (5, 5), [conv("a", 3, 2), MaxPool("b", 3), *dense(4, 3)], (4, 4, 4), images=2
    ),
    "pool of several groups": Case(
        (6, 4), [conv("a", 5, 3, 1, 1), MaxPool("b", 2), head(3)], (6, 4, 2), SHARED, images=2
    ),
    "a pool before a tap": Case(
        (6, 5),
        [conv("a", 3, 2), MaxPool("b", 2), conv("c", 5, 2, 1, 1, planes=2), head(3)],
        (4, 4, 2),
        SHARED,
        images=2,
        **TAPS,
        **FOLDED,
    ),
}
SMALL = Case(
    (2, 4, 4),
    [conv("a", 3, 2, 1, 1, planes=2), MaxPool("b", 2), *dense(5, 3, planes=2)],
    (6, 4, 2),
    images=2,
)
"""A bit of everything."""
QUIET = World()


def code_of(p, layer):
    """Drop codes near ``p`` that tell the layers apart, unless nothing or all is dropped."""
    code = drop_code(p)
    return code + 1000 * layer if 0.1 < p < 0.9 else code


class Setup:
    """A case with its accelerator and its workload."""

    def __init__(self, case, seed=1):
        codes = [code_of(case.p, at) for at in range(len(case.nodes))]
        network = random_graph_network(seed, case.shape, case.nodes, case.input_bits, codes=codes)
        self.case = case
        self.mapping = NetworkMapping(network, ArrayShape(*case.array), case.convolution)
        self.dut = Accelerator(
            mapping=self.mapping,
            timing=case.timing,
            max_passes=case.passes,
            datapath=case.datapath,
            depth=case.depth,
            weights=case.weights,
        )
        sums = mapping_sums(self.mapping)
        self.workload = replace(workload_of(network, case.mode, case, seed), crossbar_sum=sums)

    def observation(self, world=QUIET, prepare=None):
        capture = run(self.dut, self.workload, world, 40_000, prepare)
        return observe(capture, self.workload, self.mapping)

    def check(self, observation, quiet=True):
        """Everything is equal; cycles only of a quiet run."""
        timing = self.dut.pipeline_timing if quiet else None
        folded = self.case.datapath == "folded"
        report = check("RTL", self.workload, observation, self.mapping, timing, folded)
        assert report.ok, str(report)
        return report


def workload_of(network, mode, case, seed):
    inference = Inference(mode, case.passes, case.masks)
    images = random_images(seed, network, case.images)
    return Workload(network, images, case.passes, seed, inference=inference)
