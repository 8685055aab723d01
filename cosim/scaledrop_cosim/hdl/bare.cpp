// SPDX-License-Identifier: Apache-2.0
// The shell without cocotb, VPI or timing: the fastest that this simulator runs the same stimulus.
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "Vtop.h"
#include "verilated.h"

int main(int argc, char** argv) {
  VerilatedContext context;
  context.commandArgs(argc, argv);
  Vtop top{&context};
  top.clk = 0;
  top.go = 0;
  top.eval();
  top.go = 1;
  std::uint64_t cycles = 0;
  const auto start = std::chrono::steady_clock::now();
  while (!top.done) {
    top.clk = 1;
    top.eval();
    top.clk = 0;
    top.eval();
    ++cycles;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(cycles), seconds.count());
  top.final();
  return top.hung;
}
