# SPDX-License-Identifier: Apache-2.0
"""A small vision transformer with binary linear maps, in PyTorch alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.methods.transformer.block import Attention, Mlp
from scaledrop.methods.transformer.config import TransformerConfig
from scaledrop.methods.transformer.linear import BinaryMap, Maker
from scaledrop.methods.transformer.scale_vector import ScalePlace
from scaledrop.methods.transformer.source import BitSource
from scaledrop.nn.seeds import stream
from scaledrop.nn.trainable import Trainable

__all__ = ["BinaryTransformer"]

FLOAT_BITS = 32
POSITION_SPREAD = 0.02


class BinaryTransformer(Trainable):
    """Patches, a binary embedding, blocks of attention and MLP, the mean over tokens, a head.

    All linear maps have weights of one sign bit. Scale vectors, positions and the gain and bias
    of each logit are real. It is not mapped to the accelerator.

    Parameters:
        config: the network.
        seed: of the start and of the bits that training draws; >= 0.

    Attributes:
        generator: the only source of bits in training, on the CPU; evaluation drops nothing but in
            :meth:`drawn`.

    Raises:
        UserError: a seed out of range.
    """

    def __init__(self, config: TransformerConfig, seed: int) -> None:
        super().__init__()
        check_integer(seed, 0, 2**63 - 1, "seed", "give a whole number")
        self.config = config
        start, self.generator = stream(seed, 0), stream(seed, 1)
        self.source = BitSource(self.generator)
        make = Maker(config, self.source, start)
        self.embed = make.linear(config.channels * config.patch**2, config.width, planes=0)
        position = torch.randn(config.tokens, config.width, generator=start)
        self.position = nn.Parameter(POSITION_SPREAD * position)
        parts = [part(make) for _ in range(config.blocks) for part in (Attention, Mlp)]
        self.blocks = nn.Sequential(*parts)
        self.norm = make.norm(config.width, "input")
        self.head = make.linear(config.width, config.classes)
        self.gain = nn.Parameter(torch.ones(config.classes))
        self.bias = nn.Parameter(torch.zeros(config.classes))

    @property
    def maps(self) -> list[BinaryMap]:
        """All binary maps, in the order of evaluation within a block's parts."""
        return [part for part in self.modules() if isinstance(part, BinaryMap)]

    @property
    def places(self) -> list[ScalePlace]:
        """All places of scale vectors; each draws one bit with randomness "scale"."""
        return [part for part in self.modules() if isinstance(part, ScalePlace)]

    @property
    def weights(self) -> Sequence[nn.Parameter]:
        """Latent weights of the binary maps."""
        return [one.crossbar.weight for one in self.maps]

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        """What the scale vectors are made of."""
        return [value for place in self.places for value in place.parameters()]

    def scale_vectors(self) -> dict[str, Tensor]:
        """All gamma as learned, by role, one after another."""
        return {
            role: torch.cat([g for p in self.places if p.role == role for g in p.gammas()]).detach()
            for role in ("input", "output")
        }

    def penalty(self) -> Tensor:
        """``sum over all scale vectors of (1 - mean gamma)**2``, as for all methods."""
        gammas = [gamma for place in self.places for gamma in place.gammas()]
        return torch.stack([(1 - gamma.mean()).square() for gamma in gammas]).sum()

    def extra_loss(self) -> Tensor | None:
        """Decay of the scale vectors as the treatment has it; None without."""
        treatment = self.config.treatment
        factors = {"input": treatment.input_decay, "output": treatment.output_decay}
        terms = [
            factors[place.role] * (gamma - treatment.decay_towards).square().sum()
            for place in self.places
            if factors[place.role]
            for gamma in place.gammas()
        ]
        return torch.stack(terms).sum() if terms else None

    def clamp_(self) -> None:
        """Bring latent weights back into range. Call after each optimiser step."""
        for one in self.maps:
            one.crossbar.clamp_()

    @property
    def numbers_per_pass(self) -> int:
        """Random bits that one pass of one image draws."""
        config = self.config
        match config.randomness:
            case "attention":
                return config.blocks * config.heads * config.tokens**2
            case "scale":
                return len(self.places)
        return 0

    @property
    def memory_bits(self) -> int:
        """One bit a binary weight, 32 for each other number; OR and ER are folded into gamma."""
        maps = sum(weight.numel() for weight in self.weights)
        gammas = sum(gamma.numel() for place in self.places for gamma in place.gammas())
        rest = sum(value.numel() for value in (self.position, self.gain, self.bias))
        return maps + FLOAT_BITS * (gammas + rest)

    def patches(self, pixels: Tensor) -> Tensor:
        """(B, *image_shape) pixels 0 to 255 to (B, N, C * patch**2) of -1 to 1.

        Raises:
            UserError: another shape.
        """
        config = self.config
        if tuple(pixels.shape[1:]) != config.image_shape:
            wanted = ", ".join(map(str, config.image_shape))
            raise UserError(f"pixels: shape must be (B, {wanted}), not {tuple(pixels.shape)}")
        height, width = config.image_shape[-2:]
        whole = pixels.to(self.gain.device, self.gain.dtype).reshape(-1, 1, height, width)
        cut = nn.functional.unfold(whole / 127.5 - 1, config.patch, stride=config.patch)
        return cut.reshape(len(pixels), -1, config.tokens).transpose(1, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (B, K) of one pass over (B, *image_shape) pixels."""
        return self._pass(pixels, self.generator, self.training)

    def _pass(self, pixels: Tensor, generator: torch.Generator, on: bool) -> Tensor:
        self.source.generator, self.source.on = generator, on
        x = self.blocks(self.embed(self.patches(pixels)) + self.position)
        logits: Tensor = self.head(self.norm(x.mean(dim=1))) * self.gain + self.bias
        return logits

    def drawn(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Logits of one stochastic pass whose bits come from ``generator``."""
        return self._pass(pixels, generator, True)
