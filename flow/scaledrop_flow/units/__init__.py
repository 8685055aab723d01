# SPDX-License-Identifier: Apache-2.0
"""What every component takes on two FPGA families, measured, kept and compared."""
