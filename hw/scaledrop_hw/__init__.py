# SPDX-License-Identifier: Apache-2.0
"""Amaranth components of the Scale-Dropout accelerator and their Verilog export."""
