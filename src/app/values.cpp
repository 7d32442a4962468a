#include "app/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <glib.h>

#include "app/printable.hpp"
#include "core/endpoint.hpp"
#include "wire/code.hpp"

namespace peersock::app {
namespace {

struct UriUnref {
  void operator()(GUri* uri) const { g_uri_unref(uri); }
};

tl::unexpected<Error> expected(std::string_view origin, std::string_view text,
                               std::string_view what) {
  return fail(ErrorKind::kUsage,
              text.empty()
                  ? fmt::format("{} is empty; expected is {}", origin, what)
                  : fmt::format("{} is \"{}\"; expected is {}", origin, excerpt(text), what));
}

/// For values that are not to be repeated.
tl::unexpected<Error> expected(std::string_view origin, std::string_view what) {
  return fail(ErrorKind::kUsage, fmt::format("{} is not valid; expected is {}", origin, what));
}

/// Digits only: no sign, no space, nothing after them.
std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t lowest,
                                        std::int64_t highest) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.front() == '-' || value < lowest || value > highest) return std::nullopt;
  return value;
}

bool is_ipv6(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<TurnTransport> transport_of(std::string_view name) {
  if (name == "udp") return TurnTransport::kUdp;
  if (name == "tcp") return TurnTransport::kTcp;
  if (name == "tls") return TurnTransport::kTls;
  return std::nullopt;
}

bool is_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
         g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != 0;
}

}  // namespace

Result<std::uint16_t> parse_port(std::string_view origin, std::string_view text) {
  const auto port = parse_whole(text, 1, std::numeric_limits<std::uint16_t>::max());
  if (!port) return expected(origin, text, "a port number from 1 to 65535");
  return static_cast<std::uint16_t>(*port);
}

Result<std::string> parse_server(std::string_view origin, std::string_view text) {
  std::string host(text);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (is_ipv6(host)) return host;
  const bool is_name = !bracketed && host.size() <= kMaxHostName &&
                       std::all_of(host.begin(), host.end(), is_name_character);
  if (is_name) return host;
  return expected(origin, text,
                  "a host name or an address without a port, or nothing to do without a server");
}

Result<std::string> parse_turn_user(std::string_view origin, std::string_view text) {
  if (!text.empty() && text.size() <= kMaxTurnUser && is_text(text)) return std::string(text);
  return expected(origin, text,
                  fmt::format("a user name of 1 to {} octets of UTF-8", kMaxTurnUser));
}

Result<Secret> parse_turn_password(std::string_view origin, std::string_view text) {
  if (!text.empty() && text.size() <= kMaxTurnPassword && is_text(text)) return Secret(text);
  return expected(origin, fmt::format("a password of 1 to {} octets of UTF-8", kMaxTurnPassword));
}

Result<TurnTransports> parse_turn_transports(std::string_view origin, std::string_view text) {
  if (text == "auto") return TurnTransports();
  TurnTransports transports;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto transport = transport_of(trimmed(rest.substr(0, comma)));
    if (!transport ||
        std::find(transports.begin(), transports.end(), *transport) != transports.end()) {
      return expected(origin, text, "auto, or one or more of udp, tcp and tls with commas between");
    }
    transports.push_back(*transport);
    if (comma == std::string_view::npos) return transports;
    rest.remove_prefix(comma + 1);
  }
}

Result<wire::ProxyRules> parse_proxy(std::string_view origin, std::string_view text) {
  wire::ProxyRules rules;
  if (text.empty()) return rules;
  auto proxy = wire::parse_http_proxy(text);
  if (!proxy) {
    return expected(origin,
                    "http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, or nothing to do "
                    "without a proxy");
  }
  rules.plain = std::make_shared<const wire::HttpProxy>(std::move(*proxy));
  rules.secure = rules.plain;
  return rules;
}

Result<adapters::QuicEngine> parse_engine(std::string_view origin, std::string_view text) {
  if (text == "openssl") return adapters::QuicEngine::kOpenSsl;
  if (text == "ngtcp2") return adapters::QuicEngine::kNgtcp2;
  return expected(origin, text, "openssl or ngtcp2");
}

