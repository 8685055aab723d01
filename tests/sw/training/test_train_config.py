# SPDX-License-Identifier: Apache-2.0
"""Configurations: named, hashed, changed, and read from files that people write."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from scaledrop.data import SET_NAMES, ImageSet
from scaledrop.errors import UserError
from scaledrop.nn import NetworkConfig, ScaleDropNet
from scaledrop.training import (
    CONFIGS,
    TrainConfig,
    common_p,
    config_file,
    config_for,
    config_from_file,
    deterministic,
    named_config,
    with_network,
)


def test_configurations_are_named_and_hashed() -> None:
    config = CONFIGS["digits"]
    assert (config.network.input_shape, config.network.widths) == ((8, 8), (128, 128))
    assert (config.network.p, config.network.init_spread) == ((0.15, 0.15, 0.15), 0.45)
    assert named_config("digits", 3).seed == 3
    assert TrainConfig.from_json(config.to_json()) == config
    assert config.config_hash() == dataclasses.replace(config).config_hash()
    assert config.config_hash() != named_config("digits", 1).config_hash()
    spelled = dataclasses.replace(config.network, p=0.15)
    assert dataclasses.replace(config, network=spelled).config_hash() == config.config_hash()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: must be a whole number, 1 or more, not 0; raise it"),
        ({"batch_size": 1}, "batch_size: must be a whole number, 2 or more, not 1; raise it"),
        ({"seed": -1}, "seed: must be a whole number, 0 or more, not -1; raise it"),
        ({"learning_rate": 0.0}, "learning_rate: must be above 0, not 0.0; try 0.005"),
        (
            {"learning_rate": math.nan},
            "learning_rate: must be above 0, not nan; try 0.005",
        ),
        (
            {"weight_decay": -1.0},
            "weight_decay: must be 0 or more, not -1.0; 0 turns the term off",
        ),
        ({"scale_pull": -1.0}, "scale_pull: must be 0 or more, not -1.0; 0 turns the term off"),
        ({"epochs": True}, "epochs: must be a whole number, 1 or more, not True; raise it"),
        ({"threads": 0}, "threads: must be a whole number, 1 or more, not 0; raise it"),
        ({"tile": -1}, "tile: must be a whole number, 0 or more, not -1; raise it"),
        (
            {"calibrate_passes": -1},
            "calibrate_passes: must be a whole number, 0 or more, not -1; raise it",
        ),
        ({"learning_rate": "fast"}, "learning_rate: must be above 0, not 'fast'; try 0.005"),
        ({"scale_learning_rate": 0}, "scale_learning_rate: must be above 0, not 0; try 0.005"),
        ({"label_smoothing": 1.0}, "label_smoothing: must be 0 to below 1, not 1.0; try 0.1"),
        ({"augment": "flip"}, "augment: must be one of none, shift, flip-crop, not 'flip'"),
        ({"precision": "int8"}, "precision: must be one of float32, bfloat16, not 'int8'"),
        ({"data": ""}, "data: must be the name of a set, not ''; try 'digits'"),
    ],
)
def test_a_wrong_run_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        dataclasses.replace(CONFIGS["digits"], **change)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "config: cannot be read"),
        ("[1]", "config: must be an object, not list"),
        ("{}", "network: is missing; give it"),
        ('{"network":3}', "network: must be an object, not int"),
        ('{"network":{"name":"x"}}', "network.input_shape: is missing; give it"),
        (
            CONFIGS["digits"].to_json().replace("epochs", "epoch"),
            "epoch: is no field of the configuration; did you mean 'epochs'\\?",
        ),
        (
            CONFIGS["digits"].to_json().replace("widths", "width"),
            "network.width: is no field of the configuration; did you mean 'widths'\\?",
        ),
        (CONFIGS["digits"].to_json().replace('"classes":10', '"classes":0'), "classes: must be 2"),
    ],
)
def test_a_wrong_configuration_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        TrainConfig.from_json(text)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"^config: 'digit' is not known; .*mean 'digits'"):
        named_config("digit")


def test_a_field_that_is_left_out_has_its_default() -> None:
    values = json.loads(CONFIGS["digits"].to_json())
    for name in ("augment", "tile", "precision", "threads", "data"):
        del values[name]
    assert TrainConfig.from_json(json.dumps(values)) == CONFIGS["digits"]


@pytest.mark.parametrize("name", CONFIGS)
def test_every_named_configuration_makes_sense(name: str) -> None:
    config = CONFIGS[name]
    assert config.network.name == name and config.data in SET_NAMES
    assert TrainConfig.from_json(config.to_json()) == config
    if math.prod(config.network.input_shape) < 1000:
        ScaleDropNet(config.network)


def test_the_twin_is_the_same_without_dropout() -> None:
    config = named_config("lenet5-mnist", 3)
    twin = deterministic(config)
    assert twin.network.name == "lenet5-mnist-twin" and set(twin.network.layer_p) == {0.0}
    back = with_network(twin, name=config.network.name, p=config.network.layer_p)
    assert back == config and deterministic(twin) == twin


def own(shape: tuple[int, ...], classes: int, name: str) -> ImageSet:
    images, labels = np.zeros((4, *shape), np.uint8), np.zeros(4, np.int64)
    return ImageSet(images, labels, images[:1], labels[:1], shape, classes, name)


def test_a_configuration_for_own_images() -> None:
    leaves = own((3, 32, 40), 4, "my leaves.v2")
    config = config_for(named_config("lenet5-fashion-mnist", 5), leaves)
    assert (config.network.input_shape, config.network.classes) == ((3, 32, 40), 4)
    assert (config.network.name, config.data) == ("lenet5-my-leaves-v2", "my leaves.v2")
    assert config.seed == 5 and config_for(config, leaves) == config
    assert config_for(CONFIGS["digits"], own((5, 7), 3, "été")).network.name == "t"
    tiles = config_for(CONFIGS["unet-isbi2012"], own((3, 300, 200), 3, "cells"))
    assert tiles.network.input_shape == (3, 128, 128)


def test_other_widths_keep_a_common_probability() -> None:
    assert with_network(CONFIGS["digits"], widths=(7,)).network.p == (0.15, 0.15)
    assert with_network(CONFIGS["digits"], widths=(7,), p="adaptive").network.p != (0.15, 0.15)
    mixed = with_network(CONFIGS["digits"], p=(0.1, 0.2, 0.3))
    with pytest.raises(UserError, match="p: must have one value per layer, 2, not 3"):
        with_network(mixed, widths=(7,))
    lenet = with_network(CONFIGS["digits"], topology="lenet5", input_shape=(28, 28))
    assert lenet.network.widths == ()


EXAMPLE = """\
base: lenet5-mnist
epochs: 40
augment: shift
network:
  name: wide-lenet
  widths: [12, 32, 120, 84]
  p: adaptive
