# SPDX-License-Identifier: Apache-2.0
"""The methods by key, in the order of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scaledrop.methods.contract import Method
from scaledrop.methods.deterministic import DETERMINISTIC
from scaledrop.methods.transformer.fit import TRANSFORMERS

__all__ = ["METHODS"]

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.key: method
        for method in (
            DETERMINISTIC,
            *TRANSFORMERS,
        )
    }
)  # fmt: skip
