# SPDX-License-Identifier: Apache-2.0
"""k-bit activations; one bit is the sign."""

from __future__ import annotations

from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.nn.ste import check_ste, quantise
from scaledrop.nodes import MAX_PLANES

__all__ = ["QuantisedActivation"]


class QuantisedActivation(nn.Module):
    """a = :func:`scaledrop.nn.ste.quantise` of y: -1 to 1 cut into ``2**k`` equal steps, each an
    odd integer from ``-(2**k - 1)`` to ``2**k - 1``; sign(y) with sign(0) = +1 for k = 1.

    Any shape, any floating dtype; the result has the dtype of the input.

    Parameters:
        planes: k, 1 to 8.
        ste: straight-through estimator.

    Raises:
        UserError: a parameter out of range.
    """

    def __init__(self, planes: int = 1, ste: str = "clip") -> None:
        super().__init__()
        if not 1 <= planes <= MAX_PLANES:
            raise UserError(f"planes: must be 1 to {MAX_PLANES}, not {planes}; 1 is usual")
        check_ste(ste)
        self.planes, self.ste = planes, ste

    def forward(self, y: Tensor) -> Tensor:
        return quantise(y, self.planes, self.ste)
