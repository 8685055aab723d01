# SPDX-License-Identifier: Apache-2.0
"""Generated systems under cocotb and Verilator, through the driver that talks to a board."""

import json

import pytest
from system_designs import DESIGNS

from networks import random_images
from scaledrop.mapping import NetworkMapping
from scaledrop.spin import uniform_words
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.axi import SYSTEM, build_system, run_bench
from scaledrop_cosim.backends.system import AxiBackend
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.driver import Disturbance
from scaledrop_flow.steps.generate import generate
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.system_export import memory_contents

SCENES = {"dense": 15, "maps": 13}
BATCH, PASSES = 3, 6


@pytest.fixture(scope="module")
def system(tmp_path_factory, cache):
    """Name -> what was generated, and its simulation; each made once."""
    made = {}

    def get(name):
        if name not in made:
            design, folder = DESIGNS[name], tmp_path_factory.mktemp(name)
            generated = generate(
                design["network"],
                design["array"],
                folder,
                datapath=design["datapath"],
                bus="axi",
                pixel_bits=design["pixel_bits"],
            )
            made[name] = generated, build_system(generated.verilog, cache)
        return made[name]

    return get


def backend(system, name, folder, disturbance=None):
    generated, simulation = system(name)
    return AxiBackend(simulation, generated.mapping, generated.timing, folder, disturbance)


def workload(name, mode):
    network = DESIGNS[name]["network"]
    images = random_images(3, network, BATCH)
    return Workload(network, images, PASSES, 9, inference=Inference(mode, PASSES))


@pytest.mark.parametrize(
    ("name", "disturbance"),
    [("dense", Disturbance()), ("dense", Disturbance(90, 160)), ("maps", Disturbance(160, 90))],
)
@pytest.mark.parametrize("mode", Mode)
def test_every_value_equals_the_golden_model(system, name, disturbance, mode, tmp_path):
    work = workload(name, mode)
    report = backend(system, name, tmp_path, disturbance).verify(work)
    assert report.ok, str(report)
    layers, classes = len(work.network.layers), work.network.classes
    leaves = BATCH * work.leaves_per_image
    of_images = ("sums", "squares", "votes", "predicted", "covered", "abstain")
    assert report.checked == {
        "masks": leaves * layers,
        "logits": leaves * classes,
        **dict.fromkeys(of_images, BATCH * classes),
        "device_writes": 1,
        "monitors": 1,
        "counters": 15 * layers,
    }
    assert report.skipped == {"hidden_bits": "frames carry no hidden layers"}
    assert str(report).endswith("; no hidden_bits: frames carry no hidden layers")


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
@pytest.mark.parametrize(("name", "chance"), [("dense", 0.0), ("dense", 0.4), ("maps", 0.3)])
def test_a_host_uses_it(system, name, chance, tmp_path):
    generated, simulation = system(name)
    design, folder = DESIGNS[name], generated.verilog.parent
    mapping = NetworkMapping(design["other"], design["array"])
    other = memory_contents(Accelerator(mapping=mapping, datapath=design["datapath"]))
    (folder / "other.json").write_text(json.dumps(other.as_json()))
    (folder / "words.bin").write_bytes(uniform_words(4, 20_000).astype("<u2").tobytes())
    settings = {
        "SYSTEM_FOLDER": str(folder),
        "SYSTEM_CHANCE": str(chance),
        "SYSTEM_DESIGN": name,
    }
    words = [f"+words={folder / 'words.bin'}"]
    run_bench(simulation.executable, SYSTEM, "system_scenes", tmp_path, settings, words)
    assert (tmp_path / "results.xml").read_text().count("<testcase") == SCENES[name]