"""


def read(text: str, folder: Path) -> TrainConfig:
    path = folder / "run.yaml"
    path.write_text(text)
    return config_from_file(path)


def test_a_file_changes_a_named_configuration(tmp_path: Path) -> None:
    assert "\n    ".join(EXAMPLE.rstrip().splitlines()) in str(config_file.__doc__)
    config = read(EXAMPLE, tmp_path)
    expected = with_network(
        CONFIGS["lenet5-mnist"], name="wide-lenet", widths=(12, 32, 120, 84), p="adaptive"
    )
    assert config == dataclasses.replace(expected, epochs=40, augment="shift")
    assert read("base: digits", tmp_path) == CONFIGS["digits"]
    assert read("base: digits\nlearning_rate: 1e-3", tmp_path).learning_rate == 0.001


@pytest.mark.parametrize("text", ["1e-1", "1E-1", "+1.e-1", ".1e0", "10.0e-2", "0.1"])
def test_numbers_are_those_of_yaml_1_2(text: str, tmp_path: Path) -> None:
    expected = with_network(CONFIGS["digits"], p=0.1, init_spread=0.1)
    assert read(f"base: digits\nnetwork: {{p: {text}, init_spread: {text}}}", tmp_path) == expected
    layers = f"base: digits\nnetwork: {{p: [{text}, {text}, {text}]}}\nweight_decay: {text}"
    assert read(layers, tmp_path).network.p == (0.1, 0.1, 0.1)
    assert read(layers, tmp_path).weight_decay == 0.1


OWN_GRAPH = """
network:
  nodes:
    - {kind: layer, name: conv, channels: 4, window: {size: 3}}
    - {kind: layer, name: head, channels: 10, output: logits}
