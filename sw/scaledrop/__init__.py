# SPDX-License-Identifier: Apache-2.0
"""ScaleDrop: Scale-Dropout Bayesian binary neural networks, from training to RTL."""

__version__ = "0.1.0"
