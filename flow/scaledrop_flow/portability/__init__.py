# SPDX-License-Identifier: Apache-2.0
"""Whether generated Verilog is read, without a complaint, by tools that are not ours."""
