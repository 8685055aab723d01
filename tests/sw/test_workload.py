# SPDX-License-Identifier: Apache-2.0
"""One call for counts, cycles and memories: equal to the RTL's prediction where there is RTL, and
to counting nodes and prefixes one by one where there is none."""

from collections import Counter

import numpy as np
import pytest

from chains import mapping_of
from networks import GRAPHS, random_graph_network, random_images
from scaledrop.array_shape import ArrayShape
from scaledrop.density import Density
from scaledrop.errors import UserError
from scaledrop.events import Event, GraphEvent, predict_events
from scaledrop.footprint import Store, footprint
from scaledrop.graph import Add, Graph, Kind, Layer, MaxPool, Quantise, SumPool, Window
from scaledrop.schedule import predict_cycles
from scaledrop.shapes import shape_network
from scaledrop.topologies import lenet5
from scaledrop.walk import Inference, Mode
from scaledrop.workload import count, pipeline_timing
from scaledrop_cosim.contract import Workload
from scaledrop_hw.accelerator import Accelerator

MODES = [Inference(Mode.PASSES, 3), Inference(Mode.SHARED, 5), Inference(Mode.EXACT, 5, masks=3)]
CHAIN = (
    Layer("a", 5, Window(3, padding=1), planes=2),
    MaxPool("p", 2),
    Layer("b", 7),
    Layer("head", 3, output=Kind.LOGITS),
)
ARRAY = ArrayShape(8, 4, 2)


def total(workload, event):
    return sum(counts[event] for counts in workload.counts.values())


@pytest.mark.parametrize("inference", MODES, ids=lambda one: str(one.mode))
@pytest.mark.parametrize("folded", [False, True])
def test_equal_to_what_the_co_simulation_predicts(inference, folded):
    mapping = mapping_of(3, (2, 6, 5), CHAIN, (8, 4, 2), "taps")
    images = random_images(1, mapping.network, 3)
    same = Workload(mapping.network, images, inference.passes, 11, inference=inference)
    found = count(
        mapping.network,
        ARRAY,
        convolution="taps",
        mode=inference.mode,
        passes=inference.passes,
        masks=inference.masks,
        folded=folded,
        images=images,
        seed=11,
    )
    built = Accelerator(mapping=mapping, datapath="folded" if folded else "reference")
    assert pipeline_timing(folded) == built.pipeline_timing
    cycles = predict_cycles(mapping, same.walks, built.pipeline_timing)
    assert found.counts == predict_events(mapping, same.images, same.walks, cycles, folded)
    assert found.cycles == sum(sum(one.values()) for one in cycles.values())
    assert found.footprint == footprint(mapping, folded)
    assert found.runs_today and found.images == 3
    assert found.mass == pytest.approx(same.covered, rel=0, abs=0)
    visits = Counter(visit.layer for walk in same.walks for visit in walk)
    assert list(found.visits.values()) == [visits[at] for at in range(3)]
    assert set(found.counts["a"]) == set(map(str, Event))


def owners(graph):
    """Node -> number of the last layer that it depends on."""
    found, layers = {"input": -1}, [layer.name for layer in graph.layers]
    for node in graph.nodes:
        if node.name in layers:
            found[node.name] = layers.index(node.name)
        else:
            found[node.name] = max(found[source] for source in graph.sources[node.name])
    return found


def expected_of_nodes(graph, masks):
    """Totals by prefixes of the masks (T, L): what a node makes, once for each distinct one."""
    prefixes = [len(np.unique(masks[:, : at + 1], axis=0)) for at in range(masks.shape[1])]
    sums, owner = Counter(), owners(graph)
    for node in graph.nodes:
        size, times = graph.values[node.name].size, prefixes[owner[node.name]]
        if isinstance(node, Layer) and node.output is Kind.STREAM:
            sums[GraphEvent.STREAM_MACS] += size * times
        elif isinstance(node, Add):
            sums[GraphEvent.STREAM_ADDITIONS] += size * times
        elif isinstance(node, Quantise):
            sums[GraphEvent.QUANTISATIONS] += size * times
        elif isinstance(node, SumPool):
            before = graph.values[graph.sources[node.name][0]].size
            sums[GraphEvent.POOL_ADDITIONS] += (before - size) * times
    return sums


