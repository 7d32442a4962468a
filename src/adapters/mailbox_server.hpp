// The embedded rendezvous server on the network: WebSocket at /v1, on libsoup, over the machine in
// wormhole/server.hpp. Behaviour and limits: docs/spec/rendezvous-server.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <glib.h>

#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/runner.hpp"
#include "wormhole/server.hpp"

namespace peersock::adapters {

struct MailboxServerConfig {
  /// At least one; port 0 takes any free port.
  std::vector<TcpEndpoint> listen;
  wormhole::ServerConfig rules;
  std::size_t max_connections = 2048;
  /// Of one IPv4 address, or one IPv6 network of 64 bits.
  std::size_t max_connections_per_address = 128;
  /// Octets that wait for one reader; past this the connection is cut. More than a whole mailbox
  /// (ServerConfig::max_octets_per_mailbox), which is sent at once to whoever opens it.
  std::size_t max_backlog = 24 * 1024 * 1024;
  /// … and for all readers together; past this the slowest one is cut.
  std::size_t max_backlog_in_all = 256 * 1024 * 1024;
  /// Each client is pinged this often (whole seconds), and cut after this much silence.
  Duration ping_every = 60s;
  Duration max_silence = 600s;
  /// From the TCP connection to the end of the WebSocket handshake.
  Duration handshake_timeout = 10s;
};

class MailboxServer {
 public:
  /// Listens at once. Errors are kLocalEndpoint. `context` and `rng` must outlive the server.
  ///
  /// libsoup attaches its sources to the thread's default context, so whoever iterates `context`
  /// has it pushed as that while it does (and at no other time).
  [[nodiscard]] static Result<std::unique_ptr<MailboxServer>> create(GMainContext* context,
                                                                     MailboxServerConfig config,
                                                                     Rng& rng);
  MailboxServer(const MailboxServer&) = delete;
  MailboxServer& operator=(const MailboxServer&) = delete;
  MailboxServer(MailboxServer&&) = delete;
  MailboxServer& operator=(MailboxServer&&) = delete;
  /// Closes every connection ("going away"). May not be called from a callback of libsoup.
  ~MailboxServer();

  void set_trace(TraceHook hook);

  /// `ws://ADDRESS:PORT/v1`, one for each listening socket, with the real port.
  [[nodiscard]] const std::vector<std::string>& urls() const;
  [[nodiscard]] wormhole::Server::Counts counts() const;
  /// TCP connections, those in the middle of their handshake included.
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  explicit MailboxServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::adapters
