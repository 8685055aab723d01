# SPDX-License-Identifier: Apache-2.0
"""Configurations: topologies, own graphs, probabilities, JSON, messages."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from scaledrop.errors import UserError
from scaledrop.graph import Concat, Kind, Layer, MaxPool, Upsample, Window
from scaledrop.nn import NetworkConfig, adaptive_p
from scaledrop.topologies import TOPOLOGIES, lenet5, mlp

CONFIG = NetworkConfig("net", input_shape=(4, 4), classes=3, widths=(12, 8), p=0.25)
NODES = (
    Layer("a", 3, Window(3, padding=1), planes=2),
    MaxPool("b"),
    Upsample("c"),
    Concat("d", ("c", "a")),
    Layer("e", 2, Window(1), output=Kind.LOGITS),
)
CUSTOM = NetworkConfig("own", (1, 4, 4), 2, "custom", nodes=NODES, p=(0.1, 0.2))


def test_a_perceptron_without_hidden_layers() -> None:
    config = NetworkConfig("one", (8,), 3)
    assert config.graph.nodes == mlp(3, ())
    assert config.p == (0.15,)


@pytest.mark.parametrize("topology", sorted(set(TOPOLOGIES) - {"mlp"}))
def test_no_widths_are_the_topologys_own(topology: str) -> None:
    size = 28 if topology == "lenet5" else 32
    config = NetworkConfig("net", (3, size, size), 10, topology, planes=2)
    assert config.graph.nodes == TOPOLOGIES[topology](10, planes=2)
    assert len(config.layer_p) == len(config.graph.layers)


def test_widths_and_planes_reach_the_topology() -> None:
    config = NetworkConfig("net", (28, 28), 10, "lenet5", (3, 4, 5, 6), planes=3)
    assert config.graph.nodes == lenet5(10, (3, 4, 5, 6), 3)


def test_an_own_graph() -> None:
    assert CUSTOM.graph.nodes == NODES
    assert CUSTOM.layer_p == (0.1, 0.2)


def test_one_number_stands_for_all_layers_and_adaptive_for_the_rule() -> None:
    assert CONFIG.p == (0.25, 0.25, 0.25)
    assert dataclasses.replace(CONFIG, p=(0, 0.5, 0.1)).p == (0.0, 0.5, 0.1)
    assert dataclasses.replace(CONFIG, p="adaptive").layer_p == adaptive_p([192, 96, 24])
    assert dataclasses.replace(CUSTOM, p="adaptive").layer_p == adaptive_p([27, 12])


@pytest.mark.parametrize("config", [CONFIG, CUSTOM])
def test_json_and_back(config: NetworkConfig) -> None:
    text = json.dumps(config.to_json())
    assert NetworkConfig.from_json(json.loads(text)) == config
    assert set(config.to_json()) == {field.name for field in dataclasses.fields(config)}


def test_json_may_leave_fields_out() -> None:
    values = {"name": "net", "input_shape": [4, 4], "classes": 3, "widths": [12, 8], "p": 0.25}
    assert NetworkConfig.from_json(values) == CONFIG


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "network: must be an object, not list"),
        ({"name": "a", "classes": 3}, "network.input_shape: is missing; give it"),
        ({**CONFIG.to_json(), "hidden": [3]}, "network: unknown field 'hidden'; is the file newer"),
        ({**CUSTOM.to_json(), "nodes": [{"kind": "pool"}]}, r"nodes\[0\].kind: 'pool' is not"),
    ],
)
def test_wrong_json_is_refused(values: Any, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        NetworkConfig.from_json(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 1.0}, r"p\[0\]: dropout probability must be in \[0, 1\), not 1.0; give for"),
        ({"p": (0.1, -0.5, 0.1)}, r"p\[1\]: dropout probability must be in \[0, 1\), not -0.5"),
        ({"p": float("nan")}, r"p\[0\]: dropout probability must be in \[0, 1\), not nan"),
        ({"p": (0.1, 0.1)}, "p: must have one value per layer, 3, not 2; or give a single number"),
        ({"p": None}, r"p\[0\]: must be a number, not None; give for example 0.1"),
        ({"p": "large"}, "p: must be numbers or 'adaptive', not 'large'; try 0.1"),
        ({"name": "a b"}, "name: 'a b' must be 1 to 64 letters, digits, '-' and '_' only"),
        ({"input_shape": ()}, r"input_shape: must have a dimension, not \(\); give for example"),
        ({"input_shape": (8, 0)}, "input_shape: must be 1 to 1048576, not 0; give sizes such"),
        ({"widths": 128}, r"widths: must be a list of sizes, not 128; try \(128, 128\)"),
        ({"widths": (16, -1)}, "widths: must be 1 to 1048576, not -1; give sizes such as 128"),
        ({"widths": (16, 2.5)}, "widths: must be 1 to 1048576, not 2.5; give sizes such as 128"),
        ({"classes": 1}, "classes: must be 2 to 1048576, not 1; give the number of classes"),
        ({"planes": 9}, "planes: must be 1 to 8, not 9; 1 is a sign"),
        ({"input_bits": 17}, "input_bits: must be 1 to 16, not 17; 8 is usual"),
        ({"scale_bits": 0}, "scale_bits: must be 1 to 16, not 0; 8 is usual"),
        ({"scale_frac_bits": 8}, "scale_frac_bits: must be 0 to 7, not 8; 1.0 must be exact"),
        ({"gain_bits": 1}, "gain_bits: must be 2 to 24, not 1; 12 is usual"),
        ({"stream_bits": 33}, "stream_bits: must be 2 to 32, not 33; 16 is usual"),
        ({"stream_frac_bits": 15}, "stream_frac_bits: must be 0 to 14, not 15; 1.0 must be exact"),
        ({"init": "zeros"}, "init: must be one of ones, mean, spread, not 'zeros'"),
        ({"init_spread": -0.1}, "init_spread: must be 0 to 1, not -0.1; 0.3 is usual"),
        ({"mask": "none"}, "mask: must be one of sample, batch, not 'none'"),
        ({"ste": "exact"}, "ste: must be one of clip, bireal, tanh, not 'exact'"),
        ({"normalise": 1}, "normalise: must be true or false, not 1"),
        ({"topology": "alexnet"}, "topology: must be one of mlp, .*, custom, not 'alexnet'"),
        ({"topology": "custom"}, "nodes: topology 'custom', and no other, needs its own; "),
        ({"nodes": NODES}, "nodes: topology 'custom', and no other, needs its own; topology is"),
        ({"topology": "lenet5"}, "widths: lenet5 takes 4, not 2"),
        ({"topology": "unet", "widths": (4, 4, 4, 4)}, "layers.pool3.size: must be 1 to 1, not 2"),
    ],
)
def test_a_wrong_network_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        dataclasses.replace(CONFIG, **change)


def test_the_classes_of_an_own_graph_are_checked() -> None:
    with pytest.raises(UserError, match=r"^nodes: the last layer gives 2 classes, not 5"):
        dataclasses.replace(CUSTOM, classes=5)
