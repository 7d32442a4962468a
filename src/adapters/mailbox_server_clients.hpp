// The connections of the embedded rendezvous server: from accept to close, with the limits that
// libsoup does not keep.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <libsoup/soup.h>

#include "adapters/client_address.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/mailbox_server.hpp"
#include "adapters/metered_stream.hpp"
#include "adapters/openssl_util.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class MailboxServerClients {
 public:
  using Id = wormhole::ConnectionId;
  /// Called from the loop. `frame` and `gone` follow `joined`; after `gone` nothing follows.
  struct Callbacks {
    std::function<void(wormhole::ClientConnected)> joined;
    std::function<void(Id, std::string)> frame;
    std::function<void(Id)> gone;
  };

  /// `config` and `totals` must outlive the object.
  MailboxServerClients(GMainContext* context, const MailboxServerConfig& config,
                       MailboxTotals& totals, Callbacks callbacks);
  MailboxServerClients(const MailboxServerClients&) = delete;
  MailboxServerClients& operator=(const MailboxServerClients&) = delete;
  MailboxServerClients(MailboxServerClients&&) = delete;
  MailboxServerClients& operator=(MailboxServerClients&&) = delete;
  ~MailboxServerClients();

  /// Gives an accepted socket to `server`, or refuses it when there are too many. TCP connections
  /// speak TLS with `tls`, if that is not null.
  void accept(SoupServer* server, GObjectPtr<GSocket> socket, SSL_CTX* tls);
  /// Asked for each request for a WebSocket, before its handshake: false when the client that a
  /// reverse proxy speaks for has too many connections.
  [[nodiscard]] bool admit(SoupServerMessage* message);
  /// The WebSocket handshake of the connection behind `message` is done.
  void upgraded(SoupServerMessage* message, SoupWebsocketConnection* websocket);

  void send(Id id, const std::string& frame);
  /// Closes after what was sent before.
  void drop(Id id);
  /// Closes all, without `gone`.
  void close_all();

  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  struct Client {
    MailboxServerClients* owner = nullptr;
    Id id = 0;
    ClientOrigin origin;
    GObjectPtr<GSocket> socket;
    std::shared_ptr<Meter> meter;
    GObjectPtr<SoupWebsocketConnection> websocket;  ///< since the handshake
    Instant since;
    Instant last_heard;
    std::uint64_t received_when_heard = 0;  ///< Meter::received at last_heard
    /// Octets of frames given to libsoup, and what went before on the wire.
    std::uint64_t queued = 0;
    std::uint64_t explained = 0;  ///< received octets that belong to delivered messages
    bool dropped = false;
    ClientEnd end = ClientEnd::kClosed;
  };

  static void on_message(SoupWebsocketConnection* websocket, gint type, GBytes* message,
                         gpointer data) noexcept;
  void heard(Client& client, std::string frame);
  [[nodiscard]] std::uint64_t backlog(const Client& client) const;
  void relieve(Client& client);
  static void kill(Client& client, ClientEnd why);
  void start(SoupServer* server, std::unique_ptr<Client> client, SSL_CTX* tls);
  [[nodiscard]] Client* behind(SoupServerMessage* message);
  [[nodiscard]] bool count(const std::string& key);
  void discount(const std::string& key);
  [[nodiscard]] bool counts_at_once(const ClientOrigin& origin) const;
  void refuse(GSocket* socket, bool plain, std::uint64_t& total);
  void reap();
  void part(const Client& client);
  void tell_of_refusals();
  [[nodiscard]] Duration sweep_interval() const;
  void arm_sweeper();
  void sweep();

  const MailboxServerConfig& config_;
  MailboxTotals& totals_;
  GMainContext* context_;
  Callbacks callbacks_;
  std::map<Id, std::unique_ptr<Client>> clients_;
  std::map<std::string, std::size_t> per_origin_;  ///< by ClientOrigin::key
  MailboxClientsRefused told_;                     ///< of the totals
  Id next_id_ = 1;
  Wakeup reaper_;
  Wakeup sweeper_;
  bool sweeper_armed_ = false;  ///< while there is anybody, or anything to tell
};

}  // namespace peersock::adapters
