# SPDX-License-Identifier: Apache-2.0
"""One contract for every back end, and the co-simulation of the RTL against the golden model."""
