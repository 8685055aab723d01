// SPDX-License-Identifier: Apache-2.0
// A demonstrator with a clock and the other end of its serial line. cocotb hands over whole messages
// and takes what was heard, so that Python need not look at bits.
// The build puts two macros before it: the name of the demonstrator and the cycles of a bit.
`default_nettype none

module scaledrop_serial;
  localparam DIVISOR = `SCALEDROP_DIVISOR;
  localparam BYTES = 1024;

  reg clk = 0;
  reg rst = 1;
  always #1 clk = ~clk;

  reg noise = 1;
  reg line = 1;
  wire tx, busy, fault;

  `SCALEDROP_DEMONSTRATOR dut (
      .clk(clk),
      .rst(rst),
      .rx(line & noise),
      .tx(tx),
      .busy(busy),
      .fault(fault)
  );

  // A message goes out, its first byte in the lowest bits, when `say` rises; then `said` does.
  reg [8*BYTES-1:0] message = 0;
  integer message_bytes = 0;
  reg say = 0;
  reg said = 0;
  integer at, bit_at;
  always begin
    wait (say);
    for (at = 0; at < message_bytes; at = at + 1) begin
      line = 0;
      repeat (DIVISOR) @(posedge clk);
      for (bit_at = 0; bit_at < 8; bit_at = bit_at + 1) begin
        line = message[8*at+bit_at];
        repeat (DIVISOR) @(posedge clk);
      end
      line = 1;
      repeat (DIVISOR) @(posedge clk);
    end
    said = 1;
    wait (!say);
    said = 0;
  end

  // What came, the first byte in the lowest bits; cocotb takes it and sets the count back.
  reg [8*BYTES-1:0] heard = 0;
  integer heard_bytes = 0;
  integer broken = 0;
  integer still = 0;
  reg [7:0] byte_heard;
  integer bit_heard;
  always begin
    wait (!tx);
    repeat (DIVISOR / 2) @(negedge clk);
    for (bit_heard = 0; bit_heard < 8; bit_heard = bit_heard + 1) begin
      repeat (DIVISOR) @(negedge clk);
      byte_heard[bit_heard] = tx;
    end
    repeat (DIVISOR) @(negedge clk);
    if (!tx) broken = broken + 1;
    heard[8*heard_bytes+:8] = byte_heard;
    heard_bytes = heard_bytes + 1;
    still = 0;
    wait (tx);
  end

  // High when as many bytes came as are wanted, or none for so many cycles.
  reg listen = 0;
  integer wanted = 0;
  integer silence = 0;
  reg enough = 0;
  always @(posedge clk) begin
    still = listen ? still + 1 : 0;
    enough <= listen && (heard_bytes >= wanted || still >= silence);
  end
endmodule

`default_nettype wire
