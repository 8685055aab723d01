# SPDX-License-Identifier: Apache-2.0
"""Small runs of each kind: dense, convolutional, and one label for each pixel."""

from __future__ import annotations

from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.nn import NetworkConfig
from scaledrop.training import TrainConfig

DENSE = TrainConfig(
    NetworkConfig("dense", (8, 8), 10, widths=(24,)), epochs=3, batch_size=32, learning_rate=0.01
)
CONV = TrainConfig(
    NetworkConfig(
        "conv",
        (8, 8),
        10,
        "custom",
        nodes=(
            Layer("conv", 6, Window(3, padding=1)),
            MaxPool("pool"),
            Layer("head", 10, output=Kind.LOGITS),
        ),
    ),
    epochs=3,
    batch_size=32,
    learning_rate=0.01,
    augment="shift",
)
PIXELS = TrainConfig(
    NetworkConfig("pixels", (8, 8), 2, "unet", widths=(4, 6)),
    data="squares",
    epochs=3,
    batch_size=16,
    learning_rate=0.02,
    tile=8,
)
RUNS = {"dense": DENSE, "conv": CONV, "pixels": PIXELS}
