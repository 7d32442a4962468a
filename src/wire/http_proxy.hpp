// HTTP proxies: how they are written, for which hosts they are used, and how a way through one is
// asked for. Pure; adapters/stream_dial goes there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret.hpp"

namespace peersock::wire {

struct HttpProxy {
  std::string host;  ///< a name or a numeric address, IPv6 without brackets
  std::uint16_t port = 0;
  Secret credentials;  ///< "user:password" (RFC 7617 section 2); empty: none
};

/// What curl takes when an address names no port.
inline constexpr std::uint16_t kDefaultProxyPort = 1080;
inline constexpr std::size_t kMaxProxyUrl = 2048;
/// Octets of user name and password together.
inline constexpr std::size_t kMaxProxyCredentials = 1024;
/// Octets of a proxy's answer that are read before it counts as rubbish.
inline constexpr std::size_t kMaxConnectHead = std::size_t{16} * 1024;

/// `[http://][USER[:PASSWORD]@]HOST[:PORT][/]`, user name and password percent-encoded (RFC 3986
/// section 2.1). Nothing when it is something else, a proxy of another kind among them.
[[nodiscard]] std::optional<HttpProxy> parse_http_proxy(std::string_view url);

/// The hosts that are reached without the proxy, as curl reads the variable no_proxy: names and
/// addresses with commas or blanks between. A name stands for itself and what ends with a dot and
/// it, a dot in front of it means nothing; `192.0.2.0/24` and `2001:db8::/32` stand for networks,
/// and `*` alone for every host.
class NoProxy {
 public:
  NoProxy() = default;
  /// At most kMaxEntries count.
  explicit NoProxy(std::string_view list);
  [[nodiscard]] bool covers(std::string_view host) const;

  static constexpr std::size_t kMaxEntries = 256;

 private:
  struct Network {
    std::vector<std::uint8_t> address;  ///< 4 or 16 octets
    unsigned bits = 0;
  };
  bool everything_ = false;
  std::vector<std::string> names_;
  std::vector<Network> networks_;
};

/// Which proxy is used for what.
struct ProxyRules {
  std::shared_ptr<const HttpProxy> plain;   ///< for ws://; null: none
  std::shared_ptr<const HttpProxy> secure;  ///< for wss://, and TURN over TCP and TLS; null: none
  NoProxy exceptions;

  [[nodiscard]] std::shared_ptr<const HttpProxy> choose(std::string_view host,
                                                        bool is_secure) const;
};

/// The head of a CONNECT request (RFC 9110 section 9.3.6) for `host`, whose name is in ASCII. Holds
/// the credentials.
[[nodiscard]] Secret make_connect_request(std::string_view host, std::uint16_t port,
                                          const Secret& credentials);

/// The status code of the answer whose head is `head`, empty line included: 100 to 599. Nothing
/// when it is no answer of HTTP/1 (RFC 9112 section 4).
[[nodiscard]] std::optional<unsigned> parse_connect_answer(std::string_view head);

}  // namespace peersock::wire
