# SPDX-License-Identifier: Apache-2.0
"""The same equation by another method: Scharfetter-Gummel finite volumes, implicit Euler.

Positive and mass-conserving at any step, but first order in time and slow to converge in space
where the drive is strong: an oracle of density shapes and of P, not a core.
"""

import numpy as np
from scipy.linalg import solve_banded


def bernoulli(x):
    return np.where(np.abs(x) < 1e-8, 1 - x / 2, x / np.expm1(np.where(x == 0, 1, x)))


def generator(cells, drive, delta):
    """Edges, widths and bands of the rates between cells uniform in the polar angle."""
    edges = -np.cos(np.linspace(0, np.pi, cells + 1))
    z, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    jump = delta * np.diff(z) * (z[1:] + z[:-1] - 2 * drive)
    rate = (1 - edges[1:-1] ** 2) / (2 * delta * np.diff(z))
    up, down = rate * bernoulli(-jump) / widths[:-1], rate * bernoulli(jump) / widths[1:]
    bands = np.zeros((3, cells))
    bands[0, 1:], bands[2, :-1] = down, up
    bands[1, :-1] -= up
    bands[1, 1:] -= down
    return z, widths, bands


def masses(cells, drive, delta, time, steps, start):
    """Masses of the cells after ``time``, from ``start``."""
    bands = -time / steps * generator(cells, drive, delta)[2]
    bands[1] += 1
    for _ in range(steps):
        start = solve_banded((1, 1), bands, start)
    return start


def probability(drive, delta, time, relax, cells=1200, steps=800):
    """Masses at the end and P, from the Boltzmann density of the upper well."""
    z, widths, _ = generator(cells, 0.0, delta)
    start = np.where(z > 0, np.exp(delta * (z**2 - 1)) * widths, 0.0)
    end = masses(cells, drive, delta, time, steps, start / start.sum())
    end = masses(cells, 0.0, delta, relax, steps // 4, end)
    return end, end[: cells // 2].sum()