def expected_stream_words(graph, masks, lanes):
    """Words read and written: a sum that takes what an earlier layer made reads it once a visit."""
    prefixes = [1, *(len(np.unique(masks[:, : at + 1], axis=0)) for at in range(masks.shape[1]))]
    owner, stored, reads = owners(graph), {}, 0
    for node in graph.nodes:
        for source in graph.sources[node.name] if isinstance(node, Add) else ():
            if owner[source] != owner[node.name]:
                channels, height, width = graph.values[source].shape
                stored[source] = -(-channels // lanes) * height * width
                reads += stored[source] * prefixes[owner[node.name]]
    return reads, sum(words * prefixes[owner[name] + 1] for name, words in stored.items())


RESIDUAL = [name for name in GRAPHS if name.startswith("resnet")]


@pytest.mark.parametrize("name", RESIDUAL)
def test_nodes_are_evaluated_once_for_each_prefix(name):
    shape, nodes = GRAPHS[name]
    network = random_graph_network(1, shape, nodes, 3)
    inference = Inference(Mode.SHARED, 6)
    images = random_images(1, network, 1)
    found = count(network, ARRAY, mode="shared", passes=6, images=images, seed=5)
    masks = Workload(network, images, 6, 5, inference=inference).masks[0]
    expected = expected_of_nodes(network.graph, masks)
    for event in GraphEvent:
        if event not in (GraphEvent.STREAM_READS, GraphEvent.STREAM_WRITES):
            assert total(found, event) == expected[event] > 0
    words = (total(found, GraphEvent.STREAM_READS), total(found, GraphEvent.STREAM_WRITES))
    if "without" not in name:  # Subsampled shortcuts leave out their channels of zeros.
        assert words == expected_stream_words(network.graph, masks, ARRAY.lanes)
    assert not found.runs_today
    assert "which 'stem' does not fit" in found.assumptions[-1]


def test_stream_words_of_a_residual_block_by_hand():
    nodes = (
        Layer("stem", 5, Window(3, padding=1), output=Kind.STREAM),
        Quantise("q", 2),
        Layer("conv", 5, Window(3, padding=1), output=Kind.STREAM, source="q"),
        Add("sum", ("conv", "stem")),
        Quantise("r"),
        SumPool("pool"),
        Layer("head", 3, output=Kind.LOGITS),
    )
    graph = Graph((1, 4, 6), 2, nodes)
    found = count(graph, ARRAY, passes=7, density=0.5, image_count=2, drop=0.0)
    stem, conv, head = found.counts.values()
    # 3 words of 2 lanes at each of 24 positions, in each of 7 passes of 2 images.
    assert (stem["stream_writes"], stem["stream_reads"]) == (14 * 72, 0)
    assert (conv["stream_writes"], conv["stream_reads"]) == (0, 14 * 72)
    # Codes: a beat of 2 lanes at every position, and at one behind the sum pool.
    assert (stem["buffer_writes"], conv["buffer_writes"]) == (14 * 72, 14 * 3)
    assert conv["stream_macs"] == conv["stream_additions"] == 14 * 120
    assert (stem["comparisons"], conv["comparisons"], head["logit_macs"]) == (0, 0, 14 * 3)
    assert (stem["multiplies"], conv["pool_additions"]) == (14 * 120, 14 * 5 * 23)
    # Sums of 24 bits need 5 planes; 5 of 8 rows are in use, in one row and one column tile.
    assert (head["activations"], head["row_drives"]) == (14 * 5, 14 * 5 * 5)
    assert found.footprint.streams == (Store(2 * 72, 2 * 16, layer="stem"),)
    assert found.footprint.pool_sums == (Store(2 * 3, 2 * 5, layer="head"),)


def test_a_skip_connection_is_written_for_each_of_its_readers():
    shape, nodes = GRAPHS["unet"]
    found = count(Graph(shape, 2, tuple(nodes)), ARRAY, passes=1, density=0.5, drop=0.0)
    # down1b: 3 channels, 2 beats, pooled 6 x 6 for the way down and 12 x 12 for the way up.
    assert found.counts["down1b"]["buffer_writes"] == 2 * (36 + 144)
    positions = found.layout.results
    assert positions == 3 * 144 == found.counts["pixels"]["results"]
    assert found.counts["pixels"]["logit_macs"] == positions
    assert set(found.counts["pixels"]) == set(map(str, Event))


@pytest.mark.parametrize(("padding", "edge", "outputs"), [(2, 28, 6_518), (0, 24, 4_694)])
def test_conversions_of_lenet_on_one_large_array_are_its_outputs(padding, edge, outputs):
    """No row tiles: one conversion an output and bit plane (LeNet-5 at 28 x 28)."""
    _, *rest = lenet5(10)
    nodes = (Layer("conv1", 6, Window(5, padding=padding)), *rest)
    for bits in (1, 8):
        graph = Graph((28, 28), bits, nodes)
        found = count(graph, ArrayShape(512, 128, 8), passes=20, density=0.5)
        further = (bits - 1) * 6 * edge**2
        assert total(found, Event.CONVERSIONS) == 20 * (outputs + further)
        assert total(found, Event.ADDITIONS) == 20 * further


def test_passes_are_so_many_times_one_pass():
    one, many = (
        count("resnet20", ArrayShape(), passes=passes, density=0.3, drop=0.0) for passes in (1, 4)
    )
    for layer, counts in many.counts.items():
        for event, found in counts.items():
            if event not in ("cycles", "waiting", "pixels", "results"):
                assert found == 4 * one.counts[layer][event]


def test_exact_reports_what_it_leaves_out():
    found = count("resnet20", ArrayShape(), mode="exact", masks=50, density=0.5)
    assert 0.1 < found.mass < 0.9
    assert found.assumptions[1] == (
        f"masks visited cover {found.mass:.6f} of the probability; no bit is drawn"
    )
    assert found.visits["dense"] <= 50 and total(found, Event.SPIN_WRITES) == 0
    every = count("lenet5", ArrayShape(), mode="exact", density=0.5)
    assert every.mass == 1.0 and every.visits["dense3"] == 16


def test_a_measured_density_of_one_image_gives_its_row_drives():
    """Of a dense layer, where every pixel is driven once."""
    network = shape_network(Graph((50,), 4, (Layer("head", 3, output=Kind.LOGITS),)))
    images = random_images(3, network, 1)
    given = count(network, ARRAY, images=images)
    density = Density.measured(images, 4)
    found = count(network, ARRAY, density=density)
    assert found.counts == given.counts
    shares = ", ".join(f"{share:g}" for share in density.planes)
    assert found.assumptions[0] == (
        f"no images: the fraction of ones in a bit plane of the pixels is {shares}"
    )


def test_other_probabilities():
    network = random_graph_network(1, (2, 6, 5), CHAIN, 3)
    found = count(network, ARRAY, density=0.5, drop=(0.0, 0.5, 0.25))
    assert list(found.layout.drop_codes) == [0, 2**15, 2**14]
    assert [layer.drop_code for layer in network.layers] != [0, 2**15, 2**14]


@pytest.mark.parametrize("given", [{}, {"density": 0.5, "images": np.zeros((1, 784), dtype=int)}])
def test_images_or_a_density(given):
    with pytest.raises(UserError) as caught:
        count("lenet5", ArrayShape(), **given)
    assert str(caught.value) == (
        "images: give images or a density of ones in them, and not both: the word lines that the "
        "first layer drives depend on it; a density of 0.5 drives every other one"
    )
