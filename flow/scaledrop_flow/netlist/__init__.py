# SPDX-License-Identifier: Apache-2.0
"""The digital blocks against a netlist: mapped to cells, their activity recorded, their power."""
