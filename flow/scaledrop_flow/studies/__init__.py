# SPDX-License-Identifier: Apache-2.0
"""Slow measurements whose results are kept in the repository, with the command that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from scaledrop_flow.studies.analog import analog_study
from scaledrop_flow.studies.analog_check import analog_check_study
from scaledrop_flow.studies.calibration import calibration_study
from scaledrop_flow.studies.energy import energy_study
from scaledrop_flow.studies.exactness import exactness_study
from scaledrop_flow.studies.macrospin import macrospin_study
from scaledrop_flow.studies.methods import (
    cifar_study,
    differences_study,
    digits_study,
    methods_study,
    reliability_study,
    tuning_study,
)
from scaledrop_flow.studies.netlists import netlist_study
from scaledrop_flow.studies.rtl import rtl_study
from scaledrop_flow.studies.scale import scale_study
from scaledrop_flow.studies.spin import spin_study
from scaledrop_flow.studies.twins import twin_study

__all__ = ["STUDIES", "Study"]

Study = Callable[..., Iterator[dict[str, Any]]]
"""From the folder of public sets, the cache and a callback for progress to rows of a table; studies
that run in cells take ``choices`` as well (:class:`scaledrop_flow.comparison.choices.Choices`)."""

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "scale": scale_study,
        "lenet5": twin_study,
        "exactness": exactness_study,
        "rtl": rtl_study,
        "netlists": netlist_study,
        "macrospin": macrospin_study,
        "spin": spin_study,
        "calibration": calibration_study,
        "energy": energy_study,
        "analog": analog_study,
        "analog-check": analog_check_study,
        "methods": methods_study,
        "methods-tuning": tuning_study,
        "methods-differences": differences_study,
        "methods-reliability": reliability_study,
        "methods-digits": digits_study,
        "methods-cifar10": cifar_study,
    }
)
