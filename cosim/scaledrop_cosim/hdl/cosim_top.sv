// SPDX-License-Identifier: Apache-2.0
// Clock and the four signals that Python touches.
`default_nettype none
`timescale 1ns / 1ns

module scaledrop_cosim #(
    parameter int PIXEL_BITS = 8,
    parameter int PIXELS = 1,
    parameter int CLASSES = 1,
    parameter int COUNTERS = 1,
    parameter int PASSES_BITS = 1,
    parameter int SELECT_BITS = 1,
    parameter int RESULT_BITS = 1,
    parameter int HIDDEN_BITS = 1,
    parameter int MASK_BITS = 1,
    parameter int LOGIT_BITS = 1,
    parameter int SCALE_ADDRESS_BITS = 1,
    parameter int SCALE_WORD_BITS = 1
);
  reg clk = 0;
  reg go  /* verilator public_flat_rw */ = 0;
  wire [31:0] images_done  /* verilator public_flat_rd */;
  wire done  /* verilator public_flat_rd */;
  wire hung  /* verilator public_flat_rd */;

  always #1 clk = ~clk;

  scaledrop_shell #(
      .PIXEL_BITS(PIXEL_BITS),
      .PIXELS(PIXELS),
      .CLASSES(CLASSES),
      .COUNTERS(COUNTERS),
      .PASSES_BITS(PASSES_BITS),
      .SELECT_BITS(SELECT_BITS),
      .RESULT_BITS(RESULT_BITS),
      .HIDDEN_BITS(HIDDEN_BITS),
      .MASK_BITS(MASK_BITS),
      .LOGIT_BITS(LOGIT_BITS),
      .SCALE_ADDRESS_BITS(SCALE_ADDRESS_BITS),
      .SCALE_WORD_BITS(SCALE_WORD_BITS)
  ) shell (
      .clk(clk),
      .go(go),
      .images_done(images_done),
      .done(done),
      .hung(hung)
  );
endmodule
