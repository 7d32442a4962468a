// What the embedded rendezvous server tells whoever runs it: facts as they happen, and totals.
// No secrets, and of addresses no more than the network that somebody comes from.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.hpp"
#include "core/time.hpp"
#include "wormhole/server.hpp"

namespace peersock::adapters {

/// Why a client went.
enum class ClientEnd : std::uint8_t {
  kClosed,     ///< it closed, or its network did
  kHandshake,  ///< the WebSocket handshake was not done in time
  kSilent,     ///< no sign of life
  kSlow,       ///< it did not read what waited for it
  kFlooded,    ///< it sent more than one message may have
  kPolicy,     ///< a limit of the protocol's machine: a message too long, the mailbox crowded with
               ///< listeners
};
inline constexpr std::size_t kClientEnds = 6;
/// Stable snake_case name (docs/spec/events.md).
[[nodiscard]] inline std::string_view to_string(ClientEnd end) {
  switch (end) {
    case ClientEnd::kClosed:
      return "closed";
    case ClientEnd::kHandshake:
      return "handshake";
    case ClientEnd::kSilent:
      return "silent";
    case ClientEnd::kSlow:
      return "slow";
    case ClientEnd::kFlooded:
      return "flooded";
    case ClientEnd::kPolicy:
      return "policy";
  }
  return "closed";
}

struct MailboxClientConnected {
  std::uint64_t client = 0;  ///< counts from 1
  std::string network;       ///< `192.0.2.0/24`, `2001:db8:1::/48`, or `unix`
};
/// Follows MailboxClientConnected; a connection that never became a client has neither.
struct MailboxClientDisconnected {
  std::uint64_t client = 0;
  std::string network;
  ClientEnd reason = ClientEnd::kClosed;
  Duration lasted{};
  std::uint64_t octets_received = 0;
  std::uint64_t octets_sent = 0;
};
/// Connections that were turned away since the last such fact.
struct MailboxClientsRefused {
  std::uint64_t full = 0;         ///< there were too many in all
  std::uint64_t per_address = 0;  ///< there were too many of their address
};
struct MailboxStateRestored {
  std::size_t mailboxes = 0;
  std::size_t nameplates = 0;
  std::size_t messages = 0;
  friend bool operator==(const MailboxStateRestored&, const MailboxStateRestored&) = default;
};
/// The state file can not be written; the server goes on in memory, and tries again.
struct MailboxStateFailing {
  std::string message;
};
/// … and now it could.
struct MailboxStateKept {};

struct MailboxAdminListening {
  std::string url;
};
/// The certificate and the key were read again.
struct MailboxTlsReloaded {};

using MailboxFact = std::variant<MailboxAdminListening, MailboxTlsReloaded, MailboxClientConnected,
                                 MailboxClientDisconnected, MailboxClientsRefused,
                                 MailboxStateRestored, MailboxStateFailing, MailboxStateKept>;
using MailboxReport = std::function<void(const MailboxFact&)>;

/// Since the start.
struct MailboxTotals {
  std::uint64_t accepted = 0;  ///< TCP and Unix connections
  std::uint64_t refused_full = 0;
  std::uint64_t refused_per_address = 0;
  std::array<std::uint64_t, kClientEnds> ended{};  ///< connections, by ClientEnd
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t octets_received = 0;  ///< of connections that have ended
  std::uint64_t octets_sent = 0;      ///< likewise
  std::uint64_t state_commits = 0;
  std::uint64_t state_failures = 0;
};

struct MailboxStatus {
  std::size_t connections = 0;  ///< those in the middle of their handshake included
  wormhole::Server::Counts counts;
  MailboxTotals totals;
  bool has_state_file = false;
  bool state_failing = false;
};

/// Prometheus text exposition format, version 0.0.4. `version` is that of the program.
[[nodiscard]] std::string render_metrics(const MailboxStatus& status, std::string_view version);

}  // namespace peersock::adapters
