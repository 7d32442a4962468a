#include "ice/policy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace peersock::ice {
namespace {

/// In the order of preference; kNoise is used without the first two, kLoopback without all three.
enum class Tier : std::uint8_t { kOrdinary, kVpn, kNoise, kLoopback };

bool starts_with_any(std::string_view text, const auto& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

/// Docker names the bridge of a network of its own "br-" and 12 hexadecimal digits; a plain "br0"
/// is somebody's real network.
bool is_docker_network(std::string_view name) {
  constexpr std::string_view kPrefix = "br-";
  constexpr std::size_t kDigits = 12;
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

bool is_container_bridge(std::string_view name) {
  static constexpr std::array<std::string_view, 15> kPrefixes = {
      "docker", "virbr",  "lxcbr", "lxdbr", "incusbr", "podman", "cni",    "cbr",
      "cali",   "cilium", "kube",  "vmnet", "vboxnet", "vnet",   "flannel"};
  return starts_with_any(name, kPrefixes) || is_docker_network(name);
}

bool is_vpn(const LocalInterface& candidate) {
  static constexpr std::array<std::string_view, 6> kPrefixes = {"wg",        "tun", "tap",
                                                                "tailscale", "zt",  "nordlynx"};
  return candidate.point_to_point || starts_with_any(candidate.name, kPrefixes);
}

bool is_loopback(const LocalInterface& candidate) {
  return candidate.loopback || candidate.address == "::1" || candidate.address.starts_with("127.");
}

Tier tier_of(const LocalInterface& candidate) {
  if (is_loopback(candidate)) return Tier::kLoopback;
  if (is_link_local(candidate.address) || is_container_bridge(candidate.name)) return Tier::kNoise;
  return is_vpn(candidate) ? Tier::kVpn : Tier::kOrdinary;
}

/// Half of a host's over UDP (RFC 8445 section 5.1.2.2).
constexpr std::uint32_t kTcpTypePreference = 63;
/// RFC 6544 section 4.2: 2 of a host's passive candidate.
constexpr std::uint32_t kPassivePreference = 2;
constexpr std::uint32_t kMostOtherPreference = (1U << 13U) - 1;

}  // namespace

bool is_ipv6(std::string_view address) {
  return address.find(':') != std::string_view::npos;
}

bool is_link_local(std::string_view address) {
  if (!is_ipv6(address)) return address.starts_with("169.254.");
  // The first ten bits allow fe80 to febf.
  static constexpr std::array<std::string_view, 4> kPrefixes = {"fe8", "fe9", "fea", "feb"};
  return starts_with_any(address, kPrefixes) && address.find(':') == 4;
}

bool is_public(std::string_view address) {
  if (is_link_local(address) || address == "::1") return false;
  if (is_ipv6(address)) return !address.starts_with("fc") && !address.starts_with("fd");
  static constexpr std::array<std::string_view, 3> kPrefixes = {"10.", "127.", "192.168."};
  if (starts_with_any(address, kPrefixes)) return false;
  const auto second = [&](std::size_t at) {
    unsigned value = 0;
    for (; at < address.size() && address[at] != '.'; ++at) {
      value = value * 10 + static_cast<unsigned>(address[at] - '0');
    }
    return value;
  };
  if (address.starts_with("172.")) return second(4) / 16 != 1;
  return !address.starts_with("100.") || second(4) / 64 != 1;
}

std::string endpoint_text(std::string_view address, std::uint16_t port) {
  std::string text;
  if (is_ipv6(address)) {
    text.append("[").append(address).append("]");
  } else {
    text.append(address);
  }
  return text.append(":").append(std::to_string(port));
}

std::vector<LocalInterface> choose_local_interfaces(const std::vector<LocalInterface>& interfaces) {
  std::map<Tier, std::vector<LocalInterface>> tiers;
  std::set<std::string> seen;
  std::map<std::pair<std::string, bool>, std::size_t> of_one_kind;
  for (const LocalInterface& candidate : interfaces) {
    if (!candidate.up || candidate.address.empty()) continue;
    if (!seen.insert(candidate.address).second) continue;
    auto& count = of_one_kind[{candidate.name, is_ipv6(candidate.address)}];
    if (!is_link_local(candidate.address) && ++count > kMaxAddressesOfOneKind) continue;
    tiers[tier_of(candidate)].push_back(candidate);
  }

  std::vector<LocalInterface> chosen = std::move(tiers[Tier::kOrdinary]);
  chosen.insert(chosen.end(), tiers[Tier::kVpn].begin(), tiers[Tier::kVpn].end());
  if (chosen.empty()) chosen = std::move(tiers[Tier::kNoise]);
  if (chosen.empty()) chosen = std::move(tiers[Tier::kLoopback]);
  if (chosen.size() > kMaxLocalAddresses) chosen.resize(kMaxLocalAddresses);
  return chosen;
}

std::vector<LocalInterface> choose_tcp_interfaces(const std::vector<LocalInterface>& chosen,
                                                  bool anywhere) {
  std::vector<LocalInterface> result;
  for (const LocalInterface& candidate : chosen) {
    if (result.size() == kMaxTcpAddresses) break;
    if (anywhere || is_public(candidate.address)) result.push_back(candidate);
  }
  return result;
}

std::uint32_t tcp_priority(std::size_t index) {
  const auto rank = static_cast<std::uint32_t>(std::min<std::size_t>(index, kMostOtherPreference));
  const std::uint32_t local = (kPassivePreference << 13U) + kMostOtherPreference - rank;
  return (kTcpTypePreference << 24U) + (local << 8U) + 255;
}

bool may_connect_to(const wire::Candidate& candidate, bool anywhere) {
  return candidate.transport == wire::CandidateTransport::kTcpPassive &&
         (candidate.type == wire::CandidateType::kHost ||
          candidate.type == wire::CandidateType::kServerReflexive) &&
         (anywhere || is_public(candidate.address));
}

std::vector<std::string> choose_local_addresses(const std::vector<LocalInterface>& interfaces) {
  std::vector<std::string> addresses;
  for (auto& chosen : choose_local_interfaces(interfaces)) {
    addresses.push_back(std::move(chosen.address));
  }
  return addresses;
}

}  // namespace peersock::ice
