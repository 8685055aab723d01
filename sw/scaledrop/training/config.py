# SPDX-License-Identifier: Apache-2.0
"""What a training run depends on, in one frozen object with a stable hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from scaledrop.errors import UserError
from scaledrop.nn.network import NetworkConfig

__all__ = ["CONFIGS", "TrainConfig", "named_config"]


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        network: what is trained.
        epochs: 1 or more.
        batch_size: 2 or more; an epoch is as many whole batches as the data gives.
        learning_rate: of Adam at the start, > 0; it falls to 0 along half a cosine.
        weight_decay: lambda of the loss, >= 0.
        scale_pull: phi of the loss, >= 0.
        seed: of weights, scales, order and masks, >= 0.

    Raises:
        UserError: names the field, the value and the remedy.
    """

    network: NetworkConfig
    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 0.005
    weight_decay: float = 1e-6
    scale_pull: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        for field, low in (("epochs", 1), ("batch_size", 2), ("seed", 0)):
            value = getattr(self, field)
            if type(value) is not int or value < low:
                raise UserError(
                    f"{field}: must be a whole number, {low} or more, not {value!r}; raise it"
                )
        if not 0 < self.learning_rate < math.inf:
            raise UserError(f"learning_rate: must be above 0, not {self.learning_rate}; try 0.005")
        for field in ("weight_decay", "scale_pull"):
            value = getattr(self, field)
            if not 0 <= value < math.inf:
                raise UserError(f"{field}: must be 0 or more, not {value}; 0 turns the term off")

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces; equal configurations give equal text."""
        return json.dumps(
            dataclasses.asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False
        )

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """The inverse of :meth:`to_json`.

        Raises:
            UserError: not JSON, an unknown or missing field, or a value out of range.
        """
        try:
            values: dict[str, Any] = dict(json.loads(text))
            return cls(**{**values, "network": NetworkConfig(**values["network"])})
        except UserError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(f"config: cannot be read ({error}); train again") from None

    def config_hash(self) -> str:
        """sha256 of :meth:`to_json`, in hexadecimal: the name of a cached result."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


CONFIGS: Mapping[str, TrainConfig] = MappingProxyType(
    {
        "digits": TrainConfig(
            NetworkConfig("digits", input_shape=(8, 8), classes=10, hidden=(128, 128), p=0.1)
        )
    }
)
"""Named configurations, shared by the command line, the tests and the documentation."""


def named_config(name: str, seed: int = 0) -> TrainConfig:
    """A configuration of :data:`CONFIGS` with another seed.

    Raises:
        UserError: the name is unknown, or the seed negative.
    """
    if name not in CONFIGS:
        raise UserError(f"config: {name!r} is not known; choose one of {', '.join(CONFIGS)}")
    return dataclasses.replace(CONFIGS[name], seed=seed)
