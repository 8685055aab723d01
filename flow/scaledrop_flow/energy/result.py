# SPDX-License-Identifier: Apache-2.0
"""Everything that is said of the energy of one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaledrop.energy import Swing, TechnologyTable, sensitivity
from scaledrop.energy.baselines import SourceCost, source_costs
from scaledrop.energy.comparison import Ratio, compare
from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.published import Published
from scaledrop.energy.references import load_references
from scaledrop.events import EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop_flow.energy.configurations import STEPS, Priced, Setting, Way, price_way, price_ways
from scaledrop_flow.energy.independent import Beside, beside

__all__ = ["EnergyResult", "evaluate_energy"]


@dataclass(frozen=True, eq=False)
class EnergyResult:
    """Figures of one network, array and table.

    Attributes:
        network, setting, table: What was priced.
        chosen: The way that it is about.
        steps: From the paper's architecture to ours.
        swings: Of ``chosen``, a row of the table each.
        ratios: Published figures over ``chosen``.
        sources: Other stochastic sources.
        independent: Another tool's figures and ours in its configuration.
        counted: The counts are those of the RTL.
    """

    network: FrozenNetwork
    setting: Setting
    table: TechnologyTable
    chosen: Priced
    steps: tuple[Priced, ...]
    swings: tuple[Swing, ...]
    ratios: tuple[Ratio, ...]
    sources: tuple[SourceCost, ...]
    independent: tuple[Beside, ...]
    counted: bool

    @property
    def shared_gain(self) -> float:
        """Joules of our own passes over those of shared prefixes, with nothing else changed."""
        by_name = {one.way.name: one.estimate.joules.value for one in self.steps}
        return by_name[STEPS[-2].name] / by_name[STEPS[-1].name]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """In sentences."""
        bits = self.setting.converter_bits
        converter = (
            "converters are lossless: each layer's has the bits that its rows in use need, four at "
            "least"
            if bits is None
            else f"converters have {bits} bits; what that does to predictions is docs/analog.md"
        )
        return (
            *self.chosen.workload.assumptions,
            f"T = {self.setting.passes} passes; a clock of {self.table.clock_hz / 1e6:g} MHz, "
            "images one after another",
            converter,
            "columns that a layer does not use are neither biased nor clocked",
            "one tile works at a time, and the tiles share one row of converters",
            f"figures of table {self.table.name}; its bounds are added up: the widest band",
        )


def evaluate_energy(
    network: FrozenNetwork,
    setting: Setting,
    way: Way,
    table: TechnologyTable,
    published: Sequence[Published],
    own_node: TechnologyTable,
    counted: EventCounts | None = None,
) -> EnergyResult:
    """Price ``network`` as it is run and in the steps before, and set it beside others.

    Args:
        way: The way that the result is about.
        own_node: The table at the node that it is written for, from which other tools' nodes are
            reached.
        counted: Counters of the RTL for it.

    Raises:
        UserError: a size out of range, or a component that the table lacks.
    """
    chosen = price_way(network, setting, way, table, counted)
    counts = chosen.workload.counts if counted is None else counted
    return EnergyResult(
        network=network,
        setting=setting,
        table=table,
        chosen=chosen,
        steps=tuple(price_ways(network, setting, STEPS, table)),
        swings=sensitivity(counts, chosen.machine, table, chosen.workload.images),
        ratios=compare(chosen.estimate.joules, published),
        sources=source_costs(figures_of(network), table, setting.passes),
        independent=tuple(beside(one, own_node) for one in load_references()),
        counted=counted is not None,
    )
