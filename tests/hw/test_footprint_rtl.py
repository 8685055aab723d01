# SPDX-License-Identifier: Apache-2.0
"""The footprint against the memories in the Verilog and what the sidecar and the registers say."""

import re

import pytest

from chains import mapping_of, random_mapping
from scaledrop.device_sizes import PART_BITS, Memory
from scaledrop.footprint import footprint
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import sidecar, verilog_text

MEMORY = re.compile(r"^  reg (?:\[(\d+):0\] )?\S+\s*\[(\d+):0\];", re.MULTILINE)
PLACES = {
    "image": "sources.image",
    "activations": "sources.activations",
    "scales": "scale.memory.sram",
    "thresholds": "threshold.thresholds",
    "head": "head.affine",
    "row_masks": "sources.row_masks",
    "results": "core.accumulate",
}
NODES = (
    Layer("a", 5, Window(3, padding=1), planes=2),
    MaxPool("p", 2),
    Layer("b", 6, Window(3), planes=3),
    Layer("c", 7),
    Layer("head", 3, output=Kind.LOGITS),
)


def memories_of(text):
    """Module -> (words, width) of each of its memories, sorted."""
    found = {}
    for module in re.split(r"^module ", text, flags=re.MULTILINE)[1:]:
        name = module.split("(")[0].strip().strip("\\")
        sizes = [(int(last) + 1, int(top or 0) + 1) for top, last in MEMORY.findall(module)]
        if sizes:
            found[name] = sorted(sizes)
    return found


def named(found, place):
    """Memories of the modules whose name ends so, in order."""
    return sorted(size for name, sizes in found.items() if name.endswith(place) for size in sizes)


def expand(stores):
    return sorted((one.words, one.width) for one in stores for _ in range(one.copies))


def check(mapping, datapath):
    accelerator = Accelerator(mapping=mapping, datapath=datapath)
    text = verilog_text(accelerator, "top")
    found, print_of = memories_of(text), footprint(mapping, datapath == "folded")
    for name, place in PLACES.items():
        assert expand(getattr(print_of, name)) == named(found, place), name
    windows = [size for at in range(len(mapping.windows)) for size in named(found, f"window_{at}")]
    assert expand(print_of.windows) == sorted(windows)
    assert expand(print_of.pool) == named(found, ".pool")
    assert (print_of.streams, print_of.pool_sums, print_of.affine) == ((), (), ())
    return accelerator, print_of, text


@pytest.mark.parametrize(("datapath", "method"), [("reference", "taps"), ("folded", "unrolled")])
def test_every_memory_is_that_of_the_verilog(datapath, method):
    check(mapping_of(1, (2, 10, 9), NODES, (8, 4, 4), method), datapath)


def test_a_dense_network():
    check(random_mapping(0, "taps"), "folded")


def test_the_sidecar_and_the_registers_say_the_same():
    mapping = mapping_of(1, (2, 10, 9), NODES, (8, 4, 4), "mixed")
    accelerator, found, text = check(mapping, "reference")
    described = sidecar(accelerator, "top", text)["memories"]
    assert found.tiles == described["crossbar_tiles"]
    assert found.cells == found.tiles * 8 * 4 == found.device_pairs
    assert found.cells_used == sum(one.layer.weights.size for one in mapping.layers)
    assert {one.layer for one in found.windows} == {one.layer.name for one in mapping.windows}
    assert found.row_masks[0].words == described["row_masks"]
    assert found.scales[0].words == described["scale_words"]
    assert found.thresholds[0].words == described["threshold_words"]
    assert found.activations[0].words == described["activation_words"]
    shapes = accelerator.sizes.memories
    for memory, stores in (
        (Memory.THRESHOLDS, found.thresholds),
        (Memory.ROW_MASKS, found.row_masks),
        (Memory.HEAD, found.head),
    ):
        assert (shapes[memory].words, shapes[memory].parts * PART_BITS) == (
            stores[0].words,
            stores[0].width,
        )
    assert shapes[Memory.SCALES].words == found.scales[0].words
