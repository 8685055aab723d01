# SPDX-License-Identifier: Apache-2.0
"""The dense Scale-Dropout network and its checked configuration."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.frozen import check_name
from scaledrop.nn.binary import BinaryLinear, SignActivation
from scaledrop.nn.norm import HeadBatchNorm1d, ScaleBatchNorm1d
from scaledrop.nn.scale import ScaleDropout, adaptive_p
from scaledrop.numbers import drop_code

__all__ = ["NetworkConfig", "ScaleDropBlock", "ScaleDropNet"]


def _check_range(field: str, value: object, low: int, high: int, hint: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UserError(f"{field}: must be {low} to {high}, not {value!r}; {hint}")


@dataclass(frozen=True)
class NetworkConfig:
    """What a dense network is made of, before any training.

    Attributes:
        name: letters, digits, '-' and '_'; names files and modules.
        input_shape: shape of one image; its size is the first fan-in.
        classes: number of logits, at least 2.
        hidden: widths of the hidden layers; may be empty.
        p: dropout probability per layer, in [0, 1). A single number stands for all layers and
            "adaptive" for :func:`adaptive_p` of the weight counts; both are stored expanded.
        input_bits: bits of an unsigned pixel, 1 to 16.
        scale_bits, scale_frac_bits: unsigned format of alpha.
        gain_bits: signed width of the last layer's gains, 2 to 24.
        init_spread: standard deviation of the initial scales around 1, 0 to 1.

    Raises:
        UserError: names the field, the value and the remedy.
    """

    name: str
    input_shape: tuple[int, ...]
    classes: int
    hidden: tuple[int, ...]
    p: tuple[float, ...] | float | str = 0.1
    input_bits: int = 8
    scale_bits: int = 8
    scale_frac_bits: int = 6
    gain_bits: int = 12
    init_spread: float = 0.3

    def __post_init__(self) -> None:
        check_name(self.name, "name")
        for field in ("input_shape", "hidden"):
            sizes = getattr(self, field)
            if not isinstance(sizes, tuple | list):
                raise UserError(f"{field}: must be a list of sizes, not {sizes!r}; try (128, 128)")
            for size in sizes:
                _check_range(field, size, 1, 2**20, "give sizes such as 128")
            object.__setattr__(self, field, tuple(sizes))
        if not self.input_shape:
            raise UserError("input_shape: must have a dimension, not (); give for example (8, 8)")
        _check_range("classes", self.classes, 2, 2**20, "give the number of classes")
        _check_range("input_bits", self.input_bits, 1, 16, "8 is usual")
        _check_range("scale_bits", self.scale_bits, 1, 16, "8 is usual")
        _check_range(
            "scale_frac_bits", self.scale_frac_bits, 0, self.scale_bits - 1, "1.0 must be exact"
        )
        _check_range("gain_bits", self.gain_bits, 2, 24, "12 is usual")
        if not 0.0 <= self.init_spread <= 1.0:
            raise UserError(f"init_spread: must be 0 to 1, not {self.init_spread}; 0.3 is usual")
        object.__setattr__(self, "p", self._expanded_p())

    def _expanded_p(self) -> tuple[float, ...]:
        layers = len(self.hidden) + 1
        if isinstance(self.p, str):
            if self.p != "adaptive":
                raise UserError(f"p: must be numbers or 'adaptive', not {self.p!r}; try 0.1")
            return adaptive_p([a * b for a, b in self.layer_sizes])
        values = self.p if isinstance(self.p, tuple | list) else (self.p,) * layers
        if len(values) != layers:
            raise UserError(
                f"p: must have one value per layer, {layers}, not {len(values)}; "
                "or give a single number"
            )
        for index, value in enumerate(values):
            if not isinstance(value, int | float):
                raise UserError(
                    f"p[{index}]: must be a number, not {value!r}; give for example 0.1"
                )
            drop_code(value, f"p[{index}]")
        return tuple(float(value) for value in values)

    @property
    def layer_p(self) -> tuple[float, ...]:
        """``p`` with its type narrowed: one number per layer."""
        assert isinstance(self.p, tuple)
        return self.p

    @property
    def input_size(self) -> int:
        return math.prod(self.input_shape)

    @property
    def layer_sizes(self) -> list[tuple[int, int]]:
        """(fan-in, fan-out) of each layer."""
        widths = [self.input_size, *self.hidden, self.classes]
        return list(itertools.pairwise(widths))


def _stream(seed: int, index: int) -> torch.Generator:
    """An independent stream of a seed; no other code shares its numbers."""
    state = np.random.SeedSequence([seed, index]).generate_state(2)
    return torch.Generator().manual_seed(int(state[0]) << 31 | int(state[1]) >> 1)


class ScaleDropBlock(nn.Module):
    """One layer: crossbar, scale dropout, BatchNorm and, unless it is the last, the sign."""

    def __init__(self, config: NetworkConfig, index: int, generator: torch.Generator) -> None:
        super().__init__()
        fan_in, channels = config.layer_sizes[index]
        self.linear = BinaryLinear(fan_in, channels, generator)
        self.scale = ScaleDropout(
            channels,
            config.layer_p[index],
            config.scale_bits,
            config.scale_frac_bits,
            config.init_spread,
            generator=generator,
        )
        self.norm: ScaleBatchNorm1d | HeadBatchNorm1d
        self.activation: nn.Module
        if index < len(config.hidden):
            self.norm, self.activation = ScaleBatchNorm1d(channels), SignActivation()
        else:
            self.norm = HeadBatchNorm1d(channels, config.gain_bits, config.scale_frac_bits)
            self.activation = nn.Identity()

    def forward(self, a: Tensor, keep: Tensor | None = None) -> Tensor:
        """(B, in) to (B, out); ``keep`` as in :class:`ScaleDropout`."""
        result: Tensor = self.activation(self.norm(self.scale(self.linear(a), keep)))
        return result


class ScaleDropNet(nn.Module):
    """Dense network of :class:`ScaleDropBlock`; in float64 evaluation equal to its frozen form.

    Parameters:
        config: the network.
        seed: fixes the initial weights and scales and the mask bits of training; >= 0.

    The network holds the only generator its masks come from (``set_seed`` starts it again); the
    global generators of PyTorch and NumPy are not touched.
    """

    def __init__(self, config: NetworkConfig, seed: int = 0) -> None:
        super().__init__()
        _check_range("seed", seed, 0, 2**63 - 1, "give a whole number")
        self.config = config
        start = _stream(seed, 0)
        self.layers = nn.ModuleList(
            ScaleDropBlock(config, index, start) for index in range(len(config.layer_sizes))
        )
        self.set_seed(seed)

    @property
    def blocks(self) -> list[ScaleDropBlock]:
        return [block for block in self.layers if isinstance(block, ScaleDropBlock)]

    def set_seed(self, seed: int) -> None:
        """Restart the stream of mask bits that training draws."""
        self.generator = _stream(seed, 1)
        for block in self.blocks:
            block.scale.generator = self.generator

    def clamp_(self) -> None:
        """Bring latent weights and scales back into range. Call after each optimiser step."""
        for block in self.blocks:
            block.linear.clamp_()
            block.scale.clamp_()

    def _inputs(self, pixels: Tensor) -> Tensor:
        size, top = self.config.input_size, 2**self.config.input_bits - 1
        if pixels.ndim < 2 or pixels[0:1].numel() not in (0, size):
            raise UserError(f"pixels: shape must be (B, {size}), not {tuple(pixels.shape)}")
        values = pixels.reshape(len(pixels), size).to(self.blocks[0].linear.weight)
        if not ((values >= 0) & (values <= top) & (values == values.round())).all():
            raise UserError(
                f"pixels: must be whole numbers 0 to {top}; do not scale or centre them"
            )
        return values

    def _masks(self, masks: Tensor | None, samples: int) -> Sequence[Tensor | None]:
        layers = len(self.layers)
        if masks is None:
            if not self.training:
                raise UserError(f"masks: evaluation needs them; give a (B, {layers}) tensor of 0/1")
            return [None] * layers
        if masks.shape != (samples, layers):
            raise UserError(
                f"masks: shape must be ({samples}, {layers}), not {tuple(masks.shape)}; "
                "give one bit per sample and layer"
            )
        return masks.unbind(dim=1)

    def forward(self, pixels: Tensor, masks: Tensor | None = None) -> Tensor:
        """One stochastic pass.

        Args:
            pixels: (B, input_size) or (B, *input_shape), whole numbers 0 to 2**input_bits - 1.
            masks: (B, L) bits, 1 keeps the layer's scale. None draws one bit per sample and layer,
                in training only.

        Returns:
            Logits (B, K). In float64 evaluation an exact multiple of ``2**-logit_frac_bits``.

        Raises:
            UserError: wrong shape or values, or no masks in evaluation.
        """
        a = self._inputs(pixels)
        for block, keep in zip(self.blocks, self._masks(masks, len(a)), strict=True):
            a = block(a, keep)
        return a

    @torch.no_grad()
    def trace(self, pixels: Tensor, masks: Tensor) -> tuple[list[Tensor], Tensor]:
        """As ``forward``, and what the hidden layers gave: list of (B, C) uint8 bits, logits."""
        hidden: list[Tensor] = []
        a = self._inputs(pixels)
        for block, keep in zip(self.blocks, self._masks(masks, len(a)), strict=True):
            a = block(a, keep)
            hidden.append((a > 0).to(torch.uint8))
        return hidden[:-1], a
