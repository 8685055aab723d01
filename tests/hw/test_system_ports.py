# SPDX-License-Identifier: Apache-2.0
"""The system: parameters, the names of its ports, and what it refuses to be."""

import re
from dataclasses import replace

import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.export import ports
from scaledrop_hw.system import System

BUSES = {
    "s_axi": "awvalid awready awaddr awprot wvalid wready wdata wstrb bvalid bready bresp "
    "arvalid arready araddr arprot rvalid rready rdata rresp",
    "s_axis_pixels": "tdata tkeep tlast tvalid tready",
    "m_axis_results": "tdata tlast tvalid tready",
}


def accelerator(sizes=(9, 5, 3), input_bits=4, **settings):
    mapping = NetworkMapping(random_network(4, sizes, input_bits=input_bits), ArrayShape(4, 4, 2))
    return Accelerator(mapping=mapping, **settings)


def port_widths(system):
    return {port["name"]: (port["direction"], port["width"]) for port in ports(system)}


def test_parameters_read_back():
    core = accelerator()
    system = System(accelerator=core, pixel_bits=16)
    assert system.accelerator is core and system.pixel_bits == 16
    assert system.sizes == core.sizes
    assert System(accelerator=accelerator()).pixel_bits == 32


@pytest.mark.parametrize("datapath", ["reference", "folded"])
def test_buses_have_the_names_that_tools_know(datapath):
    found = port_widths(System(accelerator=accelerator(datapath=datapath)))
    for prefix, names in BUSES.items():
        assert {name for name in found if name.startswith(f"{prefix}_")} == {
            f"{prefix}_{name}" for name in names.split()
        }
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in found)
    others = [name for name in found if not name.startswith(tuple(BUSES))]
    assert {name.partition("__")[0] for name in others} == {
        "clk",
        "rst",
        "spin",
        "trace",
        "interrupt",
    }
    assert found["s_axi_awaddr"] == ("in", 12) and found["s_axi_rdata"] == ("out", 32)
    assert found["s_axis_pixels_tkeep"] == ("in", 4) and found["m_axis_results_tdata"][1] == 32


@pytest.mark.parametrize(
    ("input_bits", "pixel_bits", "message"),
    [
        (4, 64, "data_bits must be 8, 16 or 32, not 64"),
        (9, 8, "input_bits must be an integer from 1 to 8, not 9"),
    ],
)
def test_a_pixel_must_fit_its_stream(input_bits, pixel_bits, message):
    with pytest.raises(UserError) as caught:
        System(accelerator=accelerator(input_bits=input_bits), pixel_bits=pixel_bits)
    assert str(caught.value) == message


def test_a_network_whose_sums_do_not_fit_a_frame_is_refused():
    """Logits of more than 39 bits."""
    network = random_network(4, (9, 3), input_bits=16)
    (layer,) = network.layers
    head = replace(layer.output, offset=layer.output.offset + 2**42)
    wide = replace(network, nodes=(replace(layer, output=head),))
    with pytest.raises(UserError, match="sum must have at most 64 bits, not 69"):
        System(accelerator=Accelerator(mapping=NetworkMapping(wide, ArrayShape(4, 4, 2))))
