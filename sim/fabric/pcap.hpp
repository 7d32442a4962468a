// Writes packets to a file that Wireshark and tcpdump read (raw IP, LINKTYPE_RAW = 101).
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include "stack/scheduler.hpp"

namespace peersock::sim {

class PcapFile {
 public:
  explicit PcapFile(const std::string& path);
  void write(std::span<const std::uint8_t> packet, Nanos at);

 private:
  void put(std::uint32_t value);
  std::ofstream file_;
};

}  // namespace peersock::sim
