# SPDX-License-Identifier: Apache-2.0
"""The report of a run as one self-contained page."""

from scaledrop_flow.report.page import Gallery, render

__all__ = ["Gallery", "render"]
