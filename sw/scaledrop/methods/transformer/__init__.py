# SPDX-License-Identifier: Apache-2.0
"""A small vision transformer with binary linear maps; PyTorch alone, no hardware."""

from scaledrop.methods.transformer.config import TransformerConfig, Treatment
from scaledrop.methods.transformer.fit import (
    TRANSFORMERS,
    fit_transformer,
    needs_of,
    transformer_config,
)
from scaledrop.methods.transformer.network import BinaryTransformer

__all__ = [
    "TRANSFORMERS",
    "BinaryTransformer",
    "TransformerConfig",
    "Treatment",
    "fit_transformer",
    "needs_of",
    "transformer_config",
]
