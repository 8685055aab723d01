# SPDX-License-Identifier: Apache-2.0
"""Widths and memories of one layer's datapath, which the scaling laws take."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from scaledrop.errors import UserError

__all__ = ["Capacities", "Sizes"]


CONTROL_BITS = 560
"""Counted in the Verilog of LeNet-5's accelerator; it grows with the logarithm of the sizes."""


def _check(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{name}: must be an integer of {least} or more, not {value!r}")


@dataclass(frozen=True)
class Capacities:
    """Bytes of the memories; a memory that is not there has 0.

    Attributes:
        scales, thresholds, head: Of the affine stages.
        images: Both image banks.
        activations: The vectors between layers.
        windows: Both banks of every window buffer.
        streams: Residual streams.
        affine: Gains and offsets of the layers that feed streams.
        pools: Windows of pooling that are open.
    """

    scales: int = 0
    thresholds: int = 0
    head: int = 0
    images: int = 0
    activations: int = 0
    windows: int = 0
    streams: int = 0
    affine: int = 0
    pools: int = 0

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(f"{one.name} in bytes", getattr(self, one.name), 0)

    @property
    def total(self) -> int:
        return sum(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True)
class Sizes:
    """Of the hardware as one layer sees it, in bits unless said.

    Attributes:
        rows, columns: Cells of one array, counted.
        lanes: Channels that leave the array together, counted.
        scale_bits: One scale.
        sum_width: The accumulator.
        scaled_width: The scaled sum.
        logit_width: One logit.
        gain_bits: The head's gain.
        bit_planes: The input is applied bit by bit, so that rows may be undriven and a column sum
            takes any of ``2 * rows + 1`` values; otherwise every row in use is driven.
        rows_used, columns_used: Of one array by this layer, at most and on average, counted; 0 for
            all.
        gated: Columns that are not used are neither biased nor clocked, and a converter starts at
            the first bit that its sums can have.
        converter_bits: Of a converter that is not lossless; None for the lossless one.
        pixel_bits: One pixel.
        weight_bits: Weight of a leaf, of a vote.
        total_bits: Sum of the weights of an image.
        stream_bits: One value of a residual stream.
        window_bits: The window of an unrolled convolution, in registers; 0 without.
        column_bits: One column of it, as read from its buffer; 0 without.
        source_bytes: Memory that the layer reads, in bytes.
        target_bytes: Memory that its codes go to, in bytes.
        control_bits: Registers of the controller: walker, sequencer, guard, dropout controller.
        folded: Two thresholds instead of scale and multiplier.
        memories: In bytes.

    Raises:
        UserError: a size is not an integer in its range.
    """

    rows: int
    columns: int
    lanes: int
    scale_bits: int
    sum_width: int
    scaled_width: int
    logit_width: int
    gain_bits: int
    bit_planes: bool = False
    rows_used: int = 0
    columns_used: float = 0.0
    gated: bool = True
    converter_bits: int | None = None
    pixel_bits: int = 8
    weight_bits: int = 25
    stream_bits: int = 16
    window_bits: int = 0
    column_bits: int = 0
    source_bytes: int = 0
    target_bytes: int = 0
    control_bits: int = CONTROL_BITS
    folded: bool = False
    memories: Capacities = field(default_factory=Capacities)

    def __post_init__(self) -> None:
        may_be_nothing = {"rows_used", "window_bits", "column_bits", "source_bytes", "target_bytes"}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in {"bit_planes", "columns_used", "folded", "gated", "memories"}:
                continue
            if one.name == "converter_bits" and value is None:
                continue
            _check(one.name, value, 0 if one.name in may_be_nothing else 1)

        if not 0 <= self.columns_used <= self.columns:
            raise UserError(
                f"columns_used: must be 0 to the {self.columns} columns, not {self.columns_used!r}"
            )

    @property
    def live_columns(self) -> float:
        """Columns that are biased and clocked."""
        return (self.columns_used if self.gated else 0.0) or self.columns

    @property
    def live_rows(self) -> int:
        """Rows that a converter allows for."""
        return (self.rows_used if self.gated else 0) or self.rows

    @property
    def total_width(self) -> int:
        """Sum of a class's logits, weighted."""
        return self.logit_width + self.weight_bits

    @property
    def squares_width(self) -> int:
        """Sum of a class's squared logits, weighted."""
        return 2 * (self.logit_width - 1) + self.weight_bits

    @property
    def result_bits(self) -> int:
        """One class's result as it leaves."""
        return self.total_width + self.squares_width + 2 * self.weight_bits

    def stage_bits(self, columns: float) -> float:
        """Registers of the affine stage behind ``columns`` columns. The clock of accumulators and
        windows is in the energy of reading and writing them."""
        scale_stage = 0 if self.folded else self.sum_width + self.scaled_width
        return min(columns, self.lanes) * (scale_stage + self.scaled_width)
