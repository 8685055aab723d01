# SPDX-License-Identifier: Apache-2.0
"""From a case to what it stands for: network, images, mapping, accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scaledrop.converter import Converter
from scaledrop.frozen import FrozenNetwork
from scaledrop.graph import Kind, Layer, MaxPool, Node, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.schedule import PipelineTiming, predict_cycles
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.contract import Workload
from scaledrop_flow.fuzz.case import Case, Conv, Pool
from scaledrop_flow.fuzz.corners import corner_images, with_corners
from scaledrop_flow.fuzz.networks import Formats, random_graph_network, random_images

__all__ = ["Plan"]


def _nodes(case: Case) -> list[Node]:
    nodes: list[Node] = []
    for at, one in enumerate(case.nodes):
        if isinstance(one, Pool):
            nodes.append(MaxPool(f"pool{at}", one.size))
            continue
        window = Window(one.size, one.stride, one.padding) if isinstance(one, Conv) else None
        if at == len(case.nodes) - 1:
            nodes.append(Layer("head", one.channels, window, Kind.LOGITS))
        else:
            nodes.append(Layer(f"{one.kind}{at}", one.channels, window, planes=one.planes))
    return nodes


def _network(case: Case) -> FrozenNetwork:
    network = random_graph_network(
        case.seed,
        case.input_shape,
        _nodes(case),
        case.input_bits,
        codes=[layer.drop_code for layer in case.layers],
        formats=Formats(case.scale_bits, case.scale_frac_bits, case.gain_bits),
    )
    return with_corners(network, case.seed + 1, case.corners) if case.corners else network


@dataclass(frozen=True)
class Plan:
    """What a case stands for.

    Raises:
        UserError: there is no such network, array or workload.
    """

    case: Case

    def __post_init__(self) -> None:
        _ = self.mapping.layers, self.workload

    @cached_property
    def mapping(self) -> NetworkMapping:
        case = self.case
        converter = None if case.converter is None else Converter(*case.converter)
        array = ArrayShape(case.rows, case.columns, case.lanes, converter)
        return NetworkMapping(_network(case), array, case.convolution)

    @cached_property
    def workload(self) -> Workload:
        case, network = self.case, self.mapping.network
        images = random_images(case.seed, network, case.images)
        if case.corners:
            top = (1 << network.input_bits) - 1
            images = corner_images(images, case.seed + 2, case.corners, top)
        inference = Inference(Mode.named(case.mode), case.passes, case.masks)
        return Workload(
            network,
            images,
            case.passes,
            case.seed,
            inference=inference,
            crossbar_sum=mapping_sums(self.mapping),
        )

    def accelerator(self) -> Any:
        """A new one."""
        from scaledrop_hw.accelerator import Accelerator
        from scaledrop_hw.dropout import SpinTiming

        case = self.case
        return Accelerator(
            mapping=self.mapping,
            timing=SpinTiming(*case.pulses),
            max_passes=case.max_passes,
            datapath=case.datapath,
            depth=case.depth,
        )

    def cycles(self) -> int:
        """About how long the run takes, gaps included."""
        case, pixels = self.case, self.mapping.network.input_size
        timing = PipelineTiming(spin=sum(case.pulses), depth=case.depth)
        layers = predict_cycles(self.mapping, self.workload.walks, timing)
        quiet = pixels + sum(sum(events.values()) for events in layers.values())
        gaps = sum(
            transfers * case.pause * chance // (256 - chance)
            for chance, transfers in (
                (case.idle, pixels),
                (case.stall, self.mapping.network.classes),
            )
        )
        return quiet + gaps * case.images
