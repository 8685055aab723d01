# SPDX-License-Identifier: Apache-2.0
"""The small form behind its buses: equal results, and polite about what it does not have."""

import pytest

from networks import random_images, random_network
from scaledrop.form import Form
from scaledrop.mapping import ArrayShape
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.axi import build_system
from scaledrop_cosim.backends.system import AxiBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance
from scaledrop_flow.steps.generate import generate

BATCH, PASSES = 3, 9
SKIPPED = {"hidden_bits", "masks", "logits", "squares", "monitors", "counters"}
NETWORK = random_network(26, [13, 30, 24, 4], p=0.4)


@pytest.fixture(scope="module")
def small(tmp_path_factory, cache):
    """Datapath -> what was generated, and its simulation; each made once."""
    made = {}

    def get(datapath):
        if datapath not in made:
            generated = generate(
                NETWORK,
                ArrayShape(8, 4, 1),
                tmp_path_factory.mktemp(datapath),
                max_passes=15,
                datapath=datapath,
                bus="axi",
                pixel_bits=8,
                form=Form.SMALL,
            )
            made[datapath] = generated, build_system(generated.verilog, cache)
        return made[datapath]

    return get


@pytest.mark.parametrize(
    ("datapath", "mode", "disturbance"),
    [
        ("folded", Mode.PASSES, Disturbance()),
        ("folded", Mode.SHARED, Disturbance(160, 90)),
        ("reference", Mode.SHARED, Disturbance(90, 160)),
    ],
)
def test_results_equal_the_golden_model(small, datapath, mode, disturbance, tmp_path):
    generated, simulation = small(datapath)
    images = random_images(3, NETWORK, BATCH)
    work = Workload(NETWORK, images, PASSES, 9, inference=Inference(mode, PASSES))
    backend = AxiBackend(simulation, generated.mapping, generated.timing, tmp_path, disturbance)
    report = backend.verify(work)
    assert report.ok, str(report)
    of_images = ("sums", "votes", "predicted", "covered", "abstain")
    checked = dict.fromkeys(of_images, BATCH * NETWORK.classes)
    assert report.checked == {**checked, "device_writes": 1}
    assert set(report.skipped) == SKIPPED
