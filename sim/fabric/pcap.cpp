#include "fabric/pcap.hpp"

namespace peersock::sim {
namespace {

// The form with nanoseconds, in this machine's own order of octets.
constexpr std::uint32_t kMagic = 0xa1b23c4d;
constexpr std::uint32_t kVersion = 4U << 16 | 2U;
constexpr std::uint32_t kLongest = 65535;
constexpr std::uint32_t kRawIp = 101;

}  // namespace

PcapFile::PcapFile(const std::string& path) : file_(path, std::ios::binary) {
  for (const std::uint32_t value : {kMagic, kVersion, 0U, 0U, kLongest, kRawIp}) put(value);
}

void PcapFile::put(std::uint32_t value) {
  file_.write(reinterpret_cast<const char*>(&value), sizeof value);
}

void PcapFile::write(std::span<const std::uint8_t> packet, Nanos at) {
  const auto nanos = at.count();
  put(static_cast<std::uint32_t>(nanos / 1'000'000'000));
  put(static_cast<std::uint32_t>(nanos % 1'000'000'000));
  put(static_cast<std::uint32_t>(packet.size()));
  put(static_cast<std::uint32_t>(packet.size()));
  file_.write(reinterpret_cast<const char*>(packet.data()),
              static_cast<std::streamsize>(packet.size()));
}

}  // namespace peersock::sim
