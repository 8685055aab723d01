# SPDX-License-Identifier: Apache-2.0
"""Single faults in the RTL, as one replacement in one source file each."""

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """``old`` stands exactly once in ``file`` of scaledrop_hw; ``new`` takes its place."""

    name: str
    file: str
    old: str
    new: str


FAULTS = (
    Fault(
        "scale_address_off_by_one",
        "output_pipeline.py",
        "scale.address.eq(now.beat_base + beat)",
        "scale.address.eq(now.beat_base + beat + 1)",
    ),
    Fault("mask_stuck", "dropout.py", "keep.eq(~self.spin.sense)", "keep.eq(1)"),
    Fault("mask_inverted", "dropout.py", "keep.eq(~self.spin.sense)", "keep.eq(self.spin.sense)"),
    Fault(
        "mask_reused_for_next_layer",
        "mask.py",
        "with m.If(self.free):",
        "with m.If(self.free & ~self.keep):",
    ),
    Fault(
        "device_not_reset",
        "dropout.py",
        'if name != "SETTLE":',
        'if name not in ("SETTLE", "RESET"):',
    ),
    Fault(
        "drive_code_of_another_layer",
        "dropout.py",
        "self.spin.drive.eq(codes[self.serving])",
        "self.spin.drive.eq(codes[0])",
    ),
    Fault("threshold_tie", "threshold.py", "self.scaled[lane] >= read", "self.scaled[lane] > read"),
    Fault("vote_tie", "pass_accumulator.py", "logit.value > best", "logit.value >= best"),
    Fault("accumulator_not_cleared", "accumulator.py", "Mux(self.first, 0, ", "Mux(0, 0, "),
    Fault("row_tile_skipped", "sequencer.py", "row.eq(row + 1)", "row.eq(row + 2)"),
    Fault(
        "carry_dropped",
        "accumulator.py",
        "self.totals[column].eq(base + self.partials[column])",
        "self.totals[column].eq((base & ~31) | ((base + self.partials[column]) & 31))",
    ),
    Fault("bit_plane_not_shifted", "accumulator.py", "kept << 1", "kept"),
    Fault("vote_miscounted", "pass_accumulator.py", "vote_read.data + 1", "vote_read.data + 2"),
    Fault(
        "sum_not_overwritten_by_first_pass",
        "pass_accumulator.py",
        "Mux(logit.first_pass, 0, sum_read.data)",
        "sum_read.data",
    ),
    Fault("dropped_scale_is_zero", "scale_stage.py", "sums[lane] << self._frac", "0"),
    Fault("flip_ignored", "threshold.py", "fires ^ read.data[lane].flip", "fires"),
    Fault(
        "unused_rows_driven",
        "sum_pipeline.py",
        "Mux(tags[0].step.last_row, now.last_row_mask, full)",
        "full",
    ),
    Fault(
        "pipeline_does_not_hold",
        "sum_pipeline.py",
        "enable.eq(~(tag.valid & step.last) | drain.ready)",
        "enable.eq(1)",
    ),
    Fault("slot_off_by_one", "output_pipeline.py", "self.slot.eq(slot)", "self.slot.eq(~slot)"),
    Fault(
        "head_overrun",
        "output_pipeline.py",
        "(~now.head | head_free)",
        "(~now.head | head_free | 1)",
    ),
    Fault(
        "addition_counted_twice",
        "sum_pipeline.py",
        "Mux(step.first, 0, columns)",
        "columns",
    ),
    Fault(
        "bubble_between_layers",
        "sequencer.py",
        "self.command.ready.eq(~self.active | self.done)",
        "self.command.ready.eq(~self.active)",
    ),
    Fault(
        "scale_read_although_dropped",
        "scale_stage.py",
        "memory.read.eq(self.valid & self.keep)",
        "memory.read.eq(self.valid)",
    ),
    Fault(
        "image_read_in_every_layer",
        "sum_pipeline.py",
        "image.read.eq(fetch & from_image)",
        "image.read.eq(fetch)",
    ),
    Fault("pixel_plane_order", "image_buffer.py", "self._planes - 1 - index]", "index]"),
)
