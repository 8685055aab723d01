// SPDX-License-Identifier: Apache-2.0
// Clock and the four signals that Python touches.
`default_nettype none

module scaledrop_cosim;
  reg clk = 0;
  reg go  /* verilator public_flat_rw */ = 0;
  wire [31:0] images_done  /* verilator public_flat_rd */;
  wire done  /* verilator public_flat_rd */;
  wire hung  /* verilator public_flat_rd */;

  always #1 clk = ~clk;

  scaledrop_shell shell (
      .clk(clk),
      .go(go),
      .images_done(images_done),
      .done(done),
      .hung(hung)
  );
endmodule
