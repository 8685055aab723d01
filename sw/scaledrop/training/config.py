# SPDX-License-Identifier: Apache-2.0
"""What a training run depends on, in one frozen object with a stable hash."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from scaledrop.errors import UserError
from scaledrop.nn.config import NetworkConfig

__all__ = ["AUGMENTS", "PRECISIONS", "TrainConfig", "refuse_unknown"]

AUGMENTS = ("none", "shift", "flip-crop")
PRECISIONS = ("float32", "bfloat16")

WHOLE = {"epochs": 1, "batch_size": 2, "calibrate_passes": 0, "tile": 0, "threads": 1, "seed": 0}
"""Whole numbers and their least values."""


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        network: what is trained.
        data: name of the images, a set of :data:`scaledrop.data.SET_NAMES` or a user's own.
        epochs: 1 or more.
        batch_size: 2 or more; an epoch is as many whole batches as the data gives.
        learning_rate: of Adam at the start, > 0; it falls to 0 along half a cosine.
        scale_learning_rate: that of the scales alpha, > 0; None takes ``learning_rate``.
        weight_decay: lambda of the loss, >= 0; the optimiser has none of its own.
        scale_pull: phi of the loss, >= 0.
        label_smoothing: share of the target spread over all classes, 0 to below 1.
        augment: what is done to training images, one of

            - "none";
            - "shift": each image moved by up to 2 pixels each way, zeros where nothing was;
            - "flip-crop": each image mirrored left to right half of the time, and moved by up to
              4 pixels (He et al. 2016, as usual for CIFAR).
        calibrate_passes: times the training images are seen once more, in float32, to estimate
            the statistics of BatchNorm (:func:`scaledrop.nn.calibrate_norms`); 0 leaves the
            running ones.
        tile: side of the square crops that the network sees of larger images, drawn at random; an
            epoch has as many of an image as fit into it. 0 takes whole images.
        precision: of the forward pass in training, "float32" or "bfloat16".
        threads: CPU threads, 1 or more. Another number gives other bits.
        seed: of weights, scales, order, masks and augmentation, >= 0.

    Raises:
        UserError: names the field, the value and the remedy.
    """

    network: NetworkConfig
    data: str = "digits"
    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 0.005
    scale_learning_rate: float | None = None
    weight_decay: float = 1e-6
    scale_pull: float = 0.01
    label_smoothing: float = 0.0
    augment: str = "none"
    calibrate_passes: int = 1
    tile: int = 0
    precision: str = "float32"
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for field, low in WHOLE.items():
            value = getattr(self, field)
            if type(value) is not int or value < low:
                raise UserError(
                    f"{field}: must be a whole number, {low} or more, not {value!r}; raise it"
                )
        self._check_rates()
        for field, choices in (("augment", AUGMENTS), ("precision", PRECISIONS)):
            value = getattr(self, field)
            if value not in choices:
                raise UserError(f"{field}: must be one of {', '.join(choices)}, not {value!r}")
        if not isinstance(self.data, str) or not self.data:
            raise UserError(f"data: must be the name of a set, not {self.data!r}; try 'digits'")

    def _check_rates(self) -> None:
        for field in ("learning_rate", "scale_learning_rate"):
            value = getattr(self, field)
            if value is None and field == "scale_learning_rate":
                continue
            if not _is_number(value) or not 0 < value < math.inf:
                raise UserError(f"{field}: must be above 0, not {value!r}; try 0.005")
        for field in ("weight_decay", "scale_pull"):
            value = getattr(self, field)
            if not _is_number(value) or not 0 <= value < math.inf:
                raise UserError(f"{field}: must be 0 or more, not {value!r}; 0 turns the term off")
        smoothing = self.label_smoothing
        if not _is_number(smoothing) or not 0 <= smoothing < 1:
            raise UserError(f"label_smoothing: must be 0 to below 1, not {smoothing!r}; try 0.1")

    def to_values(self) -> dict[str, Any]:
        """An object of plain JSON values; every field is in it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**values, "network": self.network.to_json()}

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces; equal configurations give equal text."""
        return json.dumps(self.to_values(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_values(cls, values: Any) -> TrainConfig:
        """The inverse of :meth:`to_values`; a field left out has its default.

        Raises:
            UserError: not an object, an unknown or missing field, or a value out of range.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"config: must be an object, not {type(values).__name__}")
        refuse_unknown(values, [field.name for field in dataclasses.fields(cls)])
        if "network" not in values:
            raise UserError("network: is missing; give it")
        network = values["network"]
        if isinstance(network, Mapping):
            known = [field.name for field in dataclasses.fields(NetworkConfig)]
            refuse_unknown(network, known, "network.")
        return cls(**{**values, "network": NetworkConfig.from_json(network)})

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """The inverse of :meth:`to_json`; a field left out has its default.

        Raises:
            UserError: not JSON, an unknown or missing field, or a value out of range.
        """
        try:
            values = json.loads(text)
        except (ValueError, TypeError) as error:
            raise UserError(f"config: cannot be read ({error}); train again") from None
        return cls.from_values(values)

    def config_hash(self) -> str:
        """sha256 of :meth:`to_json`, in hexadecimal: the name of a cached result."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def refuse_unknown(values: Mapping[Any, Any], known: Collection[str], where: str = "") -> None:
    """Refuse a misspelt key, and say which was probably meant.

    Args:
        values: what was given.
        known: the keys there are.
        where: put before the key in the message.

    Raises:
        UserError: names the first key that is not known and the closest that is.
    """
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose of {', '.join(known)}"
            raise UserError(f"{where}{key}: is no field of the configuration; {hint}")
