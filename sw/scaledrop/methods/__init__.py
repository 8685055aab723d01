# SPDX-License-Identifier: Apache-2.0
"""Ways of knowing when a binary network does not know, behind one contract."""

from scaledrop.methods.contract import TRIALS, Method, Model, Needs, Setting
from scaledrop.methods.net import MethodNet, Site

__all__ = ["TRIALS", "Method", "MethodNet", "Model", "Needs", "Setting", "Site"]
