// Reads one value of the command line, the environment or the configuration file. Every error is
// one sentence that names where the value came from, what it is and what is expected; secrets and
// addresses that may hold one are not repeated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/nice_agent.hpp"
#include "adapters/path_policy.hpp"
#include "adapters/quic_engine.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"
#include "ice/negotiation.hpp"
#include "wire/http_proxy.hpp"

namespace peersock::app {

using adapters::TurnTransport;
/// The ways to the TURN server, best first, each once; empty: those that fit (ice_config.hpp).
using TurnTransports = std::vector<TurnTransport>;

/// Longest user name, in octets (RFC 8489 section 14.3), and password.
inline constexpr std::size_t kMaxTurnUser = 508;
inline constexpr std::size_t kMaxTurnPassword = 1024;
inline constexpr std::size_t kMaxUrl = 2048;
inline constexpr std::int64_t kMaxTimeoutSeconds = 365LL * 24 * 3600;

/// `origin` begins the sentence: "--stun-port", or "FILE: [ice] stun-port".
[[nodiscard]] Result<std::uint16_t> parse_port(std::string_view origin, std::string_view text);
/// A name or numeric address, IPv6 with or without brackets; empty: do not use such a server.
[[nodiscard]] Result<std::string> parse_server(std::string_view origin, std::string_view text);
[[nodiscard]] Result<std::string> parse_turn_user(std::string_view origin, std::string_view text);
[[nodiscard]] Result<Secret> parse_turn_password(std::string_view origin, std::string_view text);
/// `auto`, or some of `udp`, `tcp` and `tls` with commas between.
[[nodiscard]] Result<TurnTransports> parse_turn_transports(std::string_view origin,
                                                           std::string_view text);
/// `http://[USER[:PASSWORD]@]HOST[:PORT]` for everything that can go through a proxy; empty: none.
/// Never repeats the text, which may hold a password.
[[nodiscard]] Result<wire::ProxyRules> parse_proxy(std::string_view origin, std::string_view text);
[[nodiscard]] Result<adapters::QuicEngine> parse_engine(std::string_view origin,
                                                        std::string_view text);
[[nodiscard]] Result<adapters::PathPolicy> parse_path_policy(std::string_view origin,
                                                             std::string_view text);
[[nodiscard]] Result<adapters::Congestion> parse_congestion(std::string_view origin,
                                                            std::string_view text);
/// ws:// or wss://, without user name, password, query and fragment.
[[nodiscard]] Result<std::string> parse_rendezvous_url(std::string_view origin,
                                                       std::string_view text);
/// One to wire::kMaxServers such URLs.
[[nodiscard]] Result<std::vector<std::string>> parse_rendezvous_urls(
    std::string_view origin, const std::vector<std::string>& texts);
/// The same, in one text with blanks or commas between.
[[nodiscard]] Result<std::vector<std::string>> split_rendezvous_urls(std::string_view origin,
                                                                     std::string_view text);
[[nodiscard]] Result<ice::RelayPolicy> parse_relay_policy(std::string_view origin,
                                                          std::string_view text);
/// Whether there is a search: auto or off.
[[nodiscard]] Result<bool> parse_port_search(std::string_view origin, std::string_view text);
/// Whole seconds, 1 to kMaxTimeoutSeconds.
[[nodiscard]] Result<Duration> parse_timeout(std::string_view origin, std::string_view text);
/// The number of an open file, 0 or more.
[[nodiscard]] Result<int> parse_descriptor(std::string_view origin, std::string_view text);

}  // namespace peersock::app
