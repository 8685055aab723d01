# SPDX-License-Identifier: Apache-2.0
"""A workload refuses what no back end could run."""

import numpy as np
import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop_cosim.contract import Workload

NETWORK = random_network(1, (6, 4, 3), input_bits=2)


def test_no_images():
    with pytest.raises(UserError, match="images: at least one is needed"):
        Workload(NETWORK, np.zeros((0, 6), int), 1, 0)


def test_masks_have_one_bit_per_layer_and_pass():
    workload = Workload(NETWORK, np.zeros((3, 6), int), 5, 0)
    assert workload.masks.shape == (3, 5, 2) and workload.bits == len(workload.words) == 30
