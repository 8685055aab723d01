# SPDX-License-Identifier: Apache-2.0
"""The golden model: a frozen network in plain 64-bit integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head
from scaledrop.numbers import Coding, activation_bit, scaled_sum
from scaledrop.record import PassRecord

__all__ = ["check_images", "check_masks", "check_passes", "infer"]

MAX_SUM_WIDTH = 63


def check_images(network: FrozenNetwork, images: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Images (N, *input_shape) or (N, input_size) as (N, input_size) integers.

    Raises:
        UserError: wrong shape, or a pixel outside ``0 .. 2**input_bits - 1``.
    """
    images = np.asarray(images)
    if images.ndim < 2 or images.shape[1:] not in (network.input_shape, (network.input_size,)):
        raise UserError(f"images: shape must be (N, {network.input_size}), not {images.shape}")
    if images.dtype.kind not in "iu":
        raise UserError(
            f"images: must be integers of {network.input_bits} bits, not {images.dtype}"
        )
    top = (1 << network.input_bits) - 1
    if images.size and (images.min() < 0 or images.max() > top):
        worst = images.min() if images.min() < 0 else images.max()
        raise UserError(f"images: pixels must be 0 to {top}, not {worst}")
    return images.reshape(len(images), network.input_size).astype(np.int64)


def check_passes(network: FrozenNetwork, passes: int) -> None:
    """Whether logits summed over ``passes`` passes fit the 64-bit integers of the golden model.

    Raises:
        UserError: no pass at all, or sums that would not fit.
    """
    if passes < 1:
        raise UserError(f"passes: must be 1 or more, not {passes}")
    if network.logit_width + passes.bit_length() > MAX_SUM_WIDTH:
        raise UserError(
            f"passes: sums of {passes} logits of {network.logit_width} bits do not fit "
            f"{MAX_SUM_WIDTH} bits; use fewer passes or a lower gain_bits"
        )


def check_masks(
    network: FrozenNetwork, masks: npt.NDArray[np.integer], images: int
) -> npt.NDArray[np.uint8]:
    """Masks (N, T, L) as bits.

    Raises:
        UserError: wrong shape or a value other than 0 and 1.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3 or masks.shape[0] != images or masks.shape[2] != len(network.layers):
        raise UserError(
            f"masks: shape must be ({images}, T, {len(network.layers)}), not {masks.shape}"
        )
    check_passes(network, masks.shape[1])
    if not np.isin(masks, (0, 1)).all():
        raise UserError("masks: must be 0 or 1")
    return masks.astype(np.uint8)


def _crossbar_sum(layer: FrozenLayer, inputs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    values = inputs if layer.coding is Coding.UNSIGNED else 2 * inputs - 1
    sums: npt.NDArray[np.int64] = values @ (2 * layer.weights.astype(np.int64) - 1).T
    return sums


def infer(
    network: FrozenNetwork, images: npt.NDArray[np.integer], masks: npt.NDArray[np.integer]
) -> PassRecord:
    """Run every pass of every image.

    Args:
        images: (N, input_size) unsigned pixels.
        masks: (N, T, L) bits, 1 keeps the scale of that layer in that pass.

    Returns:
        The full record. The first layer's sum is computed once per image: it depends on no bit.
    """
    pixels = check_images(network, images)
    keep = check_masks(network, masks, len(pixels))
    inputs = pixels[:, None, :]
    hidden: list[npt.NDArray[np.uint8]] = []
    logits = np.zeros((0,), dtype=np.int64)
    for index, layer in enumerate(network.layers):
        shat = scaled_sum(
            _crossbar_sum(layer, inputs),
            layer.scale,
            keep[:, :, index, None],
            network.scale_frac_bits,
        )
        if isinstance(layer.output, Head):
            logits = layer.output.gain * shat + layer.output.offset
        else:
            bits = activation_bit(shat, layer.output.threshold, layer.output.flip)
            hidden.append(bits.astype(np.uint8))
            inputs = bits.astype(np.int64)
    return PassRecord.of_passes(keep, tuple(hidden), logits)
