// SPDX-License-Identifier: Apache-2.0
// Block memory of ECP5, of which Yosys' library has a shell only, as far as Yosys uses it: no output
// registers, no asynchronous reset. Anything else ends the simulation.
// Source: Lattice, ECP5 and ECP5-5G Memory Usage Guide (FPGA-TN-02204). Where one port reads what the
// other one is writing, which the guide leaves open, the complement is read, so that a netlist that
// leans on it is found out.

module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
    ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
    ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG";
  parameter REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA";
  parameter CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter [319:0] INITVAL_00 = 320'h0;
  parameter [319:0] INITVAL_01 = 320'h0;
  parameter [319:0] INITVAL_02 = 320'h0;
  parameter [319:0] INITVAL_03 = 320'h0;
  parameter [319:0] INITVAL_04 = 320'h0;
  parameter [319:0] INITVAL_05 = 320'h0;
  parameter [319:0] INITVAL_06 = 320'h0;
  parameter [319:0] INITVAL_07 = 320'h0;
  parameter [319:0] INITVAL_08 = 320'h0;
  parameter [319:0] INITVAL_09 = 320'h0;
  parameter [319:0] INITVAL_0A = 320'h0;
  parameter [319:0] INITVAL_0B = 320'h0;
  parameter [319:0] INITVAL_0C = 320'h0;
  parameter [319:0] INITVAL_0D = 320'h0;
  parameter [319:0] INITVAL_0E = 320'h0;
  parameter [319:0] INITVAL_0F = 320'h0;
  parameter [319:0] INITVAL_10 = 320'h0;
  parameter [319:0] INITVAL_11 = 320'h0;
  parameter [319:0] INITVAL_12 = 320'h0;
  parameter [319:0] INITVAL_13 = 320'h0;
  parameter [319:0] INITVAL_14 = 320'h0;
  parameter [319:0] INITVAL_15 = 320'h0;
  parameter [319:0] INITVAL_16 = 320'h0;
  parameter [319:0] INITVAL_17 = 320'h0;
  parameter [319:0] INITVAL_18 = 320'h0;
  parameter [319:0] INITVAL_19 = 320'h0;
  parameter [319:0] INITVAL_1A = 320'h0;
  parameter [319:0] INITVAL_1B = 320'h0;
  parameter [319:0] INITVAL_1C = 320'h0;
  parameter [319:0] INITVAL_1D = 320'h0;
  parameter [319:0] INITVAL_1E = 320'h0;
  parameter [319:0] INITVAL_1F = 320'h0;
  parameter [319:0] INITVAL_20 = 320'h0;
  parameter [319:0] INITVAL_21 = 320'h0;
  parameter [319:0] INITVAL_22 = 320'h0;
  parameter [319:0] INITVAL_23 = 320'h0;
  parameter [319:0] INITVAL_24 = 320'h0;
  parameter [319:0] INITVAL_25 = 320'h0;
  parameter [319:0] INITVAL_26 = 320'h0;
  parameter [319:0] INITVAL_27 = 320'h0;
  parameter [319:0] INITVAL_28 = 320'h0;
  parameter [319:0] INITVAL_29 = 320'h0;
  parameter [319:0] INITVAL_2A = 320'h0;
  parameter [319:0] INITVAL_2B = 320'h0;
  parameter [319:0] INITVAL_2C = 320'h0;
  parameter [319:0] INITVAL_2D = 320'h0;
  parameter [319:0] INITVAL_2E = 320'h0;
  parameter [319:0] INITVAL_2F = 320'h0;
  parameter [319:0] INITVAL_30 = 320'h0;
  parameter [319:0] INITVAL_31 = 320'h0;
  parameter [319:0] INITVAL_32 = 320'h0;
  parameter [319:0] INITVAL_33 = 320'h0;
  parameter [319:0] INITVAL_34 = 320'h0;
  parameter [319:0] INITVAL_35 = 320'h0;
  parameter [319:0] INITVAL_36 = 320'h0;
  parameter [319:0] INITVAL_37 = 320'h0;
  parameter [319:0] INITVAL_38 = 320'h0;
  parameter [319:0] INITVAL_39 = 320'h0;
  parameter [319:0] INITVAL_3A = 320'h0;
  parameter [319:0] INITVAL_3B = 320'h0;
  parameter [319:0] INITVAL_3C = 320'h0;
  parameter [319:0] INITVAL_3D = 320'h0;
  parameter [319:0] INITVAL_3E = 320'h0;
  parameter [319:0] INITVAL_3F = 320'h0;

  wire [17:0] dia = {
      DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
      DIA4, DIA3, DIA2, DIA1, DIA0
  };
  wire [13:0] ada = {
      ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  wire [17:0] dib = {
      DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
      DIB4, DIB3, DIB2, DIB1, DIB0
  };
  wire [13:0] adb = {
      ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };

  // Bytes of 9 bits. A port sees four of them from its first on, shifted to its bit.
  reg [8:0] store[0:2047];

  function [10:0] first(input integer width, input [13:0] address);
    if (width == 36) first = {address[13:5], 2'b0};
    else if (width == 18) first = {address[13:4], 1'b0};
    else first = address[13:3];
  endfunction

  function [5:0] shift(input integer width, input [13:0] address);
    if (width == 4) shift = {3'b0, address[2], 2'b0};
    else if (width == 2) shift = {3'b0, address[2:1], 1'b0};
    else if (width == 1) shift = {3'b0, address[2:0]};
    else shift = 6'd0;
  endfunction

  function [35:0] window(input integer width);
    window = 36'hFFFFFFFFF >> (36 - width);
  endfunction

  function [35:0] enables(input integer width, input [13:0] address);
    enables = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
    if (width < 18) enables = window(width);
    else enables = enables & window(width);
  endfunction

  wire [10:0] first_a = first(DATA_WIDTH_A, ada);
  wire [10:0] first_b = first(DATA_WIDTH_B, adb);
  wire [5:0] shift_a = shift(DATA_WIDTH_A, ada);
  wire [5:0] shift_b = shift(DATA_WIDTH_B, adb);
  wire [35:0] take_a = {36{CEA & WEA & ~RSTA}} & (enables(DATA_WIDTH_A, ada) << shift_a);
  wire [35:0] take_b = {36{CEB & WEB & ~RSTB}} & (enables(DATA_WIDTH_B, adb) << shift_b);
  wire [35:0] data_a = (DATA_WIDTH_A == 36 ? {dib, dia} : {18'b0, dia}) << shift_a;
  wire [35:0] data_b = {18'b0, dib} << shift_b;

  // What lies before a port, and those bits of it that the other port is writing.
  reg [35:0] seen_a, seen_b, open_a, open_b;
  integer i, j;
  always @(*) begin
    seen_a = 36'b0;
    seen_b = 36'b0;
    open_a = 36'b0;
    open_b = 36'b0;
    for (i = 0; i < 4; i = i + 1) begin
      seen_a[9*i+:9] = store[first_a+i[10:0]];
      seen_b[9*i+:9] = store[first_b+i[10:0]];
      for (j = 0; j < 4; j = j + 1) begin
        if (first_a + i[10:0] == first_b + j[10:0]) begin
          open_a[9*i+:9] = take_b[9*j+:9];
          open_b[9*j+:9] = take_a[9*i+:9];
        end
      end
    end
  end

  reg [35:0] out_a, out_b;
  wire [35:0] old_a = ((seen_a ^ open_a) >> shift_a) & window(DATA_WIDTH_A);
  wire [35:0] old_b = ((seen_b ^ open_b) >> shift_b) & window(DATA_WIDTH_B);
  wire [35:0] new_a = ((data_a & take_a | (seen_a ^ open_a) & ~take_a) >> shift_a)
      & window(DATA_WIDTH_A);
  wire [35:0] new_b = ((data_b & take_b | (seen_b ^ open_b) & ~take_b) >> shift_b)
      & window(DATA_WIDTH_B);

  integer k;
  always @(posedge CLKA)
    for (k = 0; k < 4; k = k + 1)
      if (|take_a[9*k+:9])
        store[first_a+k[10:0]] <= data_a[9*k+:9] & take_a[9*k+:9]
            | store[first_a+k[10:0]] & ~take_a[9*k+:9];
  integer n;
  always @(posedge CLKB)
    for (n = 0; n < 4; n = n + 1)
      if (|take_b[9*n+:9])
        store[first_b+n[10:0]] <= data_b[9*n+:9] & take_b[9*n+:9]
            | store[first_b+n[10:0]] & ~take_b[9*n+:9];

  always @(posedge CLKA)
    if (RSTA) out_a <= 36'b0;
    else if (CEA && !WEA) out_a <= old_a;
    else if (CEA && WRITEMODE_A == "READBEFOREWRITE") out_a <= old_a;
    else if (CEA && WRITEMODE_A == "WRITETHROUGH") out_a <= new_a;
  always @(posedge CLKB)
    if (RSTB) out_b <= 36'b0;
    else if (CEB && !WEB) out_b <= old_b;
    else if (CEB && WRITEMODE_B == "READBEFOREWRITE") out_b <= old_b;
    else if (CEB && WRITEMODE_B == "WRITETHROUGH") out_b <= new_b;

  assign {
      DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
      DOA4, DOA3, DOA2, DOA1, DOA0
  } = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
  assign {
      DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
      DOB4, DOB3, DOB2, DOB1, DOB0
  } = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];

  wire [20479:0] contents = {
      INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
      INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
      INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
      INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
      INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
      INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
      INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
      INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
      INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
      INITVAL_00
  };
  integer word;
  initial begin
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB")
      $fatal(1, "DP16KD: output registers and inverted clocks are not modelled");
    out_a = 36'b0;
    out_b = 36'b0;
    for (word = 0; word < 1024; word = word + 1) begin
      store[2*word] = contents[20*word+:9];
      store[2*word+1] = contents[20*word+9+:9];
    end
  end
  always @(posedge CLKA)
    if (RESETMODE != "SYNC" && (RSTA || RSTB))
      $fatal(1, "DP16KD: asynchronous resets are not modelled");
endmodule
