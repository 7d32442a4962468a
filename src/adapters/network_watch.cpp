#include "adapters/network_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "adapters/interfaces.hpp"
#include "ice/policy.hpp"

namespace peersock::adapters {
namespace {

UniqueFd open_netlink() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return fd;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

std::vector<std::string> usable_addresses() {
  auto addresses = ice::choose_local_addresses(list_interfaces());
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

}  // namespace

NetworkWatch::NetworkWatch(GMainContext* context, std::function<void()> changed)
    : changed_(std::move(changed)),
      socket_(open_netlink()),
      addresses_(usable_addresses()),
      settled_(context, [this] { compare(); }),
      readable_(context, [this] { read(); }) {
  if (socket_) readable_.watch(socket_.get(), G_IO_IN);
}

/// What the messages say does not matter, and that some were lost neither: the addresses are looked
/// at afterwards.
void NetworkWatch::read() {
  std::array<char, 8192> ignored{};
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), ignored.data(), ignored.size(), 0);
    if (got > 0 || (got < 0 && (errno == EINTR || errno == ENOBUFS))) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    readable_.unwatch();
    return;
  }
  settled_.after(kNetworkSettles);
}

void NetworkWatch::compare() {
  auto now = usable_addresses();
  if (now == addresses_) return;
  addresses_ = std::move(now);
  // Without any there is nothing to search from; when one comes, it is another change.
  if (!addresses_.empty()) changed_();
}

}  // namespace peersock::adapters
