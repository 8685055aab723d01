# SPDX-License-Identifier: Apache-2.0
"""The same test body on the software back ends; the RTL has it in test_rtl.py."""

import numpy as np
import pytest
import torch

from scaledrop.data import load_digits
from scaledrop.freezing import freeze
from scaledrop.training import TrainConfig, train
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.backends.pytorch import TorchBackend
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload

CONFIG = {"name": "short", "input_shape": (8, 8), "classes": 10, "widths": (24, 16), "p": 0.3}


@pytest.fixture(scope="module")
def trained():
    from scaledrop.nn import NetworkConfig

    digits = load_digits()
    net = train(TrainConfig(NetworkConfig(**CONFIG), epochs=3), digits).net
    network = freeze(net, {})
    return net, Workload(network, digits.test_images.reshape(360, 64), passes=6, seed=4)


@pytest.mark.parametrize(
    ("inference", "leaves"),
    [
        (Inference(passes=6), 6),
        (Inference(Mode.SHARED, 6), 6),
        (Inference(Mode.EXACT), 8),
        (Inference(Mode.EXACT, masks=1), 1),
    ],
)
@pytest.mark.parametrize("kind", ["integer", "torch"])
def test_backend_equals_the_golden_model(kind, trained, inference, leaves):
    net, given = trained
    workload = Workload(given.network, given.images, inference.passes, 4, inference=inference)
    backend = IntegerBackend() if kind == "integer" else TorchBackend(net)
    report = check(backend.name, workload, backend.infer(workload))
    assert report.ok, str(report)
    assert report.total_checked == 360 * (leaves * (3 + 24 + 16 + 10) + 10 + 10 + 10)


def test_a_float_that_is_no_logit_is_found(trained):
    net, workload = trained
    backend = TorchBackend(net)
    with torch.no_grad():
        backend.net.blocks[-1].norm.bias[3] += 1e-3
    report = check(backend.name, workload, backend.infer(workload))
    assert report.mismatches["logits"] > 0
    assert "class 3: logit" in str(report.first)


def test_passes_differ_and_the_deterministic_twin_does_not(trained):
    _, workload = trained
    logits = IntegerBackend().infer(workload).record.logits
    assert (logits != logits[:, :1]).any()
    ones = Workload(workload.network, workload.images[:5], 3, seed=0)
    ones.__dict__["masks"] = np.ones((5, 3, 3), dtype=np.uint8)
    twin = IntegerBackend().infer(ones).record.logits
    assert (twin == twin[:, :1]).all()
