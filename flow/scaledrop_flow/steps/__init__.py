# SPDX-License-Identifier: Apache-2.0
"""The steps of the flow, one file each; every step can be run on its own and again."""
