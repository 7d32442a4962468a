// What a network device receives, in memory that the kernel writes and we read (PACKET_RX_RING,
// TPACKET_V2): no system call for a frame, and a queue whose length no limit of the system cuts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "raw_device.hpp"

struct tpacket2_hdr;

namespace peersock::testbed {

class PacketRing {
 public:
  // From now on the device's frames come here and no longer to RawDevice::receive. The device must
  // outlive this. Ends the program with a sentence when the kernel refuses.
  explicit PacketRing(const RawDevice& device);
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;
  PacketRing(PacketRing&&) = delete;
  PacketRing& operator=(PacketRing&&) = delete;
  ~PacketRing();

  // The next frame, valid until `release`; empty when none waits. A frame longer than a slot (1,900
  // octets) is cut.
  [[nodiscard]] std::span<const std::uint8_t> front() const;
  void release();

 private:
  [[nodiscard]] tpacket2_hdr* slot() const;

  std::uint8_t* memory_ = nullptr;
  std::size_t next_ = 0;
};

}  // namespace peersock::testbed
