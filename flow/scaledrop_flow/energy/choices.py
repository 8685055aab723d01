# SPDX-License-Identifier: Apache-2.0
"""From the options of a command to a network, its input, its table and its counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.density import Density
from scaledrop.device.card_file import load_card
from scaledrop.energy import TechnologyTable, load_table, retarget
from scaledrop.energy.with_device import with_device
from scaledrop.errors import UserError
from scaledrop.events import EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.shapes import full_size, shape_network
from scaledrop_flow.data import images_for
from scaledrop_flow.energy.configurations import Setting, Way
from scaledrop_flow.model import resolve

__all__ = ["Chosen", "counted_by", "network_of", "table_of"]

DEFAULT_DENSITY = 0.5
DEFAULT_DROP = 0.15


@dataclass(frozen=True, eq=False)
class Chosen:
    """A network and what drives its first layer."""

    network: FrozenNetwork
    drives: npt.NDArray[np.integer] | Density


def network_of(
    config: str | None,
    model: Path | None,
    topology: str | None,
    images: int,
    density: float | None,
    data: Path | None,
    cache: Path,
) -> Chosen:
    """A trained network with test images, or a topology at full size with a density.

    Raises:
        UserError: more than one network is named, or one cannot be found.
    """
    if topology is None:
        network = resolve(config, model, None, cache, data).network
        if density is None:
            return Chosen(network, images_for(network, images, data).pixels)
        return Chosen(network, Density.of(density))
    if config is not None or model is not None:
        raise UserError("topology: goes without --config and --model; name one network")
    network = shape_network(full_size(topology), DEFAULT_DROP, topology)
    return Chosen(network, Density.of(DEFAULT_DENSITY if density is None else density))


def table_of(
    table: str, node: float | None, supply: float, spin: str | None, network: FrozenNetwork
) -> TechnologyTable:
    """The table by name or file, at a node, with a device's spin unit at the mean p of the layers.

    Raises:
        UserError: no such table or card, or a node outside of the scaling table.
    """
    found = load_table(table)
    if node is not None:
        found = retarget(found, node, supply)
    if spin is None:
        return found
    drops = [layer.drop_probability for layer in network.layers]
    return with_device(found, load_card(spin), float(np.mean(drops)))


def _report(run: Path) -> dict[str, Any]:
    try:
        report = json.loads(run.read_text(encoding="utf-8"))
        simulated = report["events"]["simulated"]
    except OSError as error:
        raise UserError(f"run: {run}: {error.strerror}; give the report of a run") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"run: {run} is no report of a co-simulation; give its report.json"
        ) from None
    if simulated is None:
        raise UserError(f"run: {run} has no counters of the RTL; run the co-simulation to its end")
    return dict(report)


def counted_by(run: Path, network: FrozenNetwork, setting: Setting, way: Way) -> EventCounts:
    """Counters of the RTL from a co-simulation's report, of the very run that is to be priced.

    Raises:
        UserError: the file is no such report, or is of another network, array or way.
    """
    report, array = _report(run), setting.array
    asked = {
        "model_sha256": digest(network),
        "mode": str(way.mode),
        "datapath": "folded" if way.folded else "reference",
        "passes": setting.passes,
        "convolution": setting.convolution,
        "images": 0 if isinstance(setting.drives, Density) else len(setting.drives),
        "array": {"rows": array.rows, "columns": array.columns, "lanes": array.lanes},
    }
    for name, wanted in asked.items():
        if report.get(name) != wanted:
            raise UserError(
                f"run: {name} is {report.get(name)!r} in {run} and {wanted!r} here; price the run "
                "with the options that it was made with"
            )
    return dict(report["events"]["simulated"])
