# SPDX-License-Identifier: Apache-2.0
"""Slow measurements whose results are kept in the repository, with the command that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from scaledrop_flow.studies.ablation import ablation_study
from scaledrop_flow.studies.analog import analog_study
from scaledrop_flow.studies.analog_check import analog_check_study
from scaledrop_flow.studies.calibration import calibration_study
from scaledrop_flow.studies.correlated import correlated_study
from scaledrop_flow.studies.drift import drift_study
from scaledrop_flow.studies.energy import energy_study
from scaledrop_flow.studies.exactness import exactness_study
from scaledrop_flow.studies.facts import facts_study
from scaledrop_flow.studies.faults import faults_study
from scaledrop_flow.studies.first import first_study
from scaledrop_flow.studies.larger import larger_study
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
from scaledrop_flow.studies.passes import passes_study
from scaledrop_flow.studies.rtl import rtl_study
from scaledrop_flow.studies.scale import scale_study
from scaledrop_flow.studies.segmentation import segmentation_study
from scaledrop_flow.studies.shift import shift_study
from scaledrop_flow.studies.spin import spin_study
from scaledrop_flow.studies.transformer import transformer_study
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
        "facts": facts_study,
        "first": first_study,
        "passes": passes_study,
        "drift": drift_study,
        "correlated": correlated_study,
        "shift": shift_study,
        "ablation": ablation_study,
        "faults": faults_study,
        "segmentation": segmentation_study,
        "larger": larger_study,
        "transformer": transformer_study,
    }
)
