// SPDX-License-Identifier: Apache-2.0
// Keeps Python out of the cycle: stimulus from files, capture into files, a spin unit in between.
// Payloads are written raw, in hexadecimal; the sidecar of the accelerator tells their fields.
// The package scaledrop_sizes is written by the build, from the same sidecar.
`default_nettype none

module scaledrop_shell
  import scaledrop_sizes::*;
(
    input wire clk,
    input wire go,
    output reg [31:0] images_done,
    output reg done,
    output reg hung
);
  // Whole bytes, so that a reader can turn a file of lines into an array at once.
  localparam int RESULT_PAD = 8 * ((RESULT_BITS + 7) / 8);
  localparam int HIDDEN_PAD = 8 * ((HIDDEN_BITS + 7) / 8);
  localparam int MASK_PAD = 8 * ((MASK_BITS + 7) / 8);
  localparam int LOGIT_PAD = 8 * ((LOGIT_BITS + 7) / 8);

  string folder;
  int images, passes, idle, stall, limit, seed;
  int pixel_file, word_file, result_file, hidden_file, mask_file, logit_file, counter_file;
  int status_file;

  initial begin
    images_done = 0;
    done = 0;
    hung = 0;
    if (!$value$plusargs("folder=%s", folder)) folder = ".";
    if (!$value$plusargs("images=%d", images)) images = 0;
    if (!$value$plusargs("passes=%d", passes)) passes = 1;
    if (!$value$plusargs("idle=%d", idle)) idle = 0;
    if (!$value$plusargs("stall=%d", stall)) stall = 0;
    if (!$value$plusargs("limit=%d", limit)) limit = 1000000;
    if (!$value$plusargs("noise=%d", seed)) seed = 1;
    pixel_file = $fopen({folder, "/pixels.bin"}, "rb");
    word_file = $fopen({folder, "/words.bin"}, "rb");
    result_file = $fopen({folder, "/results.hex"}, "w");
    hidden_file = $fopen({folder, "/hidden.hex"}, "w");
    mask_file = $fopen({folder, "/masks.hex"}, "w");
    logit_file = $fopen({folder, "/logits.hex"}, "w");
    counter_file = $fopen({folder, "/counters.hex"}, "w");
    status_file = $fopen({folder, "/status.txt"}, "w");
  end

  reg [2:0] reset_left = 7;
  wire rst = reset_left != 0;
  reg [31:0] noise = 32'h2545F491;
  reg [63:0] cycles = 0;
  int quiet = 0;
  always @(posedge clk)
    if (go && !done) begin
      if (rst) reset_left <= reset_left - 1;
      else cycles <= cycles + 1;
      noise <= {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]} ^ (rst ? seed : 0);
    end

  // Pixels, with random gaps of idle/256.
  reg pixel_valid = 0;
  reg [15:0] pixel = 0;
  wire pixel_ready;
  longint pixels_sent = 0;
  wire wants_pixel = !rst && go && (!pixel_valid || pixel_ready);
  always @(posedge clk)
    if (wants_pixel) begin
      if (pixels_sent < longint'(images) * PIXELS && noise[7:0] >= idle[7:0]) begin
        pixel[7:0] <= $fgetc(pixel_file);
        pixel[15:8] <= $fgetc(pixel_file);
        pixel_valid <= 1;
        pixels_sent <= pixels_sent + 1;
      end else pixel_valid <= 0;
    end

  // Spin unit: an ideal device that takes one uniform word per write pulse.
  wire spin_reset, spin_write, spin_read;
  wire [15:0] spin_drive;
  reg device = 0;
  reg writing = 0;
  reg [15:0] word;
  longint writes = 0;
  always @(posedge clk)
    if (!rst) begin
      writing <= spin_write;
      if (spin_reset) device <= 0;
      if (spin_write && !writing) begin
        word[7:0] = $fgetc(word_file);
        word[15:8] = $fgetc(word_file);
        if (word < spin_drive) device <= 1;
        writes <= writes + 1;
      end
    end

  // Results, with back-pressure of stall/256.
  wire result_valid;
  wire [RESULT_BITS-1:0] result;
  wire [RESULT_PAD-1:0] result_padded = RESULT_PAD'(result);
  reg result_ready = 1;
  int label = 0;
  wire took = result_valid && result_ready;
  always @(posedge clk)
    if (go && !rst) begin
      result_ready <= noise[15:8] >= stall[7:0];
      quiet <= took ? 0 : quiet + 1;
      if (quiet == limit) hung <= 1;
      if (took) begin
        $fwrite(result_file, "%h\n", result_padded);
        label <= label == CLASSES - 1 ? 0 : label + 1;
        if (label == CLASSES - 1) images_done <= images_done + 1;
      end
    end

  // Observation port.
  wire hidden_valid, mask_valid, logit_valid;
  wire [HIDDEN_BITS-1:0] hidden;
  wire [MASK_BITS-1:0] mask;
  wire [LOGIT_BITS-1:0] logit;
  wire [HIDDEN_PAD-1:0] hidden_padded = HIDDEN_PAD'(hidden);
  wire [MASK_PAD-1:0] mask_padded = MASK_PAD'(mask);
  wire [LOGIT_PAD-1:0] logit_padded = LOGIT_PAD'(logit);
  always @(posedge clk)
    if (!rst && !done) begin
      if (hidden_valid) $fwrite(hidden_file, "%h\n", hidden_padded);
      if (mask_valid) $fwrite(mask_file, "%h\n", mask_padded);
      if (logit_valid) $fwrite(logit_file, "%h\n", logit_padded);
    end

  // Counters, read one by one once the last image is out.
  int selected = 0;
  int settle = 0;
  wire finished = (images_done == images && go && !rst) || hung;
  wire [COUNTER_BITS-1:0] counter;
  always @(posedge clk)
    if (finished && !done) begin
      settle <= settle == 3 ? 0 : settle + 1;
      if (settle == 3) begin
        $fwrite(counter_file, "%h\n", counter);
        selected <= selected + 1;
        if (selected == COUNTERS - 1) begin
          $fwrite(status_file, "%0d %0d %0d\n", hung, writes, cycles);
          $fclose(result_file);
          $fclose(hidden_file);
          $fclose(mask_file);
          $fclose(logit_file);
          $fclose(counter_file);
          $fclose(status_file);
          done <= 1;
        end
      end
    end

  scaledrop dut (
      .clk(clk),
      .rst(rst),
      .pixels__payload(pixel[PIXEL_BITS-1:0]),
      .pixels__valid(pixel_valid),
      .pixels__ready(pixel_ready),
      .results__payload(result),
      .results__valid(result_valid),
      .results__ready(result_ready),
      .passes(passes[PASSES_BITS-1:0]),
      .spin__reset(spin_reset),
      .spin__write(spin_write),
      .spin__read(spin_read),
      .spin__drive(spin_drive),
      .spin__sense(device & spin_read),
      .counter_select(selected[SELECT_BITS-1:0]),
      .counter_value(counter),
      .scale_host__valid(1'b0),
      .scale_host__ready(),
      .scale_host__write(1'b0),
      .scale_host__address({SCALE_ADDRESS_BITS{1'b0}}),
      .scale_host__data({SCALE_WORD_BITS{1'b0}}),
      .scale_host__word(),
      .trace__hidden_valid(hidden_valid),
      .trace__hidden(hidden),
      .trace__mask_valid(mask_valid),
      .trace__mask(mask),
      .trace__logit_valid(logit_valid),
      .trace__logit(logit),
      .busy()
  );
endmodule
