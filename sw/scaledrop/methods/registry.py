# SPDX-License-Identifier: Apache-2.0
"""The methods by key, in the order of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scaledrop.methods.bayes_scale import BAYES_SCALE
from scaledrop.methods.contract import Method
from scaledrop.methods.deep_ensemble import DEEP_ENSEMBLE
from scaledrop.methods.deterministic import DETERMINISTIC
from scaledrop.methods.spinbayes import SPINBAYES
from scaledrop.methods.structured_ensemble import STRUCTURED_ENSEMBLE

__all__ = ["METHODS"]

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.key: method
        for method in (
            DETERMINISTIC,
            BAYES_SCALE,
            SPINBAYES,
            DEEP_ENSEMBLE,
            STRUCTURED_ENSEMBLE,
        )
    }
)  # fmt: skip
