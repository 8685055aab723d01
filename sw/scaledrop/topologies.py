# SPDX-License-Identifier: Apache-2.0
"""Well-known topologies as graphs: what each layer is, before any weight exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from scaledrop.errors import UserError
from scaledrop.graph import (
    Add,
    Concat,
    Kind,
    Layer,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Window,
)

__all__ = ["TOPOLOGIES", "lenet5", "mlp", "resnet", "resnet18", "resnet20", "unet", "vgg_small"]

Nodes = tuple[Node, ...]
SAME = Window(3, padding=1)


def _head(name: str, classes: int, window: Window | None = None) -> Layer:
    return Layer(name, classes, window, output=Kind.LOGITS)


def mlp(classes: int, widths: Sequence[int], planes: int = 1) -> Nodes:
    """Dense hidden layers of ``widths`` and a dense head."""
    hidden = [Layer(f"dense{i}", width, planes=planes) for i, width in enumerate(widths)]
    return (*hidden, _head(f"dense{len(widths)}", classes))


def lenet5(classes: int, widths: Sequence[int] = (6, 16, 120, 84), planes: int = 1) -> Nodes:
    """LeNet-5 (LeCun et al. 1998) for 28 x 28 maps, padded by 2 to the 32 x 32 of the paper: two
    5 x 5 convolutions, each with 2 x 2 pooling, and three dense layers."""
    _expect_widths("lenet5", widths, 4)
    return (
        Layer("conv1", widths[0], Window(5, padding=2), planes=planes),
        MaxPool("pool1"),
        Layer("conv2", widths[1], Window(5), planes=planes),
        MaxPool("pool2"),
        Layer("dense1", widths[2], planes=planes),
        Layer("dense2", widths[3], planes=planes),
        _head("dense3", classes),
    )


def vgg_small(classes: int, widths: Sequence[int] = (128, 256, 512), planes: int = 1) -> Nodes:
    """VGG-small of the binary-network literature (arXiv 1602.02830, 1603.05279): pairs of 3 x 3
    convolutions, pooling behind each pair, one dense head."""
    _expect_some("vgg_small", widths, 1)
    nodes: list[Node] = []
    for stage, width in enumerate(widths, 1):
        nodes += [
            Layer(f"conv{stage}a", width, SAME, planes=planes),
            Layer(f"conv{stage}b", width, SAME, planes=planes),
            MaxPool(f"pool{stage}"),
        ]
    return (*nodes, _head("dense", classes))


def resnet(
    classes: int, widths: Sequence[int], blocks: int, projection: bool, planes: int = 1
) -> Nodes:
    """Residual network for small images: a stem and ``blocks`` pairs of 3 x 3 convolutions per
    width, every convolution with a shortcut of its own around it, which binary networks need
    (Bi-Real Net, Liu et al. 2018, arXiv 1808.00278).

    Args:
        projection: where the shape changes, the shortcut is a 1 x 1 layer; else it is a subsampled
            map with channels of zeros (He et al. 2016, option A).
    """
    _expect_some("a residual network", widths, 1)
    nodes: list[Node] = [Layer("stem", widths[0], SAME, output=Kind.STREAM)]
    before, stream = widths[0], "stem"
    for stage, width in enumerate(widths, 1):
        for index in range(2 * blocks):
            tag = f"{stage}_{index + 1}"
            stride = 2 if stage > 1 and index == 0 else 1
            bits, conv = f"act{tag}", f"conv{tag}"
            window = Window(3, stride, 1)
            nodes.append(Quantise(bits, planes, source=stream))
            nodes.append(Layer(conv, width, window, output=Kind.STREAM, source=bits))
            shortcut = stream
            if (stride, width) != (1, before):
                shortcut = f"short{tag}"
                nodes.append(
                    Layer(shortcut, width, Window(1, stride), output=Kind.STREAM, source=bits)
                    if projection
                    else Subsample(shortcut, stride, width, source=stream)
                )
            stream, before = f"add{tag}", width
            nodes.append(Add(stream, (conv, shortcut)))
    return (*nodes, Quantise("act", planes), SumPool("pool"), _head("dense", classes))


def resnet18(classes: int, widths: Sequence[int] = (64, 128, 256, 512), planes: int = 1) -> Nodes:
    """ResNet-18 with the 3 x 3 stem used for 32 x 32 images: 16 convolutions, 3 projections."""
    return resnet(classes, widths, blocks=2, projection=True, planes=planes)


def resnet20(classes: int, widths: Sequence[int] = (16, 32, 64), planes: int = 1) -> Nodes:
    """ResNet-20 for 32 x 32 images: 18 convolutions, shortcuts without weights."""
    return resnet(classes, widths, blocks=3, projection=False, planes=planes)


def unet(classes: int, widths: Sequence[int] = (32, 64, 128, 256), planes: int = 1) -> Nodes:
    """U-Net (Ronneberger et al. 2015, arXiv 1505.04597) with equal padding: pairs of 3 x 3
    convolutions down to the last width and up again, maps of the way down concatenated on the way
    up, nearest-neighbour upsampling, a 1 x 1 head that gives logits at every position. Height and
    width must be multiples of ``2 ** (len(widths) - 1)``."""

    _expect_some("unet", widths, 2)

    def pair(tag: str, width: int, source: str = "") -> list[Node]:
        return [
            Layer(f"{tag}a", width, SAME, planes=planes, source=source),
            Layer(f"{tag}b", width, SAME, planes=planes),
        ]

    nodes: list[Node] = []
    for depth, width in enumerate(widths[:-1], 1):
        nodes += [*pair(f"down{depth}", width), MaxPool(f"pool{depth}")]
    nodes += pair("bottom", widths[-1])
    for depth in range(len(widths) - 1, 0, -1):
        nodes += [
            Upsample(f"grow{depth}"),
            Concat(f"join{depth}", (f"down{depth}b", "")),
            *pair(f"up{depth}", widths[depth - 1]),
        ]
    return (*nodes, _head("pixels", classes, Window(1)))


def _expect_widths(topology: str, widths: Sequence[int], count: int) -> None:
    if len(widths) != count:
        raise UserError(f"widths: {topology} takes {count}, not {len(widths)}; see its defaults")


def _expect_some(topology: str, widths: Sequence[int], least: int) -> None:
    if len(widths) < least:
        raise UserError(
            f"widths: {topology} takes {least} or more, not {len(widths)}; see its defaults"
        )


TOPOLOGIES: Mapping[str, Callable[..., Nodes]] = MappingProxyType(
    {
        "mlp": mlp,
        "lenet5": lenet5,
        "vgg_small": vgg_small,
        "resnet18": resnet18,
        "resnet20": resnet20,
        "unet": unet,
    }
)
"""Builders by name; each takes classes, widths and planes."""
