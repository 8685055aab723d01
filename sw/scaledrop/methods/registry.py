# SPDX-License-Identifier: Apache-2.0
"""The methods by key, in the order of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scaledrop.methods.affine_dropout import AFFINE_DROPOUT
from scaledrop.methods.bayes_scale import BAYES_SCALE
from scaledrop.methods.contract import Method
from scaledrop.methods.deep_ensemble import DEEP_ENSEMBLE
from scaledrop.methods.deterministic import DETERMINISTIC
from scaledrop.methods.dropblock import DROPBLOCK
from scaledrop.methods.gaussian_dropout import GAUSSIAN_DROPOUT
from scaledrop.methods.mc_dropout import MC_DROPOUT
from scaledrop.methods.residual import RESIDUAL
from scaledrop.methods.scale_dropout import SCALE_DROPOUT
from scaledrop.methods.spatial_spindrop import SPATIAL_SPINDROP
from scaledrop.methods.spinbayes import SPINBAYES
from scaledrop.methods.spindrop import SPINDROP
from scaledrop.methods.stochastic_depth import STOCHASTIC_DEPTH
from scaledrop.methods.structured_ensemble import STRUCTURED_ENSEMBLE
from scaledrop.methods.transformer.fit import TRANSFORMERS

__all__ = ["METHODS"]

ALL = (
    DETERMINISTIC,
    SCALE_DROPOUT,
    MC_DROPOUT,
    SPINDROP,
    SPATIAL_SPINDROP,
    AFFINE_DROPOUT,
    BAYES_SCALE,
    SPINBAYES,
    DEEP_ENSEMBLE,
    STRUCTURED_ENSEMBLE,
    DROPBLOCK,
    GAUSSIAN_DROPOUT,
    RESIDUAL,
    STOCHASTIC_DEPTH,
    *TRANSFORMERS,
)

METHODS: Mapping[str, Method] = MappingProxyType({method.key: method for method in ALL})
