# SPDX-License-Identifier: Apache-2.0
"""From a frozen network to a bitstream for a named board, with open tools."""
