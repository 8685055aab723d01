# SPDX-License-Identifier: Apache-2.0
"""From a frozen network to a mapped, timed, powered netlist and a folder to hand off."""
