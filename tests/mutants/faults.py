# SPDX-License-Identifier: Apache-2.0
"""All single faults that the co-simulation's checks must notice."""

from mutants import faults_of_results, faults_of_sums, faults_of_walk
from mutants.fault import Fault

__all__ = ["FAULTS", "Fault"]

FAULTS = (*faults_of_walk.FAULTS, *faults_of_sums.FAULTS, *faults_of_results.FAULTS)
