# SPDX-License-Identifier: Apache-2.0
"""Joules of an image by any method, from the project's estimator on one array and one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.density import Density
from scaledrop.energy import Band, TechnologyTable, estimate, load_table, total
from scaledrop.energy.generators import Generator, load_generators
from scaledrop.energy.hardware import machine_of
from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.sources import Grain, numbers_at_once, numbers_of_layer
from scaledrop.errors import UserError
from scaledrop.events import EventCounts, Tally, tallied_events
from scaledrop.frozen import FrozenNetwork
from scaledrop.layout import NetworkLayout
from scaledrop.methods.contract import Needs
from scaledrop.nn.config import NetworkConfig
from scaledrop.schedule import predict_cycles
from scaledrop.shapes import shape_network
from scaledrop.walk import Mode, Visit
from scaledrop.workload import count, pipeline_timing

__all__ = ["NEVER_PRICED", "Price", "price", "sums_by_layer"]

IMAGES, SEED = 20, 1
"""Of bits that are drawn; those of ``scaledrop energy`` when nothing else is asked for."""

NEVER_PRICED = (
    "training, and writing the weights",
    "what the estimator leaves out for all: docs/energy.md",
)
Drives = npt.NDArray[np.integer] | Density


@dataclass(frozen=True)
class Price:
    """What one image costs.

    Attributes:
        joules: All networks and passes.
        numbers: Joules of the random numbers, part of ``joules``; 0 where nothing is drawn.
        sums: Sums of a whole layer that the array makes, all layers together.
        generators: Spin units or samplers that one output position of the widest layer waits for.
        seconds: One image after another.
        not_priced: What the method needs and the estimator has no price for, in sentences.
    """

    joules: Band
    numbers: Band
    sums: int
    generators: int
    seconds: float
    not_priced: tuple[str, ...]


def sums_by_layer(network: FrozenNetwork, needs: Needs, passes: int) -> tuple[int, ...]:
    """How often each layer is summed for ``passes`` passes, at most, with all sharing there is; and
    behind it, as the last entry, how many outcomes the last layer has.

    A bit a layer gives two outcomes; a Gaussian sample, or a bit for every neuron, a new one in
    every pass. Numbers that act before the sum take its sharing away.
    """
    figures, layers = figures_of(network), len(network.layers)
    each = -(-needs.numbers_per_pass // layers)
    counts, outcomes = [1], 1
    for layer in figures.layers:
        bits = each if needs.grain in (Grain.LAYER, None) else numbers_of_layer(layer, needs.grain)
        whole = needs.gaussian or needs.grain in (Grain.OUTPUT, Grain.WEIGHT)
        outcomes = passes if whole and each else min(passes, outcomes << min(bits, 31))
        counts.append(outcomes)
    if needs.before or needs.grain is Grain.WEIGHT:
        return (*counts[1:], outcomes)
    return tuple(counts)


def _walk(times: Sequence[int]) -> list[Visit]:
    """Visits with as many sums of each layer, depth first. Each takes the time of one bit, as the
    accelerator's does, also where nothing is drawn."""
    layers = len(times) - 1
    order: list[tuple[int, int]] = []

    def down(layer: int, node: int) -> None:
        order.append((layer, node))
        if layer + 1 < layers:
            above, below = times[layer], times[layer + 1]
            for child in range(below * node // above, below * (node + 1) // above):
                down(layer + 1, child)

    for root in range(times[0]):
        down(0, root)
    leaf = next(at for at, (layer, _) in enumerate(order) if layer == layers - 1)
    return [
        Visit(layer, node, 1, int(times[layer + 1] > times[layer]), (1,), at <= leaf, last)
        for at, (layer, node) in enumerate(order)
        for last in (at == len(order) - 1,)
    ]


def _times(values: EventCounts, factor: int) -> EventCounts:
    return {
        layer: {name: n * factor for name, n in events.items()} for layer, events in values.items()
    }


@dataclass(frozen=True, eq=False)
class _Run:
    """Events of a run over so many images, and the sums of a layer that each of them takes."""

    layout: NetworkLayout
    counts: EventCounts
    images: int
    sums: int


def _accelerator(
    network: FrozenNetwork, array: ArrayShape, drives: Drives, passes: int, seed: int
) -> _Run:
    given = {"density": drives} if isinstance(drives, Density) else {"images": drives}
    work = count(network, array, mode=Mode.SHARED, passes=passes, folded=True, seed=seed, **given)
    return _Run(work.layout, work.counts, work.images, sum(work.visits.values()) // work.images)


def _shapes(
    network: FrozenNetwork, array: ArrayShape, needs: Needs, drives: Drives, passes: int
) -> _Run:
    """A run of which only the numbers of sums are known."""
    layout, folded = NetworkLayout(network, array, "auto"), not needs.gaussian
    pixels = drives if isinstance(drives, Density) else np.asarray(drives, dtype=np.int64)
    images = 1 if isinstance(pixels, Density) else len(pixels)
    times = np.array(sums_by_layer(network, needs, passes))
    walk = _walk(times.tolist())
    # The mean and the variance of a sum take a sum each.
    twice = 2 if needs.grain is Grain.OUTPUT else 1
    cycles = predict_cycles(layout, [walk] * images, pipeline_timing(folded))
    bits = np.zeros_like(times[:-1])
    bits[0] = 0 if needs.gaussian else needs.numbers_per_pass * passes
    rows = [times[:-1] * twice, times[1:], times[1:], bits]
    tally = Tally(*(np.tile(row, (images, 1)) for row in rows))
    counts = tallied_events(layout, pixels, tally, _times(cycles, twice), folded)
    return _Run(layout, counts, images, int(times[:-1].sum()) * twice)


def _drawn_alike(needs: Needs, layers: int) -> bool:
    """Whether it is the accelerator's own way: one bit a layer, behind its sum."""
    one_each = needs.numbers_per_pass == layers and needs.grain is Grain.LAYER
    return one_each and not needs.gaussian and not needs.before


def price(
    network: FrozenNetwork | NetworkConfig,
    needs: Needs,
    drives: Drives,
    table: TechnologyTable | None = None,
    *,
    array: ArrayShape | None = None,
    passes: int | None = None,
    seed: int = SEED,
    sampler: Generator | None = None,
) -> Price:
    """Joules of an image: the same array, converters and memories for all methods.

    - One bit a layer behind its sum (Scale-Dropout) is the accelerator's mode ``shared`` with the
      folded datapath, as ``scaledrop energy`` prices it, bits drawn with ``seed`` and all.
    - Bits at other grains share what sums they can (:func:`sums_by_layer`), and each costs a reset,
      a write and a read of a spin unit. As many units work side by side as a position waits for.
    - Gaussian samples cost what the cheapest published sampler takes; what they scale goes through
      scale memory and multiplier, the reference datapath. One a sum needs two sums.
    - Nothing drawn is one pass. M networks run one after another on the same hardware.

    Args:
        network: frozen, or of a configuration: then priced by its shapes and its p.
        needs: of the model; ``memory_bits`` does not matter here.
        drives: (N, pixels) images, or the density of ones in them.
        table: mtj45 when None.
        array: 64 x 16 when None.
        passes: T; those of ``needs`` when None, and 1 where nothing is drawn.
        seed: of the bits of the accelerator's own way.
        sampler: of Gaussian numbers; the published one that takes least when None.

    Raises:
        UserError: a size out of range, or numbers without a grain.
    """
    if needs.numbers_per_pass and needs.grain is None:
        raise UserError("needs.grain: is None but numbers are drawn; say what gets one")
    rows, chosen = table or load_table("mtj45"), array or ArrayShape()
    if isinstance(network, NetworkConfig):
        network = shape_network(network.graph, list(network.layer_p), network.name)
    times = (passes or needs.passes) if needs.numbers_per_pass else 1
    if _drawn_alike(needs, len(network.layers)):
        run = _accelerator(network, chosen, drives, times, seed)
    else:
        run = _shapes(network, chosen, needs, drives, times)
    machine = machine_of(run.layout, folded=not needs.gaussian)
    found = estimate(run.counts, machine, rows, run.images)
    joules = found.joules
    numbers = total(one.joules for one in found.components if one.event.startswith("spin_"))
    if needs.gaussian:
        numbers = (sampler or _cheapest()).joules * (needs.numbers_per_pass * times)
        joules = joules + numbers
    waits = needs.grain is not None and needs.numbers_per_pass > 0
    at_once = numbers_at_once(figures_of(network), needs.grain) if waits and needs.grain else 0
    return Price(
        joules * needs.networks,
        numbers * needs.networks,
        run.sums * needs.networks,
        at_once,
        found.seconds * needs.networks,
        not_priced(needs, len(network.layers)),
    )


def _cheapest() -> Generator:
    return min((one for one in load_generators() if one.gaussian), key=lambda g: g.joules.value)


def not_priced(needs: Needs, layers: int) -> tuple[str, ...]:
    """What the estimator has no price for, and the figure therefore lacks."""
    said = []
    if needs.grain in (Grain.CHANNEL, Grain.NEURON) and not needs.gaussian:
        said.append(
            "a register and a gate for every dropped neuron or map, and analog zeros into the "
            "crossbar: a word line that is dropped counts as driven"
        )
    if needs.grain not in (Grain.LAYER, None):
        said.append("area and leakage of more than one generator")
    if needs.gaussian:
        said.append(
            "the square root, product and sum that make a scaled sample of a number; cells of more "
            "than two levels"
        )
    if needs.before:
        said.append("picking a crossbar, and the crossbars that stand by")
    elif needs.grain is Grain.LAYER and not _drawn_alike(needs, layers):
        said.append("what the bits switch: more than the one multiplexer a layer that is priced")
    if needs.networks > 1:
        said.append("area and leakage of the crossbars of the other networks")
    return tuple(said)
