# SPDX-License-Identifier: Apache-2.0
"""Faults of what becomes of the sums, and of the counters."""

from mutants.fault import Fault

__all__ = ["FAULTS"]

FAULTS = (
    # datapaths
    Fault(
        "scale_of_the_next_group",
        "output_pipeline.py",
        "now.scale_base + group",
        "now.scale_base + group + 1",
    ),
    Fault(
        "threshold_of_another_level",
        "output_pipeline.py",
        "now.level_base + base + level",
        "now.level_base + base",
        "unrolled",
    ),
    Fault(
        "threshold_of_another_group",
        "output_pipeline.py",
        "now.level_base + base + level",
        "now.level_base + level",
    ),
    Fault(
        "dropped_outcome_first",
        "output_pipeline.py",
        "tag.keep.eq(visit.kept & ~second)",
        "tag.keep.eq(Mux(visit.both, second, visit.kept))",
    ),
    Fault("dropped_scale_is_zero", "scale_stage.py", "sums[lane] << self._frac", "0"),
    Fault(
        "scale_read_although_dropped",
        "scale_stage.py",
        "memory.read.eq(self.valid & self.keep)",
        "memory.read.eq(self.valid)",
    ),
    Fault(
        "multiplication_counted_although_dropped",
        "datapath.py",
        "self.multiplying.eq(self.valid & self.fresh & self.keep)",
        "self.multiplying.eq(self.valid & self.fresh)",
    ),
    Fault(
        "threshold_tie",
        "threshold.py",
        "self.scaled[lane] >= word",
        "self.scaled[lane] > word",
        "passes",
    ),
    Fault("flip_ignored", "threshold.py", "fires ^ word[lane].flip", "fires"),
    Fault(
        "folded_threshold_of_the_other_outcome",
        "datapath.py",
        "Cat(self.keep, self.level_address)",
        "Cat(~self.keep, self.level_address)",
        "folded",
    ),
    Fault(
        "folded_sum_of_the_beat_before",
        "datapath.py",
        ("with m.If(self.valid & self.fresh):\n            m.d.sync += self.values"),
        ("with m.If(self.valid & ~self.keep):\n            m.d.sync += self.values"),
        "folded",
    ),
    # stores
    Fault(
        "slot_does_not_move",
        "store.py",
        "m.d.sync += slot.eq(slot + 1)",
        "m.d.sync += slot.eq(slot)",
    ),
    Fault(
        "word_does_not_move",
        "store.py",
        "m.d.sync += [slot.eq(0), word.eq(word + 1)]",
        "m.d.sync += slot.eq(0)",
    ),
    Fault(
        "positions_not_aligned",
        "store.py",
        "(slot == slots - 1) | (now.aligned & self.ends_position)",
        "slot == slots - 1",
        "taps",
    ),
    Fault(
        "positions_always_aligned",
        "store.py",
        "now.aligned & self.ends_position",
        "self.ends_position",
        "unrolled",
    ),
    Fault("both_outcomes_in_one_bank", "store.py", "Mux(self.keep, now.target_bank, 0)", "0"),
    Fault(
        "pool_row_left_open",
        "store.py",
        "complete.eq(ends_window & (phase_y == self.descriptor.pool))",
        "complete.eq(ends_window)",
        "unrolled",
    ),
    Fault(
        "pool_window_not_opened",
        "store.py",
        "pool.first.eq((phase_x == 0) & (phase_y == 0))",
        "pool.first.eq(phase_x == 0)",
        "unrolled",
    ),
    Fault(
        "pool_rest_kept",
        "store.py",
        ("with m.If(ends_row):\n                    m.d.sync += [window.eq(0), base.eq(0)]"),
        (
            "with m.If(ends_row & (phase_y == 1)):\n"
            "                    m.d.sync += [window.eq(0), base.eq(0)]"
        ),
        "unrolled",
    ),
    Fault(
        "smallest_instead_of_largest",
        "pool.py",
        "Mux(code > before, code, before)",
        "Mux(code < before, code, before)",
        "unrolled",
    ),
    Fault(
        "pool_of_both_outcomes",
        "pool.py",
        "address = Cat(self.keep, self.address)",
        "address = Cat(self.keep & 0, self.address)",
        "unrolled",
    ),
    # head and results
    Fault(
        "head_overrun",
        "output_pipeline.py",
        "go | in_flight |",
        "go |",
        "results",
    ),
    Fault(
        "head_takes_the_next_image_too_early",
        "head.py",
        "(~busy | (left == 1)) & ~occupied",
        "(~busy | (left == 1))",
        "results",
    ),
    Fault(
        "head_gain_of_the_other_outcome",
        "head.py",
        "Mux(beat.keep, entry[gains[0]], entry[gains[-1]])",
        "Mux(beat.keep, entry[gains[-1]], entry[gains[0]])",
        "folded",
    ),
    Fault(
        "head_offset_forgotten",
        "head.py",
        "multiplied.product + multiplied.logit.value",
        "multiplied.product",
    ),
    Fault(
        "leaf_ends_with_every_class",
        "head.py",
        "chosen.logit.ends_leaf.eq(beat.ends_leaf & last)",
        "chosen.logit.ends_leaf.eq(beat.ends_leaf)",
    ),
    Fault(
        "weight_of_the_other_outcome",
        "output_pipeline.py",
        "Mux(tag.keep, now.kept, now.dropped)",
        "Mux(tag.keep, now.dropped, now.kept)",
    ),
    Fault(
        "weight_ignored",
        "pass_accumulator.py",
        "weigh.a.eq(self.logit.weight)",
        "weigh.a.eq(1)",
    ),
    Fault(
        "square_of_the_weight",
        "pass_accumulator.py",
        "square.b.eq(added.logit.value)",
        "square.b.eq(weighted)",
    ),
    Fault(
        "square_of_the_first_leaf_kept",
        "pass_accumulator.py",
        "Mux(squared.first, 0, read.data) + square.product",
        "read.data + square.product",
    ),
    Fault(
        "sum_of_the_first_leaf_kept",
        "pass_accumulator.py",
        "Mux(added.logit.first, 0, read.data) + weighted",
        "read.data + weighted",
    ),
    Fault(
        "covered_of_all_images",
        "pass_accumulator.py",
        "covered.eq(Mux(added.first, 0, covered) + added.weight)",
        "covered.eq(covered + added.weight)",
    ),
    Fault(
        "vote_tie",
        "pass_accumulator.py",
        "(logit.value > best[logit.keep])",
        "(logit.value >= best[logit.keep])",
    ),
    Fault(
        "vote_of_one_pass_alone",
        "pass_accumulator.py",
        "read.data + added.weight, 0)",
        "read.data + 1, 0)",
    ),
    Fault(
        "winner_of_the_other_outcome",
        "pass_accumulator.py",
        "winners[logit.keep].eq(logit.label)",
        "winners[~logit.keep].eq(logit.label)",
    ),
    Fault("predicted_tie", "verdict.py", "(value > largest)", "(value >= largest)"),
    # counters
    Fault("amount_counted_as_one", "counters.py", "count + event.amount", "count + 1"),
    Fault(
        "event_of_another_layer",
        "counters.py",
        "& (event.layer == layer)",
        "& (event.layer >= layer)",
    ),
    Fault("pulse_counted_every_cycle", "observation.py", "pulse & ~before", "pulse"),
    Fault(
        "waiting_not_counted", "observation.py", "(sums.held != 0) & ~sums.active", "0", "passes"
    ),
    Fault(
        "comparisons_of_the_head",
        "output_pipeline.py",
        "self.events.comparisons.eq(Mux(decided,",
        "self.events.comparisons.eq(Mux(tag.valid,",
    ),
)
