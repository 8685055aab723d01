# SPDX-License-Identifier: Apache-2.0
"""Export of a system: its files agree with it, with each other, and load what is built in."""

import hashlib
import json
import re
import subprocess

import pytest
from test_system_ports import accelerator

from networks import random_graph_network, random_network
from scaledrop.device_sizes import MAX_PARTS, Memory
from scaledrop.driver import read_contents, read_description
from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.frozen_file import digest
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.registers import register_map
from scaledrop_cosim.toolchain import verilator_root
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import ports
from scaledrop_hw.system import System
from scaledrop_hw.system_export import export_system, memory_contents, structure

MAPS = (
    Layer("a", 5, Window(3, padding=1), planes=2),
    MaxPool("b", 2),
    Layer("c", 6, Window(2)),
    Layer("d", 4, output=Kind.LOGITS),
)
DATAPATHS = ("reference", "folded")


@pytest.fixture(scope="module", params=DATAPATHS)
def exported(request, tmp_path_factory):
    """A system and its files."""
    system = System(accelerator=accelerator(datapath=request.param), pixel_bits=16)
    return system, export_system(system, tmp_path_factory.mktemp(request.param))


def maps(seed, convolution="auto", datapath="reference", array=(8, 4, 2)):
    network = random_graph_network(seed, (2, 6, 6), MAPS, input_bits=3)
    mapping = NetworkMapping(network, ArrayShape(*array), convolution)
    return Accelerator(mapping=mapping, datapath=datapath)


def test_names(exported):
    _, paths = exported
    assert [path.name for path in paths] == [
        "scaledrop_axi.v",
        "scaledrop_axi.json",
        "scaledrop_axi_contents.json",
    ]


def test_the_sidecar_tells_the_truth(exported):
    system, (verilog, path, _) = exported
    sidecar, core = json.loads(path.read_text()), system.accelerator
    assert sidecar["module"] == "scaledrop_axi"
    assert sidecar["verilog_sha256"] == hashlib.sha256(verilog.read_bytes()).hexdigest()
    assert sidecar["model_sha256"] == digest(core.mapping.network) == system.sizes.digest
    assert sidecar["bus"] == {"pixel_bits": 16, "map_version": [1, 1]}
    assert sidecar["parameters"]["datapath"] == core.datapath
    assert sidecar["ports"] == json.loads(json.dumps(ports(system)))
    header = re.search(r"^module scaledrop_axi\((.*?)\);", verilog.read_text(), re.S | re.M)
    names = [name.strip() for name in header[1].split(",")]
    assert sorted(names) == sorted(port["name"] for port in sidecar["ports"])
    assert not any("$" in name or "\\" in name for name in names)
    registers = {one["name"]: one for one in sidecar["registers"]}
    for register in register_map(system.sizes):
        found = registers[register.name]
        assert (found["offset"], found["count"]) == (register.offset, register.count)
        assert found["fields"] == {one.name: [one.offset, one.width] for one in register.fields}


def test_a_driver_reads_what_was_written(exported):
    system, (_, sidecar, contents) = exported
    description = read_description(sidecar)
    assert description.sizes == system.sizes
    assert description.events == tuple(map(str, Event))
    assert description.input_shape == (9,)
    found = read_contents(contents)
    assert found == memory_contents(system.accelerator)
    assert found.fitted(description) == {m: list(words) for m, words in found.words.items()}


def test_words_fill_every_memory_that_a_host_reaches(exported):
    system, _ = exported
    sizes, contents = system.sizes, system.accelerator.contents
    assert list(contents) == list(sizes.memories) and Memory.WEIGHTS in contents
    assert (Memory.SCALES in contents) == (system.accelerator.datapath == "reference")
    for memory, (layout, words) in contents.items():
        shape = sizes.memories[memory]
        assert len(words) == shape.words
        assert -(-layout.size // 32) == shape.parts <= MAX_PARTS
        assert all(0 <= word < 1 << layout.size for word in words)


@pytest.mark.parametrize("datapath", DATAPATHS)
def test_fields_hold_the_network(datapath):
    core = maps(5, datapath=datapath)
    network, contents = core.mapping.network, memory_contents(core)

    def values(memory):
        fields = contents.formats[memory]
        return [
            {field.name: field.value(word) for field in fields} for word in contents.words[memory]
        ]

    head = values(Memory.HEAD)
    assert [one["offset"] for one in head] == network.head.offset.tolist()
    if datapath == "reference":
        assert [one["gain"] for one in head] == network.head.gain.tolist()
        scales = [[one["0"], one["1"]] for one in values(Memory.SCALES)]
        expected = [g for m in core.mapping.layers for g in m.by_group(m.layer.scale).tolist()]
        assert scales == expected
    else:
        shift = network.scale_frac_bits
        assert [one["gain_dropped"] >> shift for one in head] == network.head.gain.tolist()
    flips = [one["0.flip"] for one in values(Memory.THRESHOLDS)]
    assert set(flips) == {0, 1}
    assert contents.drive_codes == tuple(core.mapping.drop_codes)
    assert contents.digest == digest(network)


def test_networks_of_one_structure_differ_in_their_numbers_only():
    one, other = maps(5), maps(6)
    assert structure(one) == structure(other)
    words = memory_contents(one).words, memory_contents(other).words
    assert words[0][Memory.DESCRIPTORS] == words[1][Memory.DESCRIPTORS]
    assert words[0][Memory.WEIGHTS] != words[1][Memory.WEIGHTS]
    assert structure(one) != structure(maps(5, convolution="taps"))
    assert structure(one) != structure(maps(5, datapath="folded"))
    assert structure(one) != structure(maps(5, array=(8, 4, 4)))


def test_same_bytes_twice(exported, tmp_path):
    system, paths = exported
    again = System(accelerator=accelerator(datapath=system.accelerator.datapath), pixel_bits=16)
    for path, other in zip(paths, export_system(again, tmp_path), strict=True):
        assert path.read_bytes() == other.read_bytes()


def test_verilator_takes_it(exported, tmp_path):
    _, (verilog, _, _) = exported
    root = verilator_root()
    command = [str(root / "bin" / "verilator"), "--lint-only", "-Wno-fatal", "--top-module"]
    result = subprocess.run(
        [*command, "scaledrop_axi", str(verilog)],
        cwd=tmp_path,
        env={"VERILATOR_ROOT": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "%Error" not in result.stderr


def test_a_name_that_is_no_identifier_is_refused(tmp_path):
    system = System(accelerator=accelerator())
    with pytest.raises(UserError, match="name: 'a b' must be a Verilog identifier"):
        export_system(system, tmp_path, "a b")


def test_an_array_whose_tile_is_too_wide_for_a_host_is_refused():
    mapping = NetworkMapping(random_network(1, (9, 3)), ArrayShape(1024, 128))
    with pytest.raises(UserError, match="parts of WEIGHTS: must be 1 to 4095, not 4096"):
        System(accelerator=Accelerator(mapping=mapping))
