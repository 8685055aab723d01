// SPDX-License-Identifier: Apache-2.0
// A netlist of simple gates, cycle by cycle: counts the changes of every net.
// One clock, no delays. Usage: gates PROGRAM STIMULUS OUTPUTS TOGGLES, all binary, little-endian.
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

struct Gate {
  std::int32_t kind, a, b, c, out;
};

template <typename T>
std::vector<T> read(std::FILE* file, std::size_t count) {
  std::vector<T> found(count);
  if (count != 0 && std::fread(found.data(), sizeof(T), count, file) != count) found.clear();
  return found;
}

std::uint8_t value(const Gate& gate, const std::vector<std::uint8_t>& net) {
  const std::uint8_t a = net[gate.a], b = net[gate.b], c = net[gate.c];
  switch (gate.kind) {
    case 0: return a;
    case 1: return a ^ 1;
    case 2: return a & b;
    case 3: return a | b;
    case 4: return a ^ b;
    default: return c ? b : a;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::FILE* program = std::fopen(argv[1], "rb");
  std::FILE* stimulus = std::fopen(argv[2], "rb");
  std::FILE* outputs = std::fopen(argv[3], "wb");
  std::FILE* toggles = std::fopen(argv[4], "wb");
  if (!program || !stimulus || !outputs || !toggles) return 2;
  const auto sizes = read<std::int32_t>(program, 6);
  if (sizes.empty()) return 2;
  const auto gates = read<Gate>(program, sizes[1]);
  const auto from = read<std::int32_t>(program, sizes[2]), to = read<std::int32_t>(program, sizes[2]);
  const auto ins = read<std::int32_t>(program, sizes[3]);
  const auto outs = read<std::int32_t>(program, sizes[4]);
  std::vector<std::uint8_t> net(sizes[0]), before(sizes[0]), next(from.size());
  std::vector<std::uint8_t> line(ins.size()), told(outs.size());
  std::vector<std::int64_t> count(sizes[0]);
  net[1] = 1;
  for (std::int32_t cycle = 0; cycle < sizes[5]; ++cycle) {
    if (std::fread(line.data(), 1, line.size(), stimulus) != line.size()) return 3;
    for (std::size_t at = 0; at < ins.size(); ++at) net[ins[at]] = line[at];
    for (const Gate& gate : gates) net[gate.out] = value(gate, net);
    for (std::size_t at = 0; at < outs.size(); ++at) told[at] = net[outs[at]];
    std::fwrite(told.data(), 1, told.size(), outputs);
    if (cycle != 0)
      for (std::size_t at = 0; at < net.size(); ++at) count[at] += net[at] ^ before[at];
    before = net;
    for (std::size_t at = 0; at < from.size(); ++at) next[at] = net[from[at]];
    for (std::size_t at = 0; at < to.size(); ++at) net[to[at]] = next[at];
  }
  std::fwrite(count.data(), sizeof(std::int64_t), count.size(), toggles);
  return std::fclose(outputs) | std::fclose(toggles);
}
