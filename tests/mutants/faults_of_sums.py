# SPDX-License-Identifier: Apache-2.0
"""Faults of what the crossbar reads, and of its sums."""

from mutants.fault import Fault

__all__ = ["FAULTS"]

FAULTS = (
    # buffers
    Fault("pixel_plane_order", "image_buffer.py", "self._planes - 1 - index]", "index]"),
    Fault(
        "image_bank_of_the_next",
        "framing.py",
        "self.fill.eq(self.bank ^ self.held[0])",
        "self.fill.eq(self.bank)",
        "results",
    ),
    Fault(
        "channel_of_the_next_pixel",
        "pixel_writer.py",
        "last_channel.eq(self.write_group == self._channels - 1)",
        "last_channel.eq(self.write_group == 0)",
        "unrolled",
    ),
    Fault(
        "code_bits_in_the_wrong_order",
        "sources.py",
        "buffer.bit.eq(now.planes - self.step.plane)",
        "buffer.bit.eq(self.step.plane)",
        "taps",
    ),
    Fault(
        "window_of_the_other_outcome",
        "sources.py",
        "window.bank.eq(self.kept_before)",
        "window.bank.eq(~self.kept_before)",
        "unrolled",
    ),
    Fault(
        "windows_of_both_outcomes_in_one_bank",
        "sources.py",
        "window.write_bank.eq(store.keep)",
        "window.write_bank.eq(1)",
        "unrolled",
    ),
    Fault("unused_rows_driven", "sources.py", "Mux(inside, masks.word, 0)", "Mux(inside, ~0, 0)"),
    Fault(
        "rows_outside_the_map_driven",
        "sources.py",
        "Mux(inside, masks.word, 0)",
        "masks.word",
        "taps",
    ),
    Fault(
        "zero_bits_of_pixels_driven",
        "sources.py",
        "drive & (self.word | ~now.unsigned.replicate(rows))",
        "drive",
    ),
    Fault(
        "word_read_although_nothing_is_needed",
        "sources.py",
        "self.read & (self.descriptor.source == Place.IMAGE)",
        "self.read & (self.descriptor.source == Place.IMAGE) & (self.step.word != 1)",
    ),
    Fault(
        "window_row_of_the_wrong_memory",
        "window_buffer.py",
        "cells[ky:] + cells[:ky]",
        "cells",
        "unrolled",
    ),
    Fault(
        "window_line_off_by_one",
        "window_buffer.py",
        "column.phase > index",
        "column.phase >= index",
        "unrolled",
    ),
    Fault(
        "window_plane_order",
        "window_buffer.py",
        "for bit in reversed(range(planes))",
        "for bit in range(planes)",
        "unrolled",
    ),
    Fault(
        "window_group_of_another_beat",
        "window_buffer.py",
        "(home == index)) << self.write_group",
        "(home == index)) << 0",
        "unrolled",
    ),
    Fault(
        "padding_of_the_window_driven",
        "window_buffer.py",
        "next_inside.eq(Cat(next_inside, inside)[size:])",
        "next_inside.eq(~0)",
        "unrolled",
    ),
    Fault(
        "window_padding_shifted",
        "window_walk.py",
        "(x >= padding) & (x < padding + self._width)",
        "(x > padding) & (x < padding + self._width)",
        "unrolled",
    ),
    Fault(
        "window_column_left_out",
        "window_walk.py",
        "left.eq(min(stride, size) - 1)]",
        "left.eq(size - 1)]",
        "unrolled",
    ),
    # sums
    Fault(
        "pipeline_does_not_hold",
        "sum_pipeline.py",
        "enable.eq(~(settled.valid & done.last) | drain.ready)",
        "enable.eq(1)",
        "unrolled",
    ),
    Fault("addition_counted_twice", "sum_pipeline.py", "Mux(step.first, 0, columns)", "columns"),
    Fault(
        "earlier_planes_forgotten",
        "accumulator.py",
        "earlier + (settled >> 1)",
        "settled >> 1",
    ),
    Fault(
        "accumulator_not_cleared",
        "accumulator.py",
        "with m.If(self.enable & (self.ends_plane | self.last)):",
        "with m.If(self.enable & self.ends_plane & ~self.last):",
    ),
    Fault(
        "lane_of_another_column",
        "drain.py",
        "held >> (self._lanes * self._sum_width)",
        "held >> self._sum_width",
    ),
    Fault("position_ends_a_beat_too_early", "drain.py", "ending & (left == 1)", "ending"),
)
