# SPDX-License-Identifier: Apache-2.0
"""Image sets in the unsigned pixels that the first crossbar takes."""

from scaledrop.data.digits import ImageSet, load_digits

__all__ = ["ImageSet", "load_digits"]
