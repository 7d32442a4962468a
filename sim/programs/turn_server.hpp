// A TURN server over UDP and TCP (RFC 8656) with one long-term credential, on a simulated host:
// Allocate, Refresh, CreatePermission, ChannelBind, Send and Data, ChannelData. What it relays is
// UDP of one family of addresses, which need not be the one that it is asked over. It says what
// coturn says (tests/sim/turn_cases.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "programs/stun_message.hpp"
#include "programs/turn_allocation.hpp"
#include "programs/turn_stream.hpp"

namespace peersock::sim {

class TurnServer {
 public:
  struct Account {
    std::string user;
    std::string password;
  };

  /// Asked at `address`, it lends endpoints of `relay_address`; both are the host's own.
  TurnServer(GMainContext* context, const std::string& address, std::uint16_t port,
             std::string relay_address, Account account);
  ~TurnServer();
  TurnServer(const TurnServer&) = delete;
  TurnServer& operator=(const TurnServer&) = delete;
  TurnServer(TurnServer&&) = delete;
  TurnServer& operator=(TurnServer&&) = delete;

  /// Its clients' connections are reset when it is destroyed, and not closed.
  void reset_at_end();

  [[nodiscard]] std::size_t allocations() const { return allocations_.size(); }

 private:
  /// `stream` null: over UDP.
  struct Client {
    SocketName name;
    TurnStream* stream = nullptr;
  };
  using ClientName = std::tuple<std::array<std::uint8_t, 16>, std::uint16_t, TurnStream*>;

  [[nodiscard]] static ClientName key_of(const Client& client) {
    return {client.name.address, client.name.port, client.stream};
  }
  void receive_all();
  void accept_all();
  void forget(TurnStream* stream);
  void send(OctetView message, const Client& client);
  void receive(OctetView message, const Client& client);
  void receive_channel_data(OctetView message, const Client& client);
  void receive_indication(const StunView& indication, const Client& client);
  void receive_request(const StunView& request, const Client& client);

  /// What is wrong with the credentials of a request: 0 when nothing is.
  [[nodiscard]] int fault_of(const StunView& request) const;
  void challenge(const StunView& request, const Client& client, int code);
  void allocate(const StunView& request, const Client& client);
  void refresh(const StunView& request, const Client& client, TurnAllocation& allocation);
  void create_permission(const StunView& request, const Client& client, TurnAllocation& allocation);
  void bind_channel(const StunView& request, const Client& client, TurnAllocation& allocation);
  /// 0, or what is wrong with the peers of a request.
  [[nodiscard]] int fault_of(const std::vector<SocketName>& peers) const;
  void answer(const Client& client, StunWriter answer);
  void refuse(const StunView& request, const Client& client, int code);
  [[nodiscard]] TurnAllocation* find(const Client& client);

  GMainContext* context_;
  std::string relay_address_;
  Family family_;  // of what is relayed
  std::string user_;
  Octets key_;
  adapters::UniqueFd fd_;
  adapters::UniqueFd listening_;
  std::map<TurnStream*, std::unique_ptr<TurnStream>> streams_;
  std::map<ClientName, std::unique_ptr<TurnAllocation>> allocations_;
  adapters::FdWatch watch_;
  adapters::FdWatch arrivals_;
};

}  // namespace peersock::sim
