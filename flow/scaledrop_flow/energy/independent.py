# SPDX-License-Identifier: Apache-2.0
"""Our estimate in the configuration that another tool's figure was made for."""

from __future__ import annotations

from dataclasses import dataclass

from scaledrop.array_shape import ArrayShape
from scaledrop.energy import (
    Band,
    EnergyEstimate,
    Row,
    TechnologyTable,
    estimate,
    retarget,
)
from scaledrop.energy.hardware import machine_of
from scaledrop.energy.references import Reference
from scaledrop.shapes import full_size
from scaledrop.workload import count

__all__ = ["Beside", "beside"]

SUPPLY_V = {45.0: 0.9, 32.0: 0.9, 22.0: 0.8}
"""Node to the supply that its figures are taken at."""
READ_V, READ_S = 0.2, 10e-9
DENSITY = 0.5
GROUPS = {
    "array": ("crossbar cells", "row drivers"),
    "converters": ("column converters",),
    "accumulation": ("accumulator",),
    "control": ("controller", "stage registers"),
    "leakage": ("leakage",),
}


@dataclass(frozen=True)
class Beside:
    """Another tool's figure and ours, joules per image and pass.

    Attributes:
        reference: Theirs.
        ours: In the same configuration.
        parts: Ours by :data:`GROUPS`, and everything else.
    """

    reference: Reference
    ours: Band
    parts: dict[str, Band]

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours.value / self.reference.joules

    @property
    def within_two(self) -> bool:
        return 0.5 <= self.ratio <= 2.0


def _cells(table: TechnologyTable, reference: Reference) -> TechnologyTable:
    """Cells of the reference's resistances, half of them in each state, where it has any."""
    if reference.on_ohm is None or reference.off_ohm is None:
        return table
    low, high = (READ_V**2 / ohms * READ_S for ohms in (reference.off_ohm, reference.on_ohm))
    row: Row = table.row("cell_read").with_band(
        Band((low + high) / 2, low, high), source="V^2 t / R of the reference's cells"
    )
    rows = tuple(row if one.component == "cell_read" else one for one in table.rows)
    return table.model_copy(update={"rows": rows})


def _parts(found: EnergyEstimate) -> dict[str, Band]:
    nothing = Band(0.0, 0.0, 0.0)
    parts = dict.fromkeys((*GROUPS, "other"), nothing)
    for one in found.components:
        group = next((g for g, begins in GROUPS.items() if one.name.startswith(begins)), "other")
        parts[group] += one.joules
    return parts


def beside(reference: Reference, table: TechnologyTable) -> Beside:
    """One deterministic pass of LeNet-5 with one-bit inputs on the reference's arrays.

    The converter is the reference's, half of the pixels are ones, cells are read at 0.2 V for
    10 ns, and there is one pass of the reference datapath with one bit a layer.

    Raises:
        UserError: a node that the table cannot be brought to.
    """
    node = float(reference.node_nm)
    at = table if node == 45.0 else retarget(table, node, SUPPLY_V.get(node, 0.9))
    workload = count(
        full_size("lenet5", input_bits=reference.input_bits),
        ArrayShape(reference.rows, reference.columns, 0),
        mode="passes",
        passes=1,
        density=DENSITY,
    )
    machine = machine_of(workload.layout, converter_bits=reference.adc_bits)
    found = estimate(workload.counts, machine, _cells(at, reference), workload.images)
    return Beside(reference, found.joules, _parts(found))
