// News of a host's addresses, in the form of rtnetlink(7): RTM_NEWADDR and RTM_DELADDR to whoever
// has joined the group of the family. Nothing can be asked.
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "libc/socket_descriptor.hpp"

namespace peersock::sim {
namespace {

constexpr std::uint32_t kEthernetIndex = 2;
/// As with a kernel, a reader that is slow loses what comes then.
constexpr std::size_t kMostWaiting = 64;

std::size_t octets_of(Family family) {
  return family == Family::kIpv4 ? 4 : 16;
}

template <typename T>
void append(std::vector<std::uint8_t>& message, const T& part) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&part);
  message.insert(message.end(), first, first + sizeof part);
}

std::vector<std::uint8_t> news_message(const InterfaceAddress& address, bool added) {
  const std::size_t size = octets_of(address.name.family);
  ifaddrmsg body{};
  body.ifa_family = address.name.family == Family::kIpv4 ? AF_INET : AF_INET6;
  body.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix);
  body.ifa_index = kEthernetIndex;
  rtattr attribute{};
  attribute.rta_type = IFA_ADDRESS;
  attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
  nlmsghdr header{};
  header.nlmsg_type = added ? RTM_NEWADDR : RTM_DELADDR;
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof body) + RTA_SPACE(size));
  std::vector<std::uint8_t> message;
  append(message, header);
  append(message, body);
  append(message, attribute);
  message.insert(message.end(), address.name.address.begin(),
                 address.name.address.begin() + static_cast<std::ptrdiff_t>(size));
  return message;
}

class NetlinkSocket final : public SocketDescriptor {
 public:
  explicit NetlinkSocket(Host& host) : SocketDescriptor(host, Family::kIpv4) {}

  [[nodiscard]] const char* kind() const override { return "netlink"; }
  [[nodiscard]] int type() const override { return SOCK_RAW; }
  [[nodiscard]] short ready() const override { return waiting_.empty() ? 0 : POLLIN; }

  int bind_address(const sockaddr* address, socklen_t size) override {
    sockaddr_nl name{};
    if (size < sizeof name || address->sa_family != AF_NETLINK) return -EINVAL;
    std::memcpy(&name, address, sizeof name);
    groups_ = name.nl_groups;
    if (news_) return 0;
    news_ = std::make_shared<Host::AddressNews>(
        [this](const InterfaceAddress& changed, bool added) { arrived(changed, added); });
    host().watch_addresses(news_);
    return 0;
  }
  int bind(const SocketName& /*name*/) override { return -EINVAL; }
  int connect(const SocketName& /*to*/) override { return -EOPNOTSUPP; }
  int listen() override { return -EOPNOTSUPP; }
  std::shared_ptr<SocketDescriptor> accept() override { return nullptr; }
  ssize_t send(std::span<const std::uint8_t> /*octets*/,
               const std::optional<SocketName>& /*to*/) override {
    return -EOPNOTSUPP;
  }

  Received receive(std::span<std::uint8_t> into, bool peek) override {
    if (waiting_.empty()) return {-EAGAIN, false, std::nullopt};
    const auto& first = waiting_.front();
    const std::size_t size = std::min(into.size(), first.size());
    const bool cut = size < first.size();
    std::copy_n(first.begin(), size, into.begin());
    if (!peek) waiting_.pop_front();
    return {static_cast<ssize_t>(size), cut, std::nullopt};
  }

  [[nodiscard]] SocketName local() const override { return any_name(family()); }
  [[nodiscard]] std::optional<SocketName> peer() const override { return std::nullopt; }
  int shut_down(int /*how*/) override { return -EOPNOTSUPP; }
  int take_error() override { return 0; }
  [[nodiscard]] std::size_t available() const override {
    return waiting_.empty() ? 0 : waiting_.front().size();
  }

 private:
  void arrived(const InterfaceAddress& address, bool added) {
    const auto wanted =
        address.name.family == Family::kIpv4 ? RTMGRP_IPV4_IFADDR : RTMGRP_IPV6_IFADDR;
    if ((groups_ & static_cast<std::uint32_t>(wanted)) == 0) return;
    if (waiting_.size() < kMostWaiting) waiting_.push_back(news_message(address, added));
    host().kick();
  }

  std::uint32_t groups_ = 0;
  std::deque<std::vector<std::uint8_t>> waiting_;
  std::shared_ptr<Host::AddressNews> news_;
};

}  // namespace

std::shared_ptr<SocketDescriptor> make_netlink_socket(Host& host) {
  return std::make_shared<NetlinkSocket>(host);
}

}  // namespace peersock::sim
