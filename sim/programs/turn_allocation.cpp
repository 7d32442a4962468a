#include "programs/turn_allocation.hpp"

#include <utility>

#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "programs/sockets.hpp"

namespace peersock::sim {
namespace {

// Of RFC 8656 sections 9 and 12.
constexpr std::chrono::seconds kPermissionLifetime{300};
constexpr std::chrono::seconds kChannelLifetime{600};

}  // namespace

TurnAllocation::TurnAllocation(GMainContext* context, const std::string& address,
                               const StunId& request, ToClient to_client)
    : request_(request),
      to_client_(std::move(to_client)),
      fd_(bound_socket(SOCK_DGRAM, address, 0)),
      relayed_(local_name(fd_.get())),
      watch_(context, fd_.get(), [this](bool, bool) { relay_all(); }) {
  watch_.watch(true, false);
}

void TurnAllocation::keep_for(Duration lifetime) {
  expires_ = adapters::monotonic_now() + lifetime;
}

bool TurnAllocation::has_expired() const {
  return expires_ <= adapters::monotonic_now();
}

void TurnAllocation::permit(const SocketName& peer) {
  permissions_[peer.address] = adapters::monotonic_now() + kPermissionLifetime;
}

bool TurnAllocation::permits(const SocketName& peer) const {
  const auto known = permissions_.find(peer.address);
  return known != permissions_.end() && known->second > adapters::monotonic_now();
}

bool TurnAllocation::bind(std::uint16_t channel, const SocketName& peer) {
  std::erase_if(channels_, [](const auto& entry) {
    return entry.second.expires <= adapters::monotonic_now();
  });
  for (const auto& [number, bound] : channels_) {
    if ((number == channel) != (bound.peer == peer)) return false;
  }
  permit(peer);
  channels_[channel] = {peer, adapters::monotonic_now() + kChannelLifetime};
  return true;
}

const TurnAllocation::Channel* TurnAllocation::find(std::uint16_t channel) const {
  const auto known = channels_.find(channel);
  if (known == channels_.end() || known->second.expires <= adapters::monotonic_now())
    return nullptr;
  return &known->second;
}

void TurnAllocation::send_to(const SocketName& peer, OctetView octets) {
  if (permits(peer)) send_datagram(fd_.get(), octets, peer);
}

void TurnAllocation::send_on(std::uint16_t channel, OctetView octets) {
  if (const auto* bound = find(channel)) send_to(bound->peer, octets);
}

void TurnAllocation::relay_all() {
  while (const auto arrived = receive_datagram(fd_.get())) {
    if (permits(arrived->from)) relay(arrived->octets, arrived->from);
  }
}

void TurnAllocation::relay(OctetView octets, const SocketName& from) {
  for (const auto& [number, bound] : channels_) {
    if (bound.peer != from || find(number) == nullptr) continue;
    Octets framed = {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                     static_cast<std::uint8_t>(octets.size() >> 8),
                     static_cast<std::uint8_t>(octets.size())};
    framed.insert(framed.end(), octets.begin(), octets.end());
    return to_client_(framed);
  }
  StunWriter writer(StunClass::kIndication, StunMethod::kData, StunId{0x21, 0x12, 0xa4, 0x42});
  writer.add_address(StunAttribute::kXorPeerAddress, from).add(StunAttribute::kData, octets);
  to_client_(writer.octets());
}

}  // namespace peersock::sim
