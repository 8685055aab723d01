# SPDX-License-Identifier: Apache-2.0
"""Netlists of the accelerator for the co-simulation: synthesis, cells and their models."""
