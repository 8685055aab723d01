# SPDX-License-Identifier: Apache-2.0
"""A training run in a YAML (or JSON) file.

The keys are the fields of :class:`TrainConfig`, and below ``network`` those of
:class:`scaledrop.nn.NetworkConfig`. With ``base``, the name of a configuration, only what differs
need be said::

    base: lenet5-mnist
    epochs: 40
    augment: shift
    network:
      name: wide-lenet
      widths: [12, 32, 120, 84]
      p: adaptive

Without ``base``, ``network`` needs ``name``, ``input_shape`` and ``classes``; the rest has the
defaults of the two classes. Numbers are read as in YAML 1.2, where 1e-3 is one.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scaledrop.errors import UserError
from scaledrop.nn.config import NetworkConfig
from scaledrop.training.config import TrainConfig, refuse_unknown
from scaledrop.training.named import common_p, named_config, with_network

__all__ = ["config_from_file"]


class _Loader(yaml.SafeLoader):
    """Takes 1e-3 for a number, as YAML 1.2 and JSON do, and no key twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                line = key.start_mark.line + 1
                raise UserError(f"{key.value}: is given twice (line {line}); keep one of the two")
            seen.add(key.value)
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def config_from_file(path: Path) -> TrainConfig:
    """The run that a file describes; see the module for its form.

    Raises:
        UserError: the file cannot be read, is no YAML, or has a key or value that is not allowed;
            the message names the file, the key, the value and the remedy.
    """
    try:
        return _config(_read(Path(path)))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise UserError("is no text in UTF-8; give a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise UserError(f"is no YAML{where}; correct it") from None


def _config(values: Any) -> TrainConfig:
    if not isinstance(values, Mapping):
        raise UserError("must hold 'key: value' lines; begin with 'base: digits'")
    fields = [field.name for field in dataclasses.fields(TrainConfig)]
    refuse_unknown(values, ["base", *fields])
    given = {key: value for key, value in values.items() if key != "base"}
    if "base" not in values:
        return TrainConfig.from_values(given)
    base = values["base"]
    if not isinstance(base, str):
        raise UserError(f"base: must be the name of a configuration, not {base!r}; try digits")
    config = named_config(base)
    network = given.pop("network", None) or {}
    if not isinstance(network, Mapping):
        raise UserError(f"network: must be an object, not {type(network).__name__}")
    return dataclasses.replace(_with(config, network), **given)


def _with(config: TrainConfig, network: Mapping[str, Any]) -> TrainConfig:
    """The configuration with the given fields of its network, as JSON has them."""
    refuse_unknown(network, [field.name for field in dataclasses.fields(NetworkConfig)], "network.")
    if not network:
        return config
    if "nodes" in network:
        # Only from_json knows how nodes are written; they replace the topology and its widths.
        start = {
            **config.network.to_json(),
            "topology": "custom",
            "widths": [],
            "p": common_p(config.network),
        }
        return dataclasses.replace(config, network=NetworkConfig.from_json({**start, **network}))
    lists = {key: tuple(v) if isinstance(v, list) else v for key, v in network.items()}
    return with_network(config, **lists)
