#include "packet_ring.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace peersock::testbed {

namespace {
constexpr std::size_t slot_octets = 2048;
constexpr std::size_t slots = 8192;  // 130 ms of 1,500-octet frames at 90 MiB/s
constexpr std::size_t block_octets = 1 << 16;
constexpr std::size_t ring_octets = slots * slot_octets;
}  // namespace

PacketRing::PacketRing(const RawDevice& device) {
  const int version = TPACKET_V2;
  tpacket_req wanted{};
  wanted.tp_block_size = block_octets;
  wanted.tp_block_nr = ring_octets / block_octets;
  wanted.tp_frame_size = slot_octets;
  wanted.tp_frame_nr = slots;
  const int socket = device.descriptor();
  void* memory = MAP_FAILED;
  if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) == 0 &&
      ::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted) == 0) {
    memory = ::mmap(nullptr, ring_octets, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
  }
  if (memory == MAP_FAILED) {
    fail(std::string("the kernel gives no ring for received packets: ") + std::strerror(errno));
  }
  memory_ = static_cast<std::uint8_t*>(memory);
}

PacketRing::~PacketRing() {
  static_cast<void>(::munmap(memory_, ring_octets));
}

tpacket2_hdr* PacketRing::slot() const {
  return reinterpret_cast<tpacket2_hdr*>(memory_ + next_ * slot_octets);
}

std::span<const std::uint8_t> PacketRing::front() const {
  const std::atomic_ref<std::uint32_t> status(slot()->tp_status);
  if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return {};
  return {reinterpret_cast<const std::uint8_t*>(slot()) + slot()->tp_mac, slot()->tp_snaplen};
}

void PacketRing::release() {
  const std::atomic_ref<std::uint32_t> status(slot()->tp_status);
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
  next_ = (next_ + 1) % slots;
}

}  // namespace peersock::testbed
