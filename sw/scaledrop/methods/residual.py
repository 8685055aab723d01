# SPDX-License-Identifier: Apache-2.0
"""A small residual binary network, for methods that need branches."""

from __future__ import annotations

from scaledrop.data import ImageSet
from scaledrop.graph import Add, Kind, Layer, Node, Quantise, Subsample, Window
from scaledrop.methods.contract import Method, Model
from scaledrop.methods.deterministic import SMOOTHING, fit_deterministic
from scaledrop.nn.config import CUSTOM
from scaledrop.training import TrainConfig, with_network

__all__ = ["BRANCHES", "RESIDUAL", "residual_nodes", "residual_run"]

WIDTHS = (8, 16, 16)
"""Channels of the blocks."""

BRANCHES = tuple(f"conv{block}b" for block in range(1, len(WIDTHS) + 1))
"""Last layer of each residual branch, from the image on."""


def residual_nodes(classes: int) -> tuple[Node, ...]:
    """A stem that halves the maps, three blocks of two 3 x 3 convolutions with an addition around
    both, the second of which halves again, and a dense head. In front of every block the stream
    is made signs, within it BatchNorm and sign follow the first convolution, BatchNorm the second.

    The shortcut of the block that changes shape is subsampled with maps of zeros (He et al. 2016,
    arXiv 1512.03385, option A). For 28 x 28 maps and 10 classes: 17,256 weights and 0.67 million
    multiply-adds, where LeNet-5 has 61,470 and 0.42 million.
    """
    nodes: list[Node] = [
        Layer("stem", WIDTHS[0], Window(5, stride=2, padding=2), output=Kind.STREAM)
    ]
    before, stream = WIDTHS[0], "stem"
    for block, width in enumerate(WIDTHS, 1):
        stride = 1 if width == before else 2
        nodes.append(Quantise(f"act{block}", 1, source=stream))
        nodes.append(Layer(f"conv{block}a", width, Window(3, stride, 1), source=f"act{block}"))
        nodes.append(Layer(BRANCHES[block - 1], width, Window(3, 1, 1), output=Kind.STREAM))
        shortcut = stream
        if stride > 1:
            shortcut = f"short{block}"
            nodes.append(Subsample(shortcut, stride, width, source=stream))
        stream, before = f"add{block}", width
        nodes.append(Add(stream, (BRANCHES[block - 1], shortcut)))
    return (*nodes, Quantise("act", 1), Layer("dense", classes, output=Kind.LOGITS))


def residual_run(config: TrainConfig) -> TrainConfig:
    """The same run of the residual network for the same images, "-residual" behind its name."""
    network = config.network
    return with_network(
        config,
        name=f"{network.name}-residual",
        topology=CUSTOM,
        nodes=residual_nodes(network.classes),
    )


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    return fit_deterministic(residual_run(config), data, value, device)


RESIDUAL = Method(
    "residual",
    "Deterministic, residual",
    "the twin of stochastic depth: its network, nothing drawn; label smoothing of Szegedy et al. "
    "2016, arXiv 1512.00567, from memory",
    SMOOTHING,
    _fit,
)
"""As :data:`scaledrop.methods.deterministic.DETERMINISTIC`, of another network."""
