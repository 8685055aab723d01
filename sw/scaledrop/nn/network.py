# SPDX-License-Identifier: Apache-2.0
"""The Scale-Dropout network: a walk over the nodes of its graph."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.graph import INPUT, Kind, Layer, Node
from scaledrop.nn.block import ScaleDropBlock
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.scale import check_bits, draw_bits
from scaledrop.nn.seeds import stream
from scaledrop.nn.steps import plan
from scaledrop.nn.structural import apply_node
from scaledrop.nn.trainable import Trainable

__all__ = ["ScaleDropNet"]


class ScaleDropNet(Trainable):
    """Network of :class:`ScaleDropBlock`; in float64 evaluation equal to its frozen form.

    Parameters:
        config: the network.
        seed: fixes the initial weights and scales and the mask bits of training; >= 0.

    Attributes:
        graph: the nodes, ``config.graph``.
        layers: the blocks by the name of their layer, in the order of their mask bits.
        generator: the only source of mask bits, on the CPU; ``set_seed`` starts it again. The
            global generators of PyTorch and NumPy are not touched.

    Raises:
        UserError: a seed out of range, or a layer whose name PyTorch keeps for itself.

    Every value between layers is exact in float64 evaluation, run eagerly: a compiler may fuse a
    multiplication and an addition into one rounding, which only training tolerates.
    """

    def __init__(self, config: NetworkConfig, seed: int = 0) -> None:
        super().__init__()
        check_integer(seed, 0, 2**63 - 1, "seed", "give a whole number")
        self.config, self.graph = config, config.graph
        self._steps = plan(self.graph)
        self.layers = nn.ModuleDict()
        start = stream(seed, 0)
        for index, node in enumerate(self.graph.layers):
            if hasattr(self.layers, node.name):
                raise UserError(f"layers.{node.name}: PyTorch keeps this name; rename the layer")
            self.layers[node.name] = ScaleDropBlock(config, index, start)
        self.set_seed(seed)

    @property
    def blocks(self) -> list[ScaleDropBlock]:
        """The layers, in the order of their mask bits."""
        return [self.block(node.name) for node in self.graph.layers]

    def block(self, name: str) -> ScaleDropBlock:
        """One layer."""
        block = self.layers[name]
        assert isinstance(block, ScaleDropBlock)
        return block

    def set_seed(self, seed: int) -> None:
        """Restart the stream of mask bits that training draws."""
        self.generator = stream(seed, 1)
        for block in self.blocks:
            block.scale.generator = self.generator

    @property
    def weights(self) -> Sequence[nn.Parameter]:
        """Latent weights W of each layer, (out, ...)."""
        return [block.crossbar.weight for block in self.blocks]

    @property
    def scales(self) -> Sequence[nn.Parameter]:
        """Latent scales alpha of each layer, (out,)."""
        return [block.scale.alpha for block in self.blocks]

    def penalty(self) -> Tensor:
        """``sum_l (1 - mean(alpha_l))^2``, scalar."""
        return torch.stack([(1 - alpha.mean()).square() for alpha in self.scales]).sum()

    def clamp_(self) -> None:
        """Bring latent weights and scales back into range. Call after each optimiser step."""
        for block in self.blocks:
            block.crossbar.clamp_()
            block.scale.clamp_()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def draw_masks(self, samples: int, generator: torch.Generator | None = None) -> Tensor:
        """All mask bits of one pass of a batch, drawn at once: (samples, L) bool, on the CPU.

        Args:
            samples: B.
            generator: where they come from; the network's own when None.
        """
        codes = [block.scale.drop_code for block in self.blocks]
        return draw_bits(codes, samples, self.config.mask, generator or self.generator)

    def drawn(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Logits of one pass under masks drawn from ``generator``."""
        logits: Tensor = self(pixels, self.draw_masks(len(pixels), generator))
        return logits

    def image(self, pixels: Tensor) -> Tensor:
        """Pixels as the first layer takes them: (B, C, H, W) or (B, F), of the weights' kind.

        Raises:
            UserError: wrong shape, or values that are not whole numbers of ``input_bits`` bits.
        """
        shape = self.graph.values[INPUT].shape
        flat = (self.config.input_size,)
        if tuple(pixels.shape[1:]) not in (self.config.input_shape, shape, flat):
            wanted = ", ".join(map(str, self.config.input_shape))
            raise UserError(f"pixels: shape must be (B, {wanted}), not {tuple(pixels.shape)}")
        if not torch.compiler.is_compiling():
            _check_pixels(pixels, 2**self.config.input_bits - 1)
        weight = self.blocks[0].crossbar.weight
        return pixels.to(device=weight.device, dtype=weight.dtype).reshape(-1, *shape)

    def _bits(self, masks: Tensor, samples: int) -> Tensor:
        layers = len(self.graph.layers)
        if masks.shape != (samples, layers):
            raise UserError(
                f"masks: shape must be ({samples}, {layers}), not {tuple(masks.shape)}; "
                "give one bit per sample and layer"
            )
        check_bits("masks", masks)
        return masks.to(device=self.blocks[0].crossbar.weight.device, dtype=torch.bool)

    def layer_sum(self, name: str, a: Tensor) -> Tensor:
        """Crossbar sums of a layer, which do not depend on its own bit.

        Args:
            name: a layer of the graph.
            a: (B, *shape) what its source gives.

        Returns:
            (B, C) or (B, C, H, W).
        """
        result: Tensor = self.block(name).crossbar(a)
        return result

    def layer_output(self, name: str, s: Tensor, keep: Tensor | None = None) -> Tensor:
        """What a layer makes of its sums: codes as odd integers, stream values or logits.

        Args:
            name: a layer of the graph.
            s: (B, C) or (B, C, H, W) of :meth:`layer_sum`.
            keep: (B,) bits, 1 keeps the scale; None draws them, in training only.

        Returns:
            The shape of ``s``.
        """
        return self.block(name).output(s, keep)

    def structural(self, node: Node, *values: Tensor) -> Tensor:
        """What a node without weights makes of the values (B, *shape) of its sources."""
        stream = self.config.stream_bits, self.config.stream_frac_bits
        return apply_node(node, values, stream, self.config.ste)

    def _run(self, image: Tensor, bits: Tensor, stored: dict[str, Tensor] | None) -> Tensor:
        values = {INPUT: image}
        value = image
        for step in self._steps:
            name, inputs = step.node.name, [values[source] for source in step.sources]
            if step.bit >= 0:
                s, keep = self.layer_sum(name, inputs[0]), bits[:, step.bit]
                value = self.block(name).output(s, keep, 1 if self.training else step.pool)
                if stored is not None:
                    whole = value if step.pool == 1 else self.layer_output(name, s, keep)
                    stored[name] = self._stored(step.node, whole)
            elif step.done and not self.training:
                value = inputs[0]
            else:
                value = self.structural(step.node, *inputs)
            values[name] = value
            for finished in self.graph.finished[name]:
                del values[finished]
        return value

    def forward(self, pixels: Tensor, masks: Tensor | None = None) -> Tensor:
        """One stochastic pass.

        Args:
            pixels: (B, *input_shape) or (B, input_size), whole numbers 0 to 2**input_bits - 1.
            masks: (B, L) bits, 1 keeps the layer's scale. None draws one bit per layer for each
                sample (or batch, as ``config.mask`` says), in training only.

        Returns:
            Logits (B, K), or (B, K, H, W) where the head predicts at every position. In float64
            evaluation exact multiples of ``2**-logit_frac_bits``.

        Raises:
            UserError: wrong shape or values, or no masks in evaluation.
        """
        if masks is None and not self.training:
            layers = len(self.graph.layers)
            raise UserError(f"masks: evaluation needs them; give a (B, {layers}) tensor of 0/1")
        # Drawn here and before all else, so that what is compiled is one graph behind it.
        bits = self.draw_masks(len(pixels)) if masks is None else masks
        return self._run(self.image(pixels), self._bits(bits, len(pixels)), None)

    def _stored(self, node: Node, value: Tensor) -> Tensor:
        if isinstance(node, Layer) and node.output is Kind.CODES:
            codes: Tensor = (value + (2**node.planes - 1)) / 2
            return codes.to(torch.uint8)
        units: Tensor = value * 2.0**self.config.stream_frac_bits
        return units.to(torch.int32)

    @torch.no_grad()
    def trace(self, pixels: Tensor, masks: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """As ``forward``, and what the hidden layers gave, as the integers that hardware stores.

        Returns:
            By layer, in the order of the mask bits: (B, *shape) uint8 codes, or int32 stream values
            in units of ``2**-stream_frac_bits``; and the logits.
        """
        stored: dict[str, Tensor] = {}
        logits = self._run(self.image(pixels), self._bits(masks, len(pixels)), stored)
        del stored[self.graph.layers[-1].name]
        return stored, logits


def _check_pixels(pixels: Tensor, top: int) -> None:
    if not pixels.dtype.is_floating_point and not pixels.dtype.is_complex:
        if pixels.dtype == torch.bool or (pixels.dtype == torch.uint8 and top >= 255):
            return
        whole = ((pixels >= 0) & (pixels <= top)).all()
    else:
        whole = ((pixels >= 0) & (pixels <= top) & (pixels == pixels.round())).all()
    if not whole:
        raise UserError(f"pixels: must be whole numbers 0 to {top}; do not scale or centre them")
