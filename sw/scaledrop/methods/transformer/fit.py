# SPDX-License-Identifier: Apache-2.0
"""Transformers as methods: deterministic, attention dropout, scale dropout; one network of all."""

from __future__ import annotations

import dataclasses
from functools import partial

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.model import NetModel
from scaledrop.methods.transformer.config import TransformerConfig, Treatment
from scaledrop.methods.transformer.network import BinaryTransformer
from scaledrop.training import TrainConfig, train
from scaledrop.training.process import chosen_device

__all__ = ["TRANSFORMERS", "fit_transformer", "needs_of", "transformer_config"]

SIDE = 4
"""Patches along a side of the image."""
GRAINS = {"none": None, "attention": Grain.NEURON, "scale": Grain.LAYER}
"""An attention weight is one output of a softmax; a normalisation layer has one bit."""


def transformer_config(
    run: TrainConfig, randomness: str, p: float = 0.0, treatment: Treatment | None = None
) -> TransformerConfig:
    """The transformer for the images and classes of a run: 4 x 4 patches, width 64, two blocks.

    Of ``run.network`` only the shape of the images and the number of classes are taken.

    Raises:
        UserError: the images cannot be cut so, or a value out of range.
    """
    shape = run.network.input_shape
    if len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] % SIDE:
        raise UserError(
            f"input_shape: must be square with sides that {SIDE} divides, not {shape}; pad or cut "
            "the images"
        )
    return TransformerConfig(
        shape,
        run.network.classes,
        patch=shape[-1] // SIDE,
        randomness=randomness,
        p=p,
        treatment=treatment or Treatment(),
    )


def needs_of(net: BinaryTransformer) -> Needs:
    """What a transformer asks for; the estimator has no price for it.

    Bits a pass: one for each normalisation layer with "scale"; with "attention", blocks x heads x
    N x N for N tokens.
    """
    randomness = net.config.randomness
    return Needs(
        net.numbers_per_pass,
        GRAINS[randomness],
        gaussian=False,
        memory_bits=net.memory_bits,
        passes=1 if randomness == "none" else 20,
    )


def fit_transformer(
    run: TrainConfig, data: ImageSet, network: TransformerConfig, device: str = "cpu"
) -> NetModel:
    """Train ``network``; weights, order and bits come from the seed of ``run``.

    Raises:
        UserError: as :func:`scaledrop.training.train`.
    """

    def build(config: TrainConfig) -> BinaryTransformer:
        return BinaryTransformer(network, config.seed)

    # There is no BatchNorm whose statistics could be estimated again.
    plain = dataclasses.replace(run, calibrate_passes=0)
    net = train(plain, data, build=build, device=device).net
    place = chosen_device(device).type
    return NetModel(net, run.network, needs_of(net), threads=run.threads, device=place)


def _fit(randomness: str, run: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    return fit_transformer(run, data, transformer_config(run, randomness, value), device)


def _fit_plain(run: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    smoothed = dataclasses.replace(run, label_smoothing=value)
    return fit_transformer(smoothed, data, transformer_config(run, "none"), device)


TRANSFORMERS = (
    Method(
        "vit",
        "Transformer, deterministic",
        "a small binary vision transformer of our own, after arXiv 2010.11929 from memory; label "
        "smoothing of arXiv 1512.00567, from memory",
        Setting("label smoothing epsilon", (0.0, 0.05, 0.1)),
        _fit_plain,
    ),
    Method(
        "vit-attention-dropout",
        "Transformer, attention dropout",
        "dropout behind the softmax as in arXiv 1706.03762 and its successors, from memory",
        Setting("dropout probability p", (0.05, 0.1, 0.2)),
        partial(_fit, "attention"),
    ),
    Method(
        "vit-scale-dropout",
        "Transformer, scale dropout",
        "unitary dropout of arXiv 2311.15816, as remembered, on gamma of each normalisation: ours",
        Setting("dropout probability p", (0.05, 0.1, 0.2)),
        partial(_fit, "scale"),
    ),
)
"""A network of their own: the last two stand beside the first."""
