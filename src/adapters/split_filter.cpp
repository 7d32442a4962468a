#include "adapters/split_filter.hpp"

#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace peersock::adapters {
namespace {

/// Loads `width` octets at `offset`, as a number; what is out of range ends the program with 0.
constexpr sock_filter load(std::uint16_t width, std::uint32_t offset) {
  return {static_cast<std::uint16_t>(BPF_LD | width | BPF_ABS), 0, 0, offset};
}
constexpr std::uint32_t header(std::uint32_t offset) {
  return static_cast<std::uint32_t>(SKF_NET_OFF) + offset;
}
constexpr sock_filter answer(unsigned socket) {
  return {BPF_RET | BPF_K, 0, 0, socket};
}

/// The program under construction. A comparison that fails jumps to its last instruction.
class Filter {
 public:
  void require(std::uint16_t width, std::uint32_t offset, std::uint32_t value) {
    program_.push_back(load(width, offset));
    jumps_.push_back(program_.size());
    program_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 0, value});
  }
  /// The first two bits of the payload: STUN has zeros, QUIC never both of them (RFC 9000
  /// section 17: the fixed bit).
  void require_no_stun() {
    constexpr std::uint32_t kFirstTwoBits = 0xC0;
    program_.push_back(load(BPF_B, 0));
    jumps_.push_back(program_.size());
    program_.push_back({BPF_JMP | BPF_JSET | BPF_K, 0, 0, kFirstTwoBits});
  }
  [[nodiscard]] std::vector<sock_filter> finish() {
    program_.push_back(answer(kOwnSocket));
    const std::size_t last = program_.size();
    program_.push_back(answer(kNiceSocket));
    for (const std::size_t at : jumps_) {
      program_[at].jf = static_cast<std::uint8_t>(last - at - 1);
    }
    return program_;
  }

 private:
  std::vector<sock_filter> program_;
  std::vector<std::size_t> jumps_;
};

void require_source(Filter& filter, const sockaddr_in& remote) {
  // RFC 791 section 3.1. With options in the header the ports are elsewhere: nobody sends them.
  constexpr std::uint32_t kNoOptions = 0x45;
  filter.require(BPF_B, header(0), kNoOptions);
  filter.require(BPF_W, header(12), ntohl(remote.sin_addr.s_addr));
  filter.require(BPF_H, header(20), ntohs(remote.sin_port));
}

void require_source(Filter& filter, const sockaddr_in6& remote) {
  // RFC 8200 section 3. Extension headers are as rare.
  filter.require(BPF_B, header(6), IPPROTO_UDP);
  for (std::uint32_t i = 0; i < 4; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, remote.sin6_addr.s6_addr + 4 * i, sizeof word);
    filter.require(BPF_W, header(8 + 4 * i), ntohl(word));
  }
  filter.require(BPF_H, header(40), ntohs(remote.sin6_port));
}

}  // namespace

std::vector<sock_filter> split_filter(const SocketAddress& remote) {
  Filter filter;
  filter.require_no_stun();
  if (remote.family() == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &remote.storage, sizeof address);
    require_source(filter, address);
  } else {
    sockaddr_in6 address{};
    std::memcpy(&address, &remote.storage, sizeof address);
    require_source(filter, address);
  }
  return filter.finish();
}

}  // namespace peersock::adapters
