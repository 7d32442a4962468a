// The connections of the embedded rendezvous server: from accept to close, with HTTP and WebSocket,
// and the limits that keep one of them from costing the others anything. All are in one epoll set,
// and what is said in one turn of the loop goes out in one system call a client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/client_address.hpp"
#include "adapters/epoll_set.hpp"
#include "adapters/http_request.hpp"
#include "adapters/mailbox_client.hpp"
#include "adapters/mailbox_server.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class MailboxServerClients {
 public:
  using Id = MailboxClient::Id;
  /// Called from the loop. `frame` and `gone` follow `joined`; after `gone` nothing follows.
  struct Callbacks {
    /// An answer that upgrades makes the connection a client of the machine.
    std::function<HttpAnswer(const HttpRequest&)> request;
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
  /// As close_all.
  ~MailboxServerClients();

  /// Takes a connected socket, or refuses it when there are too many. TCP connections speak TLS
  /// with `tls`, if that is not null.
  void accept(UniqueFd socket, GSocketAddress* remote, SSL_CTX* tls);

  /// One text message.
  void send(Id id, std::string_view frame);
  /// Closes after what was sent before.
  void drop(Id id);
  /// Closes all, without `gone`.
  void close_all();

  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  using Client = MailboxClient;

  // accepting
  [[nodiscard]] bool count(const std::string& key);
  void discount(const std::string& key);
  [[nodiscard]] bool counts_at_once(const ClientOrigin& origin) const;
  void refuse(const UniqueFd& socket, bool plain, std::uint64_t& total);

  // reading
  [[nodiscard]] Client* find(Id id);
  void on_ready(Id id, bool readable, bool writable);
  void read(Client& client);
  void take_head(Client& client, std::string_view octets);
  void answer(Client& client, const HttpRequest& request, std::string_view rest);
  [[nodiscard]] bool admit(Client& client, const HttpRequest& request);
  void upgrade(Client& client, std::string_view rest);
  void take_frames(Client& client, std::string_view octets);
  void take(Client& client, wire::WebSocketEvent event);
  void expect_message(Client& client) const;
  void say_goodbye(Client& client, wire::WebSocketClose code);

  // writing
  void queue(Client& client, std::string_view octets);
  void queue_frame(Client& client, wire::WebSocketOpcode opcode, std::string_view payload);
  void queued(Client& client, std::size_t octets);
  void note(Client& client);
  void flush(Client& client);
  void relieve(Client& client);

  // ending
  void cut(Client& client, ClientEnd why);
  void end_turn();
  void forget(Id id);
  void part(const Client& client);
  void tell_of_refusals();
  [[nodiscard]] Duration sweep_interval() const;
  void arm_sweeper();
  void sweep();
  void sweep(Client& client, Instant now);

  const MailboxServerConfig& config_;
  MailboxTotals& totals_;
  Callbacks callbacks_;
  std::unordered_map<Id, std::unique_ptr<Client>> clients_;
  std::unordered_map<std::string, std::size_t> per_origin_;  ///< by ClientOrigin::key
  std::vector<Id> noted_;      ///< those with something to send, or to be forgotten
  std::vector<char> scratch_;  ///< what one read brings
  std::size_t backlog_in_all_ = 0;
  MailboxClientsRefused told_;  ///< of the totals
  Id next_id_ = 1;
  EpollSet sockets_;
  Wakeup turn_;
  Wakeup sweeper_;
  bool sweeper_armed_ = false;  ///< while there is anybody, or anything to tell
};

}  // namespace peersock::adapters
