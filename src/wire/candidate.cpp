// Candidate lines: RFC 8839 section 5.1, with the TCP types of RFC 6544 section 4.5.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "wire/ice_message.hpp"

namespace peersock::wire {
namespace {

constexpr std::string_view kPrefix = "candidate:";
constexpr std::size_t kMaxFoundation = 32;
constexpr std::uint32_t kMaxPriority = 0x7fffffff;

constexpr std::pair<CandidateType, std::string_view> kTypes[] = {
    {CandidateType::kHost, "host"},
    {CandidateType::kServerReflexive, "srflx"},
    {CandidateType::kPeerReflexive, "prflx"},
    {CandidateType::kRelayed, "relay"},
};
constexpr std::pair<CandidateTransport, std::string_view> kTcpTypes[] = {
    {CandidateTransport::kTcpActive, "active"},
    {CandidateTransport::kTcpPassive, "passive"},
    {CandidateTransport::kTcpSimultaneous, "so"},
};

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorKind::kConnectionLost,
              fmt::format("The other side sent a candidate with {}: it is left out", what));
}

bool is_ice_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  const auto fold = [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); };
  return std::ranges::equal(a, lower, {}, fold);
}

template <typename T>
std::optional<T> read_number(std::string_view text, T least, T most) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || value < least || value > most) return std::nullopt;
  return value;
}

/// Hands out the words of a line, which single blanks separate.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  [[nodiscard]] bool empty() const { return done_; }
  /// The next word; an empty one at the end of the line or between two blanks.
  std::string_view next() {
    const std::size_t end = rest_.find(' ');
    const std::string_view word = rest_.substr(0, end);
    done_ = end == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : end + 1);
    return word;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

struct Address {
  std::string text;  ///< in its shortest form (RFC 5952)
  bool reachable = false;
};

bool can_be_reached(const in_addr& address) {
  const std::uint32_t value = ntohl(address.s_addr);
  // 0.0.0.0/8 is no destination, 224.0.0.0/4 is multicast, the last one broadcasts.
  return value >> 24 != 0 && value >> 28 != 14 && value != 0xffffffff;
}

bool can_be_reached(const in6_addr& address) {
  if (IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address)) return false;
  // The IPv4 address in disguise would slip past the checks for IPv4 (RFC 8445 section 5.1.1.1).
  return !IN6_IS_ADDR_V4MAPPED(&address);
}

/// Numeric addresses only: a name would make us resolve what a stranger chose.
std::optional<Address> read_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  // A zero octet would hide from the C functions what follows it.
  if (text.size() >= buffer.size() || text.find('\0') != text.npos) return std::nullopt;
  const std::string zero_ended(text);
  in_addr v4{};
  if (inet_pton(AF_INET, zero_ended.c_str(), &v4) == 1) {
    if (inet_ntop(AF_INET, &v4, buffer.data(), buffer.size()) == nullptr) return std::nullopt;
    return Address{buffer.data(), can_be_reached(v4)};
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, zero_ended.c_str(), &v6) == 1) {
    if (inet_ntop(AF_INET6, &v6, buffer.data(), buffer.size()) == nullptr) return std::nullopt;
    return Address{buffer.data(), can_be_reached(v6)};
  }
  return std::nullopt;
}

std::optional<tl::unexpected<Error>> read_foundation(Words& words, Candidate& out) {
  const std::string_view foundation = words.next();
  if (!is_ice_text(foundation, 1, kMaxFoundation)) return refuse("an unusable foundation");
  out.foundation = foundation;
  return std::nullopt;
}

std::optional<tl::unexpected<Error>> read_endpoint(Words& words, Candidate& out) {
  const auto priority = read_number<std::uint32_t>(words.next(), 1, kMaxPriority);
  if (!priority) return refuse("an unusable priority");
  const auto address = read_address(words.next());
  if (!address) return refuse("an address that is not numeric");
  if (!address->reachable) return refuse("an address that nobody can reach");
  const auto port = read_number<std::uint16_t>(words.next(), 1, 65535);
  if (!port) return refuse("an unusable port");
  out.priority = *priority;
  out.address = address->text;
  out.port = *port;
  return std::nullopt;
}

