# SPDX-License-Identifier: Apache-2.0
"""The spin unit: a spin-orbit-torque magnetic tunnel junction as a source of Bernoulli bits."""
