# SPDX-License-Identifier: Apache-2.0
"""A PyTorch network behind :func:`scaledrop.predict.predict`."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scaledrop.graph import INPUT, Layer
from scaledrop.images import checked_pixels
from scaledrop.nn.network import ScaleDropNet
from scaledrop.sharing import Plan

__all__ = ["TorchEvaluator"]

CHUNK_IMAGES = 256


class TorchEvaluator:
    """A copy of a network in evaluation, following a plan of shared prefixes.

    Parameters:
        net: any network; it is not changed.
        dtype: of the copy. In float64 (on a CPU) the logits equal the frozen network's.
        device: of the copy; that of ``net`` when None.
    """

    parallel = False
    frac_bits = 0
    chunk_images = CHUNK_IMAGES

    def __init__(
        self,
        net: ScaleDropNet,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        self.net = copy.deepcopy(net).to(device=device, dtype=dtype).eval()
        self._weight = self.net.blocks[0].crossbar.weight
        pools = (self.net.graph.pool_behind(layer) for layer in self.net.graph.layers)
        self._pooled = {pool.name for pool in pools if pool is not None}

    @property
    def drop_codes(self) -> tuple[int, ...]:
        """Dropout probabilities of the layers, times ``2**16``."""
        return tuple(block.scale.drop_code for block in self.net.blocks)

    @property
    def prefix_bytes(self) -> int:
        """Bytes of the values alive together, twice, for copies."""
        return 2 * self._weight.element_size() * self.net.graph.peak_size

    def images(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Images checked.

        Raises:
            UserError: wrong shape or range.
        """
        config = self.net.config
        return checked_pixels(images, config.input_shape, config.input_bits)

    @torch.inference_mode()
    def leaf_logits(self, images: npt.NDArray[Any], plan: Plan) -> npt.NDArray[Any]:
        """Logits (leaves, ..., K) under ``plan``, in real units, of the copy's dtype."""
        graph, device = self.net.graph, self._weight.device
        values: dict[str, tuple[Tensor, Tensor | None]] = {
            INPUT: (self.net.image(torch.from_numpy(images.astype(np.int32))), None)
        }
        splits = iter(plan.splits)
        for node in graph.nodes:
            inputs = [values[source] for source in graph.sources[node.name]]
            if isinstance(node, Layer):
                split = next(splits)
                parents = torch.from_numpy(split.parents).to(device)
                keep = torch.arange(len(parents), device=device) < len(split.kept)
                sums = self.net.layer_sum(node.name, inputs[0][0])
                rows = _after(inputs[0][1], parents)
                values = {name: (v, _after(at, parents)) for name, (v, at) in values.items()}
                pool = graph.pool_behind(node)
                block = self.net.block(node.name)
                result = block.output(sums[rows], keep, pool.size if pool else 1)
                values[node.name] = (result, None)
            elif node.name in self._pooled:
                values[node.name] = inputs[0]
            elif len(inputs) == 1:
                result = self.net.structural(node, inputs[0][0])
                values[node.name] = (result, inputs[0][1])
            else:
                aligned = (v if at is None else v[at] for v, at in inputs)
                values[node.name] = (self.net.structural(node, *aligned), None)
            for name in graph.finished[node.name]:
                del values[name]
        logits = values[graph.nodes[-1].name][0]
        return np.asarray(logits.movedim(1, -1).cpu().numpy())


def _after(rows: Tensor | None, parents: Tensor) -> Tensor:
    return parents if rows is None else rows[parents]
