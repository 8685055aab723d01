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
  localparam int VISIT_PAD = 8 * ((VISIT_BITS + 7) / 8);
  localparam int DRAWN_PAD = 8 * ((DRAWN_BITS + 7) / 8);
  localparam int HIDDEN_PAD = 8 * ((HIDDEN_BITS + 7) / 8);
  localparam int LOGIT_PAD = 8 * ((LOGIT_BITS + 7) / 8);

  string folder;
  int images, mode, passes, cutoff, idle, stall, limit, seed;
  longint min_votes, min_margin;
  reg [$bits(DRIVE_CODES)-1:0] drive_codes;
  int calibrate;
  int pixel_file, visit_file, drawn_file, hidden_file, logit_file, result_file;
  int counter_file, status_file;

  initial begin
    images_done = 0;
    done = 0;
    hung = 0;
    if (!$value$plusargs("folder=%s", folder)) folder = ".";
    if (!$value$plusargs("images=%d", images)) images = 0;
    if (!$value$plusargs("passes=%d", passes)) passes = 1;
    if (!$value$plusargs("mode=%d", mode)) mode = 0;
    if (!$value$plusargs("cutoff=%d", cutoff)) cutoff = 0;
    if (!$value$plusargs("min_votes=%d", min_votes)) min_votes = 0;
    if (!$value$plusargs("min_margin=%d", min_margin)) min_margin = 0;
    if (!$value$plusargs("idle=%d", idle)) idle = 0;
    if (!$value$plusargs("stall=%d", stall)) stall = 0;
    if (!$value$plusargs("limit=%d", limit)) limit = 1000000;
    if (!$value$plusargs("noise=%d", seed)) seed = 1;
    if (!$value$plusargs("drive=%h", drive_codes)) drive_codes = DRIVE_CODES;
    if (!$value$plusargs("calibrate=%d", calibrate)) calibrate = 0;
    pixel_file = $fopen({folder, "/pixels.bin"}, "rb");
    result_file = $fopen({folder, "/results.hex"}, "w");
    hidden_file = $fopen({folder, "/hidden.hex"}, "w");
    visit_file = $fopen({folder, "/visits.hex"}, "w");
    drawn_file = $fopen({folder, "/drawn.hex"}, "w");
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

  // With +calibrate=1 the codes of the spin unit are searched before the first pixel comes.
  wire searching;
  reg calibrate_start = 0;
  reg calibrate_begun = 0;
  reg calibrated = 0;
  always @(posedge clk)
    if (go && !rst && calibrate != 0) begin
      calibrate_start <= !calibrate_begun;
      calibrate_begun <= 1;
      if (calibrate_begun && !calibrate_start && !searching) calibrated <= 1;
    end
  wire ready_to_start = calibrate == 0 || calibrated;

  // Pixels, with random gaps of idle/256.
  reg pixel_valid = 0;
  reg [15:0] pixel = 0;
  wire pixel_ready;
  reg pixel_last = 0;
  int pixel_at = 0;
  longint pixels_sent = 0;
  wire wants_pixel = !rst && go && ready_to_start && (!pixel_valid || pixel_ready);
  always @(posedge clk)
    if (wants_pixel) begin
      if (pixels_sent < longint'(images) * PIXELS && noise[7:0] >= idle[7:0]) begin
        pixel[7:0] <= $fgetc(pixel_file);
        pixel[15:8] <= $fgetc(pixel_file);
        pixel_valid <= 1;
        pixel_last <= pixel_at == PIXELS - 1;
        pixel_at <= pixel_at == PIXELS - 1 ? 0 : pixel_at + 1;
        pixels_sent <= pixels_sent + 1;
      end else pixel_valid <= 0;
    end

  wire spin_reset, spin_write, spin_read, spin_sense;
  wire [15:0] spin_drive;
  wire [63:0] writes;
  scaledrop_spin_device spin_device (
      .clk(clk),
      .rst(rst),
      .spin_reset(spin_reset),
      .spin_write(spin_write),
      .spin_read(spin_read),
      .drive(spin_drive),
      .sense(spin_sense),
      .writes(writes)
  );

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
      quiet <= took || !ready_to_start ? 0 : quiet + 1;
      if (quiet == limit) hung <= 1;
      if (took) begin
        $fwrite(result_file, "%h\n", result_padded);
        label <= label == CLASSES - 1 ? 0 : label + 1;
        if (label == CLASSES - 1) images_done <= images_done + 1;
      end
    end

  // Observation port.
  wire visit_valid, drawn_valid, hidden_valid, logit_valid;
  wire [VISIT_BITS-1:0] visit;
  wire [DRAWN_BITS-1:0] drawn;
  wire [HIDDEN_BITS-1:0] hidden;
  wire [LOGIT_BITS-1:0] logit;
  wire [VISIT_PAD-1:0] visit_padded = VISIT_PAD'(visit);
  wire [DRAWN_PAD-1:0] drawn_padded = DRAWN_PAD'(drawn);
  wire [HIDDEN_PAD-1:0] hidden_padded = HIDDEN_PAD'(hidden);
  wire [LOGIT_PAD-1:0] logit_padded = LOGIT_PAD'(logit);
  always @(posedge clk)
    if (!rst && !done) begin
      if (visit_valid) $fwrite(visit_file, "%h\n", visit_padded);
      if (drawn_valid) $fwrite(drawn_file, "%h\n", drawn_padded);
      if (hidden_valid) $fwrite(hidden_file, "%h\n", hidden_padded);
      if (logit_valid) $fwrite(logit_file, "%h\n", logit_padded);
    end

  wire [STATUS_BITS-1:0] status;

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
          $fwrite(status_file, "%0d %0d %0d %0d\n", hung, writes, cycles, status);
          $fclose(result_file);
          $fclose(hidden_file);
          $fclose(visit_file);
          $fclose(drawn_file);
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
      .pixels__payload({pixel_last, pixel[PIXEL_BITS-2:0]}),
      .pixels__valid(pixel_valid),
      .pixels__ready(pixel_ready),
      .results__payload(result),
      .results__valid(result_valid),
      .results__ready(result_ready),
      .mode(mode[1:0]),
      .passes(passes[PASSES_BITS-1:0]),
      .cutoff(cutoff[CUTOFF_BITS-1:0]),
      .min_votes(MIN_VOTES_BITS'(min_votes)),
      .min_margin(MIN_MARGIN_BITS'(min_margin)),
      .spin__reset(spin_reset),
      .spin__write(spin_write),
      .spin__read(spin_read),
      .spin__drive(spin_drive),
      .spin__sense(spin_sense),
      .drive_codes(drive_codes),
      .calibrate(calibrate != 0),
      .calibrate_start(calibrate_start),
      .searching(searching),
      .locked(),
      .lock_lost(),
      .code_select('0),
      .code_value(),
      .record_enable(1'b0),
      .records__payload(),
      .records__valid(),
      .records__ready(1'b1),
      .host__valid(1'b0),
      .host__ready(),
      .host__write(1'b0),
      .host__memory(4'b0),
      .host__address('0),
      .host__part('0),
      .host__data(32'b0),
      .host__reply_valid(),
      .host__word(),
      .inject({INJECT_BITS{1'b0}}),
      .abort(1'b0),
      .refused(),
      .refusal(),
      .refused_layer(),
      .clear({STATUS_BITS{1'b0}}),
      .status(status),
      .stop_enable({STATUS_BITS{1'b0}}),
      .stop(),
      .monitor_select({MONITOR_SELECT_BITS{1'b0}}),
      .monitor_count(),
      .counter_select(selected[SELECT_BITS-1:0]),
      .counter_value(counter),
      .trace__visit_valid(visit_valid),
      .trace__visit(visit),
      .trace__drawn_valid(drawn_valid),
      .trace__drawn(drawn),
      .trace__hidden_valid(hidden_valid),
      .trace__hidden(hidden),
      .trace__logit_valid(logit_valid),
      .trace__logit(logit),
      .busy()
  );
endmodule
