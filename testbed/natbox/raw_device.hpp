// Whole Ethernet frames to and from one network device (packet(7)), and what both boxes share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nat_engine.hpp"

namespace peersock::testbed {

using HardwareAddress = std::array<std::uint8_t, 6>;

class RawDevice {
 public:
  // Ends the program with a sentence when the device is not there: a box without it is of no use.
  explicit RawDevice(const std::string& name);
  RawDevice(const RawDevice&) = delete;
  RawDevice& operator=(const RawDevice&) = delete;
  RawDevice(RawDevice&&) = delete;
  RawDevice& operator=(RawDevice&&) = delete;
  ~RawDevice();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const HardwareAddress& address() const { return address_; }
  // Octets of an IP packet, as they were when the device was opened.
  [[nodiscard]] std::uint16_t mtu() const { return mtu_; }
  // A frame, in `buffer`; empty when none waits.
  [[nodiscard]] std::span<std::uint8_t> receive(std::span<std::uint8_t> buffer) const;
  // What the device does not take is lost, as on a wire.
  void send(std::span<const std::uint8_t> frame) const;
  void send(std::span<const std::vector<std::uint8_t>> frames) const;

 private:
  int descriptor_ = -1;
  HardwareAddress address_{};
  std::uint16_t mtu_ = 0;
};

[[nodiscard]] Time monotonic_now();
[[noreturn]] void fail(const std::string& sentence);
// `--name value` pairs of a command line.
[[nodiscard]] std::map<std::string, std::string> options(int count, char** values);

}  // namespace peersock::testbed
