#include "fabric/nat_box.hpp"

#include <utility>

#include "packet.hpp"
#include "stack/scheduler.hpp"

namespace peersock::sim {
namespace {

constexpr std::size_t kOutside = 0;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kIpv6Header = 40;

testbed::Time nat_time() {
  return std::chrono::floor<testbed::Time>(now());
}

std::uint8_t protocol_of(const Frame& frame) {
  if (is_ipv6(frame)) return frame[6];
  return frame.size() > 9 ? frame[9] : std::uint8_t{0};
}

std::uint16_t port_at(const Frame& frame, std::size_t at) {
  return frame.size() < at + 2 ? std::uint16_t{0}
                               : static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

}  // namespace

NatBox::NatBox(const testbed::NatConfig& config, std::uint64_t seed, bool udp,
               std::uint16_t tcp_port)
    : engine_(config, seed), timeout_(config.timeout), udp_(udp), tcp_port_(tcp_port) {}

void NatBox::reboot() {
  engine_.reboot();
  pinholes_.clear();
}

bool NatBox::is_forbidden(const Frame& frame, bool from_inside) const {
  const std::uint8_t protocol = protocol_of(frame);
  if (protocol != kTcp || tcp_port_ == 0) return !udp_ && protocol == kUdp;
  const std::size_t header =
      is_ipv6(frame) ? kIpv6Header : static_cast<std::size_t>(frame[0] & 0xf) * 4;
  return port_at(frame, header + (from_inside ? 2 : 0)) != tcp_port_;
}

void NatBox::receive(Frame frame, std::size_t plug) {
  const bool from_inside = plug != kOutside;
  if (is_forbidden(frame, from_inside)) {
    ++counts_.dropped;
    return;
  }
  if (from_inside) inside_[source_of(frame)] = plug;
  if (is_ipv6(frame)) return receive_ipv6(std::move(frame), from_inside, plug);
  const auto exit = from_inside ? testbed::translate_outbound(frame, engine_, nat_time())
                                : testbed::translate_inbound(frame, engine_, nat_time());
  if (!exit) {
    ++counts_.dropped;
    return;
  }
  ++counts_.translated;
  if (*exit == testbed::Exit::Outside) return send(std::move(frame), kOutside);
  send_inside(std::move(frame));
}

void NatBox::send_inside(Frame frame) {
  const auto known = inside_.find(destination_of(frame));
  if (known != inside_.end()) send(std::move(frame), known->second);
}

// Endpoint-dependent filtering, as RFC 6092 recommends it where no other policy is set.
void NatBox::receive_ipv6(Frame frame, bool from_inside, std::size_t /*plug*/) {
  const auto source = source_of(frame);
  const auto destination = destination_of(frame);
  const auto source_port = port_at(frame, kIpv6Header);
  const auto destination_port = port_at(frame, kIpv6Header + 2);
  const std::uint8_t protocol = frame[6];
  if (from_inside) {
    pinholes_[{protocol, source, source_port, destination, destination_port}] =
        nat_time() + timeout_;
    return send(std::move(frame), kOutside);
  }
  const auto hole = pinholes_.find({protocol, destination, destination_port, source, source_port});
  if (hole == pinholes_.end() || hole->second <= nat_time()) {
    ++counts_.dropped;
    return;
  }
  send_inside(std::move(frame));
}

}  // namespace peersock::sim
