# SPDX-License-Identifier: Apache-2.0
"""The spin unit: from the physics of a magnetic tunnel junction to random bits."""
