// What a TURN server keeps for one client (RFC 8656 section 3.2): a relayed address, who may send
// to it, and channels.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "core/time.hpp"
#include "programs/stun_message.hpp"

namespace peersock::sim {

class TurnAllocation {
 public:
  using ToClient = std::function<void(OctetView message)>;

  /// On a port of `address`; `request` made it.
  TurnAllocation(GMainContext* context, const std::string& address, const StunId& request,
                 ToClient to_client);

  [[nodiscard]] const SocketName& relayed() const { return relayed_; }
  [[nodiscard]] bool was_made_by(const StunId& request) const { return request_ == request; }
  void keep_for(Duration lifetime);
  [[nodiscard]] bool has_expired() const;

  /// Whatever port it sends from.
  void permit(const SocketName& peer);
  /// False: one of the two is bound to something else.
  [[nodiscard]] bool bind(std::uint16_t channel, const SocketName& peer);

  /// To somebody who is not permitted: nothing happens, and so with a channel that is not bound.
  void send_to(const SocketName& peer, OctetView octets);
  void send_on(std::uint16_t channel, OctetView octets);

 private:
  struct Channel {
    SocketName peer;
    Instant expires;
  };
  using PeerAddress = std::array<std::uint8_t, 16>;

  [[nodiscard]] bool permits(const SocketName& peer) const;
  /// Null: none, or no longer.
  [[nodiscard]] const Channel* find(std::uint16_t channel) const;
  void relay_all();
  void relay(OctetView octets, const SocketName& from);

  StunId request_;
  ToClient to_client_;
  adapters::UniqueFd fd_;
  SocketName relayed_;
  Instant expires_{};
  std::map<PeerAddress, Instant> permissions_;
  std::map<std::uint16_t, Channel> channels_;
  adapters::FdWatch watch_;
};

}  // namespace peersock::sim
