// The embedded rendezvous server on the network: WebSocket at /v1, over the machine in
// wormhole/server.hpp. Behaviour and limits: docs/spec/rendezvous-server.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glib.h>
#include <sys/types.h>

#include "adapters/mailbox_facts.hpp"
#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/runner.hpp"
#include "wormhole/server.hpp"

namespace peersock::adapters {

/// PEM files; one file may be both.
struct TlsFiles {
  std::string certificate;  ///< with the chain
  std::string key;
};

struct MailboxServerConfig {
  /// At least one; port 0 takes any free port.
  std::vector<Endpoint> listen;
  /// Of the Unix sockets in `listen`.
  mode_t unix_mode = 0600;
  /// TLS on the TCP sockets of `listen`. What is behind a Unix socket is on this machine.
  std::optional<TlsFiles> tls;
  /// Clients of Unix sockets and from loopback are those of a reverse proxy: their addresses are
  /// what it says in X-Forwarded-For.
  bool behind_proxy = false;
  /// Where /healthz and /metrics are answered.
  std::optional<Endpoint> admin;
  /// Where the state is kept over a restart.
  std::optional<std::string> state_file;
  wormhole::ServerConfig rules;
  std::size_t max_connections = 2048;
  /// Of one IPv4 address, or one IPv6 network of 64 bits.
  std::size_t max_connections_per_address = 128;
  /// Octets that wait for one reader; past this the connection is cut. More than a whole mailbox
  /// (ServerConfig::max_octets_per_mailbox), which is sent at once to whoever opens it.
  std::size_t max_backlog = std::size_t{24} * 1024 * 1024;
  /// … and for all readers together; past this the slowest one is cut.
  std::size_t max_backlog_in_all = std::size_t{256} * 1024 * 1024;
  /// Each client is pinged this often (whole seconds), and cut after this much silence.
  Duration ping_every = 60s;
  Duration max_silence = 600s;
  /// From the TCP connection to the end of the WebSocket handshake.
  Duration handshake_timeout = 10s;
  /// A state file that could not be written is tried again this often.
  Duration state_retry = 10s;
  /// Called from the loop; must not call the server.
  MailboxReport report;
  std::string version;  ///< of the program, for /metrics
};

class MailboxServer {
 public:
  /// Listens at once. Errors are kLocalEndpoint, or kUsage for what is wrong with `tls`. `context`
  /// and `rng` must outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<MailboxServer>> create(GMainContext* context,
                                                                     MailboxServerConfig config,
                                                                     Rng& rng);
  MailboxServer(const MailboxServer&) = delete;
  MailboxServer& operator=(const MailboxServer&) = delete;
  MailboxServer(MailboxServer&&) = delete;
  MailboxServer& operator=(MailboxServer&&) = delete;
  /// Closes every connection ("going away"). May not be called from `report`.
  ~MailboxServer();

  void set_trace(TraceHook hook);

  /// Reads the certificate and the key again, for connections to come. After an error it goes on
  /// with those that it had.
  [[nodiscard]] Result<void> reload_tls();

  /// `ws://ADDRESS:PORT/v1` (or wss) or `unix:PATH`, one for each listening socket, with the real
  /// port.
  [[nodiscard]] const std::vector<std::string>& urls() const;
  /// `http://ADDRESS:PORT` or `unix:PATH`, one for each socket of `admin`.
  [[nodiscard]] const std::vector<std::string>& admin_urls() const;
  [[nodiscard]] wormhole::Server::Counts counts() const;
  /// TCP connections, those in the middle of their handshake included.
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] MailboxStatus status() const;

 private:
  class Impl;
  explicit MailboxServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::adapters
