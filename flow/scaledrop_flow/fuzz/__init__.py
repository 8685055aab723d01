# SPDX-License-Identifier: Apache-2.0
"""Random networks through the RTL: draw, run, compare, shrink what fails, keep it."""
