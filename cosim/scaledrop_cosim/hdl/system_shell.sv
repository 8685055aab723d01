// SPDX-License-Identifier: Apache-2.0
// The system with a clock and a spin unit around it; cocotb drives the buses.
// The build puts two macros before it: the name of the system and the width of its pixel stream.
`default_nettype none

module scaledrop_system;
  localparam PIXEL_BITS = `SCALEDROP_PIXEL_BITS;

  reg clk = 0;
  reg rst = 1;
  always #1 clk = ~clk;

  reg s_axi_awvalid = 0, s_axi_wvalid = 0, s_axi_arvalid = 0;
  reg s_axi_bready = 0, s_axi_rready = 0;
  reg [11:0] s_axi_awaddr = 0, s_axi_araddr = 0;
  reg [2:0] s_axi_awprot = 0, s_axi_arprot = 0;
  reg [31:0] s_axi_wdata = 0;
  reg [3:0] s_axi_wstrb = 0;
  wire s_axi_awready, s_axi_wready, s_axi_arready, s_axi_bvalid, s_axi_rvalid;
  wire [1:0] s_axi_bresp, s_axi_rresp;
  wire [31:0] s_axi_rdata;

  reg [PIXEL_BITS-1:0] s_axis_pixels_tdata = 0;
  reg [PIXEL_BITS/8-1:0] s_axis_pixels_tkeep = 0;
  reg s_axis_pixels_tvalid = 0, s_axis_pixels_tlast = 0;
  wire s_axis_pixels_tready;

  reg m_axis_results_tready = 0;
  wire m_axis_results_tvalid, m_axis_results_tlast;
  wire [31:0] m_axis_results_tdata;

  wire interrupt;

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

  `SCALEDROP_SYSTEM dut (
      .clk(clk),
      .rst(rst),
      .s_axi_awvalid(s_axi_awvalid),
      .s_axi_awready(s_axi_awready),
      .s_axi_awaddr(s_axi_awaddr),
      .s_axi_awprot(s_axi_awprot),
      .s_axi_wvalid(s_axi_wvalid),
      .s_axi_wready(s_axi_wready),
      .s_axi_wdata(s_axi_wdata),
      .s_axi_wstrb(s_axi_wstrb),
      .s_axi_bvalid(s_axi_bvalid),
      .s_axi_bready(s_axi_bready),
      .s_axi_bresp(s_axi_bresp),
      .s_axi_arvalid(s_axi_arvalid),
      .s_axi_arready(s_axi_arready),
      .s_axi_araddr(s_axi_araddr),
      .s_axi_arprot(s_axi_arprot),
      .s_axi_rvalid(s_axi_rvalid),
      .s_axi_rready(s_axi_rready),
      .s_axi_rdata(s_axi_rdata),
      .s_axi_rresp(s_axi_rresp),
      .s_axis_pixels_tdata(s_axis_pixels_tdata),
      .s_axis_pixels_tkeep(s_axis_pixels_tkeep),
      .s_axis_pixels_tlast(s_axis_pixels_tlast),
      .s_axis_pixels_tvalid(s_axis_pixels_tvalid),
      .s_axis_pixels_tready(s_axis_pixels_tready),
      .m_axis_results_tdata(m_axis_results_tdata),
      .m_axis_results_tlast(m_axis_results_tlast),
      .m_axis_results_tvalid(m_axis_results_tvalid),
      .m_axis_results_tready(m_axis_results_tready),
      .spin__reset(spin_reset),
      .spin__write(spin_write),
      .spin__read(spin_read),
      .spin__drive(spin_drive),
      .spin__sense(spin_sense),
      .trace__visit_valid(),
      .trace__visit(),
      .trace__drawn_valid(),
      .trace__drawn(),
      .trace__hidden_valid(),
      .trace__hidden(),
      .trace__logit_valid(),
      .trace__logit(),
      .interrupt(interrupt)
  );
endmodule
`default_nettype wire