Result<adapters::Congestion> parse_congestion(std::string_view origin, std::string_view text) {
  if (text == "bbr") return adapters::Congestion::kBbr;
  if (text == "cubic") return adapters::Congestion::kCubic;
  if (text == "reno") return adapters::Congestion::kReno;
  return expected(origin, text, "bbr, cubic or reno");
}

Result<adapters::PathPolicy> parse_path_policy(std::string_view origin, std::string_view text) {
  if (text == "auto") return adapters::PathPolicy::kAuto;
  if (text == "nice") return adapters::PathPolicy::kNice;
  return expected(origin, text, "auto or nice");
}

Result<std::string> parse_rendezvous_url(std::string_view origin, std::string_view text) {
  const auto wrong = [&] {
    return expected(origin,
                    "an address like wss://example.org:4000/v1 with ws or wss, a host, and neither "
                    "user name nor password");
  };
  if (text.empty() || text.size() > kMaxUrl || !is_text(text)) return wrong();
  std::string url(text);
  const std::unique_ptr<GUri, UriUnref> uri(
      g_uri_parse(url.c_str(), G_URI_FLAGS_PARSE_RELAXED, nullptr));
  if (!uri) return wrong();
  const std::string_view scheme = g_uri_get_scheme(uri.get());
  const char* host = g_uri_get_host(uri.get());
  if ((scheme != "ws" && scheme != "wss") || host == nullptr || *host == '\0') return wrong();
  if (g_uri_get_port(uri.get()) == 0) return wrong();
  // What stands in an address is shown in events; secrets have no place in it.
  if (g_uri_get_userinfo(uri.get()) != nullptr || g_uri_get_query(uri.get()) != nullptr ||
      g_uri_get_fragment(uri.get()) != nullptr) {
    return wrong();
  }
  return url;
}

Result<std::vector<std::string>> parse_rendezvous_urls(std::string_view origin,
                                                       const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return fail(ErrorKind::kUsage,
                fmt::format("{} is empty; expected is at least one address", origin));
  }
  if (texts.size() > wire::kMaxServers) {
    return fail(ErrorKind::kUsage, fmt::format("{} gives {} servers; expected are at most {}",
                                               origin, texts.size(), wire::kMaxServers));
  }
  std::vector<std::string> urls;
  for (const std::string& text : texts) {
    auto url = parse_rendezvous_url(origin, text);
    if (!url) return tl::unexpected(std::move(url.error()));
    urls.push_back(std::move(*url));
  }
  return urls;
}

Result<std::vector<std::string>> split_rendezvous_urls(std::string_view origin,
                                                       std::string_view text) {
  constexpr std::string_view kSeparators = " \t\r\n,";
  std::vector<std::string> parts;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
    if (text.empty()) return parse_rendezvous_urls(origin, parts);
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

Result<ice::RelayPolicy> parse_relay_policy(std::string_view origin, std::string_view text) {
  if (text == "auto") return ice::RelayPolicy::kAuto;
  if (text == "only") return ice::RelayPolicy::kOnly;
  if (text == "never") return ice::RelayPolicy::kNever;
  return expected(origin, text, "auto, only or never");
}

Result<bool> parse_port_search(std::string_view origin, std::string_view text) {
  if (text == "auto") return true;
  if (text == "off") return false;
  return expected(origin, text, "auto or off");
}

Result<Duration> parse_timeout(std::string_view origin, std::string_view text) {
  const auto seconds = parse_whole(text, 1, kMaxTimeoutSeconds);
  if (!seconds) {
    return expected(origin, text,
                    fmt::format("a whole number of seconds from 1 to {}", kMaxTimeoutSeconds));
  }
  return std::chrono::seconds(*seconds);
}

Result<int> parse_descriptor(std::string_view origin, std::string_view text) {
  const auto descriptor = parse_whole(text, 0, std::numeric_limits<int>::max());
  if (!descriptor) return expected(origin, text, "the number of an open file, for example 3");
  return static_cast<int>(*descriptor);
}

}  // namespace peersock::app
