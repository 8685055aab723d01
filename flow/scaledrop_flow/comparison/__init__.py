# SPDX-License-Identifier: Apache-2.0
"""Methods beside methods: cells that are measured once, tables, tests of difference, claims."""
