# SPDX-License-Identifier: Apache-2.0
"""Methods that train in no time, for tests of the machinery."""

import numpy as np

from scaledrop.energy.sources import Grain
from scaledrop.methods.contract import Method, Model, Needs, Setting

__all__ = ["ASKED", "CLASSES", "fake_methods"]

CLASSES = 10
ASKED = []
"""(number of images, seed of the run, value) of every question."""


class Means(Model):
    """Nearest class mean, with noise on the logits if it draws."""

    def __init__(self, network, means, noise, about):
        self.network, self.means, self.noise, self.about = network, means, noise, about

    def logits(self, images, passes, seed):
        ASKED.append((len(images), *self.about))
        flat = images.reshape(len(images), 1, -1).astype(np.float64)
        found = -np.square(flat - self.means).mean(axis=-1)[:, None] / 500
        if not self.noise:
            return found.astype(np.float32)
        rng = np.random.default_rng(seed)
        drawn = rng.normal(0, self.noise, (len(images), passes, CLASSES))
        return (found + drawn).astype(np.float32)

    @property
    def needs(self):
        if self.noise:
            return Needs(len(self.network.graph.layers), Grain.LAYER, False, 200)
        return Needs(0, None, False, 100, passes=1)


def _fit(noise):
    def fit(config, data, value, device):
        flat = data.train_images.reshape(len(data.train_images), -1).astype(np.float64)
        rng = np.random.default_rng(config.seed)
        rows = rng.permutation(len(flat))[:200]
        labels = data.train_labels[rows]
        means = np.stack([flat[rows][labels == one].mean(axis=0) for one in range(CLASSES)])
        return Means(config.network, means, noise * value, (config.seed, value))

    return fit


def fake_methods():
    """A deterministic one, and one of which the smallest value is best."""
    sources = "made up"
    return {
        "deterministic": Method(
            "deterministic", "Plain", sources, Setting("nothing", (1.0, 2.0, 3.0)), _fit(0)
        ),
        "scale-dropout": Method(
            "scale-dropout", "Noisy", sources, Setting("noise", (9.0, 0.5, 4.0)), _fit(1)
        ),
    }
