// SPDX-License-Identifier: Apache-2.0
// The spin unit's device. Ideal: one uniform 16-bit word per write, switched below the drive code.
// With +device=FILE: one 32-bit word per write, switched below a threshold of the file's tables,
// which are 32-bit words by epoch (+epoch=WRITES each, of +epochs=N), bit before and DAC code, of
// which there are 2**+dac_bits. Files are little-endian.
`default_nettype none

module scaledrop_spin_device (
    input wire clk,
    input wire rst,
    input wire spin_reset,
    input wire spin_write,
    input wire spin_read,
    input wire [15:0] drive,
    output wire sense,
    output reg [63:0] writes
);
  reg [8*1024-1:0] path;
  integer words, tables;
  integer dac_bits;
  reg [63:0] epoch_writes, epochs, epoch, place;
  reg physical = 0;
  reg switched = 0;
  reg last_bit = 0;
  reg writing = 0;
  reg [31:0] word, threshold;

  initial begin
    writes = 0;
    if (!$value$plusargs("words=%s", path)) $fatal(1, "the plusarg words is missing");
    words = $fopen(path, "rb");
    if (words == 0) $fatal(1, "the file of words cannot be read");
    if ($value$plusargs("device=%s", path)) begin
      physical = 1;
      tables = $fopen(path, "rb");
      if (tables == 0) $fatal(1, "the file of the device cannot be read");
      if (!$value$plusargs("dac_bits=%d", dac_bits)) $fatal(1, "the plusarg dac_bits is missing");
      if (!$value$plusargs("epoch=%d", epoch_writes)) $fatal(1, "the plusarg epoch is missing");
      if (!$value$plusargs("epochs=%d", epochs)) $fatal(1, "the plusarg epochs is missing");
    end
  end

  assign sense = switched & spin_read;

  always @(posedge clk)
    if (!rst) begin
      writing <= spin_write;
      if (spin_reset) switched <= 0;
      if (spin_write && !writing) begin
        word = 0;
        word[7:0] = $fgetc(words);
        word[15:8] = $fgetc(words);
        threshold = {16'b0, drive};
        if (physical) begin
          word[23:16] = $fgetc(words);
          word[31:24] = $fgetc(words);
          epoch = writes / epoch_writes;
          if (epoch >= epochs) epoch = epochs - 1;
          place = ((epoch * 2 + {63'b0, last_bit}) << dac_bits) + ({48'b0, drive} >> (16 - dac_bits));
          void'($fseek(tables, 32'(place * 4), 0));
          threshold[7:0] = $fgetc(tables);
          threshold[15:8] = $fgetc(tables);
          threshold[23:16] = $fgetc(tables);
          threshold[31:24] = $fgetc(tables);
        end
        last_bit = word < threshold;
        if (last_bit) switched <= 1;
        writes <= writes + 1;
      end
    end
endmodule
