// A TURN server over UDP (RFC 8656) with one long-term credential, on a simulated host: Allocate,
// Refresh, CreatePermission, ChannelBind, Send and Data, ChannelData.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "core/time.hpp"
#include "programs/stun_message.hpp"

namespace peersock::sim {

class TurnServer {
 public:
  struct Account {
    std::string user;
    std::string password;
  };

  TurnServer(GMainContext* context, std::string address, std::uint16_t port, Account account);
  ~TurnServer();
  TurnServer(const TurnServer&) = delete;
  TurnServer& operator=(const TurnServer&) = delete;
  TurnServer(TurnServer&&) = delete;
  TurnServer& operator=(TurnServer&&) = delete;

  [[nodiscard]] std::size_t allocations() const { return allocations_.size(); }

 private:
  using PeerAddress = std::array<std::uint8_t, 16>;
  using ClientName = std::pair<PeerAddress, std::uint16_t>;
  struct Allocation;

  void receive_all();
  void receive(OctetView datagram, const SocketName& client);
  void receive_channel_data(OctetView datagram, Allocation& allocation);
  void receive_request(const StunView& request, const SocketName& client);
  void receive_send(const StunView& indication, Allocation& allocation);
  void relay_all(Allocation& allocation);

  [[nodiscard]] bool is_authentic(const StunView& request, const SocketName& client);
  void allocate(const StunView& request, const SocketName& client);
  void refresh(const StunView& request, Allocation& allocation);
  void create_permission(const StunView& request, Allocation& allocation);
  void bind_channel(const StunView& request, Allocation& allocation);
  void answer(const SocketName& client, StunWriter answer);
  void refuse(const StunView& request, const SocketName& client, int code, std::string_view reason);
  [[nodiscard]] Allocation* find(const SocketName& client);

  GMainContext* context_;
  std::string address_;
  Octets key_;
  adapters::UniqueFd fd_;
  std::map<ClientName, std::unique_ptr<Allocation>> allocations_;
  adapters::FdWatch watch_;
};

}  // namespace peersock::sim
