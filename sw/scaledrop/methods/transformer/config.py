# SPDX-License-Identifier: Apache-2.0
"""What a binary vision transformer is made of, before any training: checked, frozen objects."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.nn.scale import check_choice
from scaledrop.nn.ste import check_ste
from scaledrop.nodes import MAX_PLANES
from scaledrop.numbers import drop_code

__all__ = ["FORMS", "PLACEMENTS", "RANDOMNESS", "TransformerConfig", "Treatment"]

RANDOMNESS = ("none", "attention", "scale")
PLACEMENTS = ("input", "dual", "dual-norm")
FORMS = ("plain", "product", "exponential")


@dataclass(frozen=True)
class Treatment:
    """What is done to the scale vectors gamma; each field is an option of its own.

    Attributes:
        input_decay: factor of ``sum (gamma - decay_towards)**2`` in the loss, over the vectors of
            input norms, those whose output a linear map takes; 0 or more. With ``output_decay`` at
            0 this is IWD.
        output_decay: the same over the vectors behind a linear map: Q-norm, K-norm, the norm
            behind the MLP, and what ``placement`` adds.
        decay_towards: 0 as the paper's weight decay; 1, where a dropped vector is, is our option.
        branches: a vector of its own for each of Q, K and V behind their shared input norm (HG).
        placement: where a map fed by an input norm has vectors: "input", before it; "dual", also
            behind it, ``gamma_out * W(gamma_in * x)`` (DP); "dual-norm", with a normalisation
            between (DNP). Q and K end in a norm with a vector anyway: it is V and the first map of
            the MLP that change.
        form: gamma itself is learned ("plain"), or ``beta * alpha`` ("product", OR) or
            ``exp(beta) * alpha`` ("exponential", ER) with a number beta and a vector alpha.
        start_spread: standard deviation around 1 that every gamma starts with, 0 to 1; 0 in the
            paper. Ours, as the spread start of :class:`scaledrop.nn.ScaleDropout` is.

    Raises:
        UserError: names the field, the value and the remedy.

    Source: arXiv 2605.26895, of which the abstract was read and the rest in secondary notes: that
    decay helps input norms and harms output norms, HG, DP, DNP and that gamma starts at 1. What
    the letters of OR and ER stand for is a guess. The decay of the paper is the optimiser's; here
    it is a term of the loss, on gamma and not on alpha and beta, like all decay in this package.
    """

    input_decay: float = 0.0
    output_decay: float = 0.0
    decay_towards: float = 0.0
    branches: bool = False
    placement: str = "input"
    form: str = "plain"
    start_spread: float = 0.0

    def __post_init__(self) -> None:
        for name in ("input_decay", "output_decay"):
            _check_number(name, getattr(self, name), math.inf, "0 turns it off")
        for name in ("decay_towards", "start_spread"):
            _check_number(name, getattr(self, name), 1.0, "0 is the paper's")
        if not isinstance(self.branches, bool):
            raise UserError(f"branches: must be true or false, not {self.branches!r}")
        check_choice("placement", self.placement, PLACEMENTS)
        check_choice("form", self.form, FORMS)


def _check_number(name: str, value: Any, high: float, hint: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= high or math.isinf(value):
        limit = "0 or more" if math.isinf(high) else f"0 to {high:g}"
        raise UserError(f"{name}: must be {limit}, not {value!r}; {hint}")


@dataclass(frozen=True)
class TransformerConfig:
    """A vision transformer whose linear maps have weights of one sign bit.

    Attributes:
        image_shape: (H, W) or (C, H, W) of 8-bit pixels.
        classes: number of logits, at least 2.
        patch: side of the square patches; divides H and W.
        width: channels of a token.
        heads: of attention; divides ``width``.
        blocks: of attention and MLP, 1 or more.
        hidden: channels inside the MLP.
        planes: bits of the activations that binary maps take, 1 to 8; 0 leaves them real. At 1 a
            scale vector above 0 in front of a map does nothing, since sign(gamma x) = sign(x).
        ste: straight-through estimator of weights and activations.
        randomness: "none"; "attention", each attention weight dropped with probability ``p``;
            "scale", the scale vectors of each normalisation replaced by 1 with probability ``p``.
        p: dropout probability, 0 to below 1, in units of 2**-16; not used with "none".
        treatment: what is done to the scale vectors.

    Raises:
        UserError: names the field, the value and the remedy.
    """

    image_shape: tuple[int, ...]
    classes: int
    patch: int = 7
    width: int = 64
    heads: int = 4
    blocks: int = 2
    hidden: int = 128
    planes: int = 4
    ste: str = "clip"
    randomness: str = "none"
    p: float = 0.1
    treatment: Treatment = field(default_factory=Treatment)

    def __post_init__(self) -> None:
        if not isinstance(self.image_shape, tuple) or len(self.image_shape) not in {2, 3}:
            raise UserError(f"image_shape: must be (H, W) or (C, H, W), not {self.image_shape!r}")
        for size in self.image_shape:
            check_integer(size, 1, 2**16, "image_shape", "give for example (28, 28)")
        check_integer(self.classes, 2, 2**20, "classes", "give the number of classes")
        for name, hint in (("patch", 7), ("width", 64), ("heads", 4), ("blocks", 2)):
            check_integer(getattr(self, name), 1, 2**16, name, f"give for example {hint}")
        check_integer(self.hidden, 1, 2**16, "hidden", "twice the width is usual here")
        check_integer(self.planes, 0, MAX_PLANES, "planes", "4 is usual here")
        self._check_divisors()
        check_ste(self.ste)
        check_choice("randomness", self.randomness, RANDOMNESS)
        if isinstance(self.p, bool) or not isinstance(self.p, int | float):
            raise UserError(f"p: must be a number, not {self.p!r}; give for example 0.1")
        drop_code(self.p)
        if not isinstance(self.treatment, Treatment):
            raise UserError(f"treatment: must be a Treatment, not {self.treatment!r}")

    def _check_divisors(self) -> None:
        for side in self.image_shape[-2:]:
            if side % self.patch:
                raise UserError(
                    f"patch: must divide the sides of the image, and {self.patch} does not divide "
                    f"{side}; give a divisor"
                )
        if self.width % self.heads:
            raise UserError(
                f"heads: must divide width, and {self.heads} does not divide {self.width}; give a "
                "divisor"
            )

    @property
    def tokens(self) -> int:
        """N, patches of an image."""
        return math.prod(self.image_shape[-2:]) // self.patch**2

    @property
    def channels(self) -> int:
        """C of an image; 1 for grey."""
        return self.image_shape[0] if len(self.image_shape) == 3 else 1

    def to_values(self) -> dict[str, Any]:
        """An object of plain JSON values; every field is in it."""
        return {**dataclasses.asdict(self), "image_shape": list(self.image_shape)}