"""


def test_a_common_probability_goes_to_an_own_graph(tmp_path: Path) -> None:
    """That of the base if all its layers share one; else that of a new network."""
    default = NetworkConfig.p
    assert read("base: digits" + OWN_GRAPH, tmp_path).network.p == CONFIGS["digits"].network.p[:2]
    for p, expected in ((0.25, 0.25), ((0.1, 0.2, 0.3), default)):
        base = with_network(CONFIGS["digits"], p=p)
        assert common_p(base.network) == expected
        assert config_file._with(base, yaml.safe_load(OWN_GRAPH)["network"]).network.p == (
            expected,
            expected,
        )


def test_a_file_stands_alone_and_json_is_yaml(tmp_path: Path) -> None:
    text = "network: {name: own, input_shape: [8, 8], classes: 10, widths: [16]}\nseed: 3\n"
    assert read(text, tmp_path) == TrainConfig(
        dataclasses.replace(CONFIGS["digits"].network, name="own", widths=(16,), p=0.15), seed=3
    )
    for config in CONFIGS.values():
        assert read(config.to_json(), tmp_path) == config


def test_a_file_brings_its_own_graph(tmp_path: Path) -> None:
    text = """
base: digits
network:
  nodes:
    - {kind: layer, name: conv, channels: 4, window: {size: 3}}
    - {kind: layer, name: head, channels: 10, output: logits}
"""
    network = read(text, tmp_path).network
    assert network.topology == "custom" and [node.name for node in network.nodes] == [
        "conv",
        "head",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs", "must hold 'key: value' lines; begin with 'base: digits'"),
        ("", "must hold 'key: value' lines; begin with 'base: digits'"),
        ("a: [", "is no YAML (line 1); correct it"),
        ("base: digit", "config: 'digit' is not known; choose one of digits, "),
        ("base: 3", "base: must be the name of a configuration, not 3; try digits"),
        (
            "base: digits\nepoch: 3",
            "epoch: is no field of the configuration; did you mean 'epochs'?",
        ),
        ("base: digits\nzzz: 3", "zzz: is no field of the configuration; choose of base, network,"),
        ("base: digits\nepochs: many", "epochs: must be a whole number, 1 or more, not 'many'"),
        ("base: digits\nlearning_rate: fast", "learning_rate: must be above 0, not 'fast'; try"),
        ("base: digits\nepochs: 3\nepochs: 4", "epochs: is given twice (line 3); keep one of the"),
        ("base: digits\nnetwork: {p: 0.1,\n p: 0.2}", "p: is given twice (line 3); keep one of"),
        ("? [a]\n: 1", "is no YAML (line 1); correct it"),
        ("base: digits\nnetwork: 3", "network: must be an object, not int"),
        (
            "base: digits\nnetwork: {plane: 3}",
            "network.plane: is no field of the configuration; did you mean 'planes'?",
        ),
        ("base: digits\nnetwork: {planes: 9}", "planes: must be 1 to 8, not 9"),
        ("epochs: 3", "network: is missing; give it"),
    ],
)
def test_a_wrong_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(text, tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'run.yaml'}: {message}")
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone.yaml: cannot be read \(No such file.*; check the"):
        config_from_file(tmp_path / "gone.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"bytes.yaml: is no text in UTF-8; give a YAML file"):
        config_from_file(tmp_path / "bytes.yaml")
