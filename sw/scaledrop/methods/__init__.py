# SPDX-License-Identifier: Apache-2.0
"""Ways of knowing when a binary network does not know, behind one contract."""

from scaledrop.methods.contract import TRIALS, Method, Model, Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel, fit_net, prediction_of
from scaledrop.methods.net import MethodNet, Site
from scaledrop.methods.registry import METHODS

__all__ = [
    "METHODS",
    "TRIALS",
    "Method",
    "MethodNet",
    "Model",
    "Needs",
    "NetModel",
    "Setting",
    "Site",
    "fit_net",
    "memory_bits",
    "prediction_of",
]
