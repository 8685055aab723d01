# SPDX-License-Identifier: Apache-2.0
"""The demonstrator: what it refuses, what it says of itself. tests/cosim/test_serial.py talks."""

import pytest

from networks import random_network
from scaledrop.driver.protocol import Source
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.demonstrator import Demonstrator
from scaledrop_hw.demonstrator_export import demonstrator_sidecar
from scaledrop_hw.system import System

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def system(**changes):
    mapping = NetworkMapping(random_network(1, [6, 3], p=0.3), ArrayShape(8, 4))
    return System(accelerator=Accelerator(mapping=mapping), **changes)


def made(**changes):
    good = {"system": system(), "clock_hz": 12_000_000, "baud": 1_000_000}
    return Demonstrator(**{**good, **changes})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": "mtj"}, "source must be one of lfsr, ring, not 'mtj'"),
        ({"seed": -1}, "seed must be an integer from 0 to 2147483647, not -1"),
        (
            {"source": "ring", "family": "gowin"},
            "family must be one of ice40, ecp5 or None, not 'gowin'",
        ),
        (
            {"baud": 9_000_000},
            "baud must be from 184 to 3000000 with a clock of 12000000 Hz, not 9000000",
        ),
        ({"buffer": 100}, "buffer must be a power of two, not 100"),
        ({"quiet": 1000}, "quiet must be a power of two, not 1000"),
    ],
)
def test_wrong_parameters(wrong, message):
    with pytest.raises(UserError) as caught:
        made(**wrong)
    assert str(caught.value) == message


def test_parameters_read_back():
    inner = system(pixel_bits=8)
    dut = made(system=inner, seed=4, family="ice40")
    assert (dut.system, dut.clock_hz, dut.baud, dut.seed) == (inner, 12_000_000, 1_000_000, 4)
    assert (dut.source, dut.family, dut.divisor) == ("lfsr", "ice40", 12)
    assert dut.bridge.pixel_bits == 8 and dut.bridge.source == Source.LFSR
    assert made(source="ring").bridge.source == Source.RING


@pytest.mark.parametrize(
    ("clock_hz", "quiet"), [(12_000_000, 2**20), (25_000_000, 2**21), (1_000_000, 2**16)]
)
def test_a_command_is_forgotten_after_50_to_100_ms(clock_hz, quiet):
    dut = made(clock_hz=clock_hz, baud=clock_hz // 8)
    assert dut.bridge.quiet == quiet
    assert 0.05 <= quiet / clock_hz <= 0.1


def test_its_description():
    dut = made(seed=5)
    found = demonstrator_sidecar(dut, "demo", "")
    assert [port["name"] for port in found["ports"]] == ["clk", "rst", "rx", "tx", "busy", "fault"]
    assert found["demonstrator"] == {
        "clock_hz": 12_000_000,
        "baud": 1_000_000,
        "source": "lfsr",
        "seed": 5,
        "source_note": "stand-in for the magnetic device: linear feedback shift registers, "
        "pseudo-random",
        "buffer": 256,
        "quiet": 2**20,
    }
    assert "device" in found and "registers" in found
    ring = made(source="ring", seed=5)
    described = demonstrator_sidecar(ring, "demo", "")["demonstrator"]
    assert described["seed"] is None
    assert described["source_note"].startswith("stand-in for the magnetic device: ring oscillators")
