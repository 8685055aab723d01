# SPDX-License-Identifier: Apache-2.0
"""Open synthesis tools: how they are found and called, what they make of our Verilog."""
