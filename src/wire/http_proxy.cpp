#include "wire/http_proxy.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "core/endpoint.hpp"

namespace peersock::wire {
namespace {

constexpr std::string_view kScheme = "http://";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::optional<std::vector<std::uint8_t>> address_octets(std::string_view text) {
  const std::string ended(text);
  std::vector<std::uint8_t> v4(4);
  if (inet_pton(AF_INET, ended.c_str(), v4.data()) == 1) return v4;
  std::vector<std::uint8_t> v6(16);
  if (inet_pton(AF_INET6, ended.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// Appends to `out`; false when an escape is broken or a control character comes out.
bool decode(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(c)) return false;
    out += c;
  }
  return true;
}

std::optional<Secret> parse_credentials(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::string plain;
  plain.reserve(text.size() + 1);
  bool valid = decode(text.substr(0, colon), plain) && !plain.empty();
  // Basic has no way to say that a user name has a colon in it.
  valid = valid && plain.find(':') == std::string::npos;
  plain += ':';
  if (colon != std::string_view::npos) valid = valid && decode(text.substr(colon + 1), plain);
  std::optional<Secret> result;
  if (valid && plain.size() <= kMaxProxyCredentials) result = Secret(std::string_view(plain));
  wipe(plain);
  return result;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostName &&
         std::all_of(host.begin(), host.end(), [](char c) {
           const char small = lower(c);
           return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

/// `HOST[:PORT]` or `[IPv6][:PORT]`.
bool parse_authority(std::string_view text, HttpProxy& proxy) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    proxy.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    const auto octets = address_octets(proxy.host);
    if (!octets || octets->size() != 16) return false;
  } else {
    const std::size_t colon = text.find(':');
    proxy.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!is_host_name(proxy.host)) return false;
  }
  proxy.port = kDefaultProxyPort;
  if (rest.empty()) return true;
  const auto port = parse_number<std::uint16_t>(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0) return false;
  proxy.port = *port;
  return true;
}

bool has_prefix(const std::vector<std::uint8_t>& address, const std::vector<std::uint8_t>& prefix,
                unsigned bits) {
  if (address.size() != prefix.size()) return false;
  for (std::size_t i = 0; i < address.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = 0xff00U >> here;
    if (((address[i] ^ prefix[i]) & mask & 0xffU) != 0) return false;
    bits -= here;
  }
  return true;
}

std::string_view without_brackets(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

void append_base64(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto octet = [&](std::size_t at) -> unsigned {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned three = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    out += kDigits[three >> 18 & 63U];
    out += kDigits[three >> 12 & 63U];
    out += i + 1 < text.size() ? kDigits[three >> 6 & 63U] : '=';
    out += i + 2 < text.size() ? kDigits[three & 63U] : '=';
  }
}

}  // namespace

std::optional<HttpProxy> parse_http_proxy(std::string_view url) {
  if (url.size() > kMaxProxyUrl) return std::nullopt;
  if (lowered(url.substr(0, kScheme.size())) == kScheme) url.remove_prefix(kScheme.size());
  // Of another kind; without this, its scheme would pass for a user name.
  if (url.find("://") < url.find('@')) return std::nullopt;
  if (url.ends_with('/')) url.remove_suffix(1);
  HttpProxy proxy;
  // The last one: people do not always encode the one in a password.
  const std::size_t at = url.rfind('@');
  if (at != std::string_view::npos) {
    auto credentials = parse_credentials(url.substr(0, at));
    if (!credentials) return std::nullopt;
    proxy.credentials = std::move(*credentials);
    url.remove_prefix(at + 1);
  }
  if (!parse_authority(url, proxy)) return std::nullopt;
  return proxy;
}

NoProxy::NoProxy(std::string_view list) {
  constexpr std::string_view kBetween = ", \t\r\n";
  std::size_t count = 0;
  while (!list.empty() && count < kMaxEntries) {
    const std::size_t begin = std::min(list.find_first_not_of(kBetween), list.size());
    list.remove_prefix(begin);
    std::string_view entry = list.substr(0, list.find_first_of(kBetween));
    list.remove_prefix(entry.size());
    if (entry.empty()) continue;
    ++count;
    if (entry == "*") everything_ = true;
    const std::size_t slash = entry.find('/');
    if (auto octets = address_octets(without_brackets(entry.substr(0, slash)))) {
      const auto size = static_cast<unsigned>(octets->size() * 8);
      const auto bits = slash == std::string_view::npos
                            ? std::optional<unsigned>(size)
                            : parse_number<unsigned>(entry.substr(slash + 1));
      if (bits && *bits <= size) networks_.push_back({std::move(*octets), *bits});
      continue;
    }
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.ends_with('.')) entry.remove_suffix(1);
    if (!entry.empty()) names_.push_back(lowered(entry));
  }
}

bool NoProxy::covers(std::string_view host) const {
  if (everything_) return true;
  if (const auto octets = address_octets(without_brackets(host))) {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
      return has_prefix(*octets, network.address, network.bits);
    });
  }
  std::string name = lowered(host);
  if (name.ends_with('.')) name.pop_back();
  return std::any_of(names_.begin(), names_.end(), [&](const std::string& entry) {
    return name == entry || (name.size() > entry.size() && name.ends_with(entry) &&
                             name[name.size() - entry.size() - 1] == '.');
  });
}

std::shared_ptr<const HttpProxy> ProxyRules::choose(std::string_view host, bool is_secure) const {
  const auto& proxy = is_secure ? secure : plain;
  return proxy && !exceptions.covers(host) ? proxy : nullptr;
}

Secret make_connect_request(std::string_view host, std::uint16_t port, const Secret& credentials) {
  std::string authority;
  if (host.find(':') == std::string_view::npos) {
    authority.append(host);
  } else {
    authority.append("[").append(host).append("]");
  }
  authority.append(":").append(std::to_string(port));
  std::string text;
  // All at once: what a string leaves behind when it grows is not wiped.
  text.reserve(2 * authority.size() + 2 * credentials.size() + 128);
  text.append("CONNECT ").append(authority).append(" HTTP/1.1\r\nHost: ").append(authority);
  if (!credentials.empty()) {
    text.append("\r\nProxy-Authorization: Basic ");
    append_base64(credentials.reveal_text(), text);
  }
  text.append("\r\n\r\n");
  Secret request{std::string_view(text)};
  wipe(text);
  return request;
}

std::optional<unsigned> parse_connect_answer(std::string_view head) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kStatusAt = kVersion.size() + 2;
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() == head.size() || !head.ends_with("\r\n\r\n")) return std::nullopt;
  if (!line.starts_with(kVersion) || line.size() < kStatusAt + 3) return std::nullopt;
  const char minor = line[kVersion.size()];
  if (minor < '0' || minor > '9' || line[kVersion.size() + 1] != ' ') return std::nullopt;
  const auto status = parse_number<unsigned>(line.substr(kStatusAt, 3));
  if (!status || *status < 100 || *status > 599) return std::nullopt;
  const std::string_view reason = line.substr(kStatusAt + 3);
  if (!reason.empty() && reason.front() != ' ') return std::nullopt;
  return status;
}

}  // namespace peersock::wire
