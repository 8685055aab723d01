# SPDX-License-Identifier: Apache-2.0
"""The demonstrator that these tests build, and what it has to answer."""

from system_designs import golden_frames

from networks import random_images, random_network
from scaledrop.lfsr import lfsr_words
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.demonstrator import Demonstrator
from scaledrop_hw.system import System

NETWORK = random_network(26, [13, 12, 4], p=0.4)
IMAGES = random_images(3, NETWORK, 4)
DIVISOR, QUIET, SEED = 4, 1024, 9


def demonstrator():
    mapping = NetworkMapping(NETWORK, ArrayShape(8, 4))
    system = System(accelerator=Accelerator(mapping=mapping), pixel_bits=8)
    return Demonstrator(system=system, clock_hz=DIVISOR * 10**6, baud=10**6, seed=SEED, quiet=QUIET)


def golden(images, inference):
    """Frames of the first images after a reset."""
    return golden_frames(NETWORK, images, inference, lfsr_words(SEED, 10_000))
