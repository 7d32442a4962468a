// The classic BPF program that picks a socket of a group (SO_ATTACH_REUSEPORT_CBPF, socket(7)).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <linux/filter.h>

namespace peersock::sim {

/// Only the instructions that adapters/split_filter.cpp emits: loads from a fixed place, in the
/// payload of the datagram or, from SKF_NET_OFF on, in its headers; comparisons with a constant;
/// a constant as the answer.
class ReuseportFilter {
 public:
  /// Nothing: a program with other instructions, without an end, or with jumps behind it.
  [[nodiscard]] static std::optional<ReuseportFilter> load(std::span<const sock_filter> program);

  /// Which socket. What the program loads from beyond the packet ends it with 0.
  [[nodiscard]] std::uint32_t run(std::span<const std::uint8_t> headers,
                                  std::span<const std::uint8_t> payload) const;

 private:
  explicit ReuseportFilter(std::span<const sock_filter> program)
      : program_(program.begin(), program.end()) {}

  std::vector<sock_filter> program_;
};

}  // namespace peersock::sim
