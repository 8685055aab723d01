# SPDX-License-Identifier: Apache-2.0
"""The energy of a network: priced configurations, comparisons, pictures and a page."""