std::optional<tl::unexpected<Error>> read_type(Words& words, Candidate& out) {
  if (words.next() != "typ") return refuse("no type");
  const std::string_view name = words.next();
  const auto* known = std::ranges::find(kTypes, name, [](const auto& row) { return row.second; });
  if (known == std::end(kTypes)) return refuse("an unknown type");
  out.type = known->first;
  return std::nullopt;
}

/// What the attributes after the type said, before it is known whether they belong together.
struct Attributes {
  std::optional<std::string_view> related_address;
  std::optional<std::string_view> related_port;
  std::optional<std::string_view> tcp_type;
};

/// Pairs of name and value; unknown names are skipped, known ones may come once.
std::optional<Attributes> read_attributes(Words& words) {
  Attributes found;
  while (!words.empty()) {
    const std::string_view name = words.next();
    if (name.empty() || words.empty()) return std::nullopt;
    const std::string_view value = words.next();
    std::optional<std::string_view>* slot = nullptr;
    if (name == "raddr") slot = &found.related_address;
    if (name == "rport") slot = &found.related_port;
    if (name == "tcptype") slot = &found.tcp_type;
    if (slot == nullptr) continue;
    if (*slot) return std::nullopt;
    *slot = value;
  }
  return found;
}

std::optional<tl::unexpected<Error>> read_related(const Attributes& attributes, Candidate& out) {
  if (!attributes.related_address && !attributes.related_port) return std::nullopt;
  if (!attributes.related_address || !attributes.related_port) {
    return refuse("half of a related address");
  }
  // Nothing is ever sent there, so a placeholder such as 0.0.0.0 is welcome.
  const auto address = read_address(*attributes.related_address);
  const auto port = read_number<std::uint16_t>(*attributes.related_port, 0, 65535);
  if (!address || !port) return refuse("an unusable related address");
  out.related_address = address->text;
  out.related_port = *port;
  return std::nullopt;
}

std::optional<tl::unexpected<Error>> read_tcp_type(const Attributes& attributes, Candidate& out) {
  const std::string_view name = attributes.tcp_type.value_or("");
  const auto* known =
      std::ranges::find(kTcpTypes, name, [](const auto& row) { return row.second; });
  if (known == std::end(kTcpTypes)) return refuse("an unusable TCP type");
  out.transport = known->first;
  return std::nullopt;
}

std::string_view trim(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

std::string_view to_string(CandidateType type) {
  const auto* known = std::ranges::find(kTypes, type, [](const auto& row) { return row.first; });
  return known == std::end(kTypes) ? "unknown" : known->second;
}

bool is_ice_text(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most && std::ranges::all_of(text, is_ice_char);
}

std::string format_candidate(const Candidate& c) {
  const bool udp = c.transport == CandidateTransport::kUdp;
  std::string line =
      fmt::format("{}{} 1 {} {} {} {} typ {}", kPrefix, c.foundation, udp ? "udp" : "tcp",
                  c.priority, c.address, c.port, to_string(c.type));
  if (c.related_address && c.related_port) {
    line += fmt::format(" raddr {} rport {}", *c.related_address, *c.related_port);
  }
  for (const auto& [transport, name] : kTcpTypes) {
    if (c.transport == transport) line += fmt::format(" tcptype {}", name);
  }
  return line;
}

Result<Candidate> parse_candidate(std::string_view line) {
  if (line.size() > kMaxCandidateLine) return refuse("a line that is too long");
  line = trim(line);
  if (line.starts_with("a=")) line.remove_prefix(2);
  if (!line.starts_with(kPrefix)) return refuse("no \"candidate:\" in front");
  Words words(line.substr(kPrefix.size()));
  Candidate result;
  if (auto error = read_foundation(words, result)) return *std::move(error);
  if (words.next() != "1") return refuse("a component other than 1");
  const std::string_view transport = words.next();
  const bool tcp = equals_ignoring_case(transport, "tcp");
  if (!tcp && !equals_ignoring_case(transport, "udp")) return refuse("an unknown transport");
  if (auto error = read_endpoint(words, result)) return *std::move(error);
  if (auto error = read_type(words, result)) return *std::move(error);
  const auto attributes = read_attributes(words);
  if (!attributes) return refuse("unusable attributes");
  if (auto error = read_related(*attributes, result)) return *std::move(error);
  if (tcp) {
    if (auto error = read_tcp_type(*attributes, result)) return *std::move(error);
  }
  return result;
}

}  // namespace peersock::wire
