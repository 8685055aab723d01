# SPDX-License-Identifier: Apache-2.0
"""Faults of the walk, the bits and the order of the steps."""

from mutants.fault import Fault

__all__ = ["FAULTS"]

FAULTS = (
    # walk
    Fault(
        "kept_and_dropped_swapped",
        "walker.py",
        "formed.kept.eq(ones + keep), self.formed.dropped.eq(zeros + ~keep)",
        "formed.kept.eq(zeros + ~keep), self.formed.dropped.eq(ones + keep)",
    ),
    Fault(
        "last_visit_of_every_pass",
        "walker.py",
        "prefix.ends & (left == 1)",
        "prefix.ends",
        "passes",
    ),
    Fault(
        "first_leaf_of_every_pass", "walker.py", "first.eq(formed.last)", "first.eq(1)", "passes"
    ),
    Fault(
        "weight_of_a_pass_lost",
        "walker.py",
        "Mux(begin | prefix.ends, root",
        "Mux(begin, root",
        "passes",
    ),
    Fault(
        "bits_of_one_pass_for_all",
        "walker.py",
        "m.d.comb += root.eq(passes)",
        "m.d.comb += root.eq(1)",
    ),
    Fault("queue_overrun", "walker.py", "room.eq(queue.w_rdy)", "room.eq(1)", "exact"),
    Fault(
        "path_bit_inverted",
        "prefix_stack.py",
        "bit_select(self.layer, 1).eq(self.keeps)",
        "bit_select(self.layer, 1).eq(~self.keeps)",
    ),
    Fault(
        "path_keeps_the_bit_of_the_waiting_side",
        "prefix_stack.py",
        "deepest > layer for",
        "deepest >= layer for",
    ),
    Fault(
        "dropped_side_forgotten",
        "prefix_stack.py",
        "both.eq(~self.head & self.keeps & self.drops)",
        "both.eq(0)",
    ),
    Fault(
        "weight_of_the_kept_side_waits",
        "prefix_stack.py",
        "write.data.eq(self.dropped)",
        "write.data.eq(self.kept)",
    ),
    Fault(
        "mass_rounded_up",
        "mass_split.py",
        "product.eq((operand * self.code) >> DROP_BITS)",
        "product.eq(((operand * self.code) >> DROP_BITS) + 1)",
        "exact",
    ),
    Fault(
        "heavier_side_pruned",
        "mass_split.py",
        "swapped.eq(less)",
        "swapped.eq(~less)",
        "exact",
    ),
    Fault(
        "leaf_of_the_lighter_side",
        "mass_split.py",
        "operand.eq(heavier)]",
        "operand.eq(lighter)]",
        "exact",
    ),
    Fault(
        "mass_of_another_layer",
        "accelerator.py",
        "self.drive_codes[walker.asked]",
        "self.drive_codes[0]",
        "exact",
    ),
    # bits
    Fault(
        "drive_code_of_another_layer",
        "bit_source.py",
        "self.targets[dropout.serving]",
        "self.targets[0]",
    ),
    Fault("mask_stuck", "dropout.py", "keep.eq(~self.spin.sense)", "keep.eq(1)"),
    Fault("mask_inverted", "dropout.py", "keep.eq(~self.spin.sense)", "keep.eq(self.spin.sense)"),
    Fault(
        "device_not_reset",
        "dropout.py",
        'if name != "SETTLE":',
        'if name not in ("SETTLE", "RESET"):',
    ),
    # order of the steps
    Fault(
        "bubble_between_visits",
        "sequencer.py",
        "(~self.active | self.done) & ~self.refuse",
        "~self.active & ~self.refuse",
    ),
    Fault(
        "bank_of_the_kept_outcome_alone", "sequencer.py", "Mux(kept, chosen.bank, 0)", "chosen.bank"
    ),
    Fault(
        "plane_does_not_end",
        "sequencer.py",
        'step.ends_plane.eq(ends["below"])',
        "step.ends_plane.eq(0)",
        "unrolled",
    ),
    Fault(
        "tile_of_the_next_plane",
        "sequencer.py",
        "m.d.sync += tile.eq(column)",
        "m.d.sync += tile.eq(tile + 1)",
    ),
    Fault(
        "tile_of_the_next_position",
        "sequencer.py",
        "[tile.eq(now.tile_base), column.eq(now.tile_base)]",
        "[column.eq(now.tile_base)]",
        "taps",
    ),
    Fault(
        "tap_row_off_by_one_word",
        "sequencer.py",
        "word.eq(word + now.tap_down)",
        "word.eq(word + now.tap_down + 1)",
        "taps",
    ),
    Fault(
        "position_does_not_move",
        "sequencer.py",
        "[origin.eq(across), word.eq(across)]",
        "[word.eq(across)]",
        "taps",
    ),
    Fault(
        "map_row_does_not_move",
        "sequencer.py",
        "row_origin.eq(down), word.eq(down)",
        "word.eq(down)",
        "taps",
    ),
    Fault(
        "padding_only_at_the_first_row",
        "sequencer.py",
        "Mux(last_x, -now.padding, left + now.stride)",
        "Mux(last_x, 0, left + now.stride)",
        "taps",
    ),
    Fault(
        "edge_of_the_map_off_by_one",
        "sequencer.py",
        "(y < now.source_height)",
        "(y <= now.source_height)",
        "taps",
    ),
    Fault(
        "window_taken_too_early",
        "sequencer.py",
        "windowed & wanted & self.window_ready",
        "windowed & wanted",
        "unrolled",
    ),
)
