#include "stack/udp_port.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>

namespace peersock::sim {
namespace {

/// Of payload. What Linux gives a socket (net.core.rmem_default) counts more than that.
constexpr std::size_t kReceiveBuffer = 212992;
/// UDP_GRO_CNT_MAX, and the length of an IP packet.
constexpr std::size_t kMostCoalesced = 64;
constexpr std::size_t kLongestPacket = 65535;

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;

std::size_t headers_of(Family family) {
  return kUdpHeader + (family == Family::kIpv4 ? kIpv4Header : kIpv6Header);
}

/// As much of an IP and a UDP header as a filter may ask for; no lengths and no checksums.
class Headers {
 public:
  Headers(const Datagram& datagram, const SocketName& to) : size_(headers_of(to.family)) {
    const bool ipv4 = to.family == Family::kIpv4;
    if (ipv4) {
      octets_[0] = 0x45;
      octets_[1] = datagram.marks.traffic_class;
      octets_[8] = datagram.marks.hop_limit;
      octets_[9] = IPPROTO_UDP;
    } else {
      octets_[0] = static_cast<std::uint8_t>(0x60 | datagram.marks.traffic_class >> 4);
      octets_[1] = static_cast<std::uint8_t>(datagram.marks.traffic_class << 4);
      octets_[6] = IPPROTO_UDP;
      octets_[7] = datagram.marks.hop_limit;
    }
    const std::size_t width = ipv4 ? 4 : 16;
    const std::size_t at = ipv4 ? 12 : 8;
    std::copy_n(datagram.from.address.begin(), width, octets_.begin() + at);
    std::copy_n(to.address.begin(), width, octets_.begin() + at + width);
    put(size_ - kUdpHeader, datagram.from.port);
    put(size_ - kUdpHeader + 2, to.port);
  }
  [[nodiscard]] std::span<const std::uint8_t> view() const {
    return std::span(octets_).first(size_);
  }

 private:
  void put(std::size_t at, std::uint16_t port) {
    octets_.at(at) = static_cast<std::uint8_t>(port >> 8);
    octets_.at(at + 1) = static_cast<std::uint8_t>(port);
  }

  std::array<std::uint8_t, kIpv6Header + kUdpHeader> octets_{};
  std::size_t size_;
};

/// FNV-1a. Linux's own depends on a number that it draws when it starts.
class Hash {
 public:
  void add(const SocketName& name) {
    for (const std::uint8_t octet : name.address) add(octet);
    add(static_cast<std::uint8_t>(name.port >> 8));
    add(static_cast<std::uint8_t>(name.port));
  }
  /// Below `count`.
  [[nodiscard]] std::size_t scaled(std::size_t count) const {
    return static_cast<std::size_t>(std::uint64_t{value_} * count >> 32);
  }

 private:
  void add(std::uint8_t octet) { value_ = (value_ ^ octet) * 16777619U; }
  std::uint32_t value_ = 2166136261U;
};

}  // namespace

// ---- a socket of the port ----

void UdpMember::pop() {
  octets_ -= queue_.front()->octets.size();
  queue_.pop_front();
}

bool UdpMember::has_room(std::size_t octets) const {
  return octets_ + octets <= kReceiveBuffer;
}

// ---- the port ----

UdpPort::UdpPort(std::unique_ptr<StackUdp> stack, std::function<void()> ready)
    : stack_(std::move(stack)), ready_(std::move(ready)) {
  stack_->set_ready([this] { receive_all(); });
}

void UdpPort::leave(UdpMember& member) {
  std::erase_if(held_, [&](const Held& held) { return held.to == &member; });
  const auto place = std::ranges::find(members_, &member);
  if (place == members_.end()) return;
  *place = members_.back();
  members_.pop_back();
}

int UdpPort::bind(const SocketName& name) {
  const int error = stack_->bind(name);
  bound_ = error == 0;
  return error;
}

bool UdpPort::shared() const {
  return bound_ && std::ranges::all_of(members_, &UdpMember::shares);
}

int UdpPort::attach(std::span<const sock_filter> program) {
  if (!group_) return EINVAL;
  auto loaded = ReuseportFilter::load(program);
  if (!loaded) return EINVAL;
  filter_ = std::move(loaded);
  return 0;
}

int UdpPort::detach() {
  if (!group_) return EINVAL;
  if (!filter_) return ENOENT;
  filter_.reset();
  return 0;
}

void UdpPort::receive_all() {
  if (now() != instant_) held_.clear();
  instant_ = now();
  while (auto datagram = stack_->receive()) receive(std::move(*datagram));
  if (ready_) ready_();
}

// Coalescing comes first, as in a network card's driver, and is not aware of the filter: the hash
// says whose wish counts. The filter is then asked once, about the first datagram.
void UdpPort::receive(Datagram datagram) {
  if (append(datagram)) return;
  UdpMember* to = by_filter(datagram);
  if (to == nullptr || (to->peer && *to->peer != datagram.from)) return;
  const Datagram head{datagram.from, {}, datagram.marks};
  const std::size_t size = datagram.octets.size();
  const auto train = give(std::move(datagram), *to);
  const UdpMember* asked = by_hash(head.from);
  std::erase_if(held_, [&](const Held& held) { return held.from == head.from; });
  if (train == nullptr || size == 0 || !asked->coalesces) return;
  held_.push_back({head.from, head.marks, to, size, size, 1, train});
}

bool UdpPort::append(const Datagram& datagram) {
  const auto held = std::ranges::find(held_, datagram.from, &Held::from);
  const std::size_t size = datagram.octets.size();
  if (held == held_.end() || held->marks != datagram.marks || size == 0 || size > held->segment ||
      held->octets % held->segment != 0 || held->count == kMostCoalesced ||
      headers_of(datagram.from.family) + held->octets + size > kLongestPacket) {
    return false;
  }
  if (held->to->coalesces) {
    const auto train = held->train.lock();
    if (!train) return false;  // it was read
    if (held->to->has_room(size)) {
      train->octets.insert(train->octets.end(), datagram.octets.begin(), datagram.octets.end());
      held->to->octets_ += size;
    }
  } else {
    // Taken apart again for a socket that does not want it so.
    give(datagram, *held->to);
  }
  held->octets += size;
  ++held->count;
  return true;
}

std::shared_ptr<UdpTrain> UdpPort::give(Datagram datagram, UdpMember& to) {
  const std::size_t size = datagram.octets.size();
  if (!to.has_room(size)) return nullptr;
  auto train = std::make_shared<UdpTrain>(
      UdpTrain{datagram.from, datagram.marks, size, std::move(datagram.octets)});
  to.octets_ += size;
  to.queue_.push_back(train);
  return train;
}

UdpMember* UdpPort::by_hash(const SocketName& from) const {
  if (members_.size() < 2) return members_.empty() ? nullptr : members_.front();
  Hash hash;
  hash.add(from);
  hash.add(local());
  return members_[hash.scaled(members_.size())];
}

UdpMember* UdpPort::by_filter(const Datagram& datagram) const {
  if (filter_ && members_.size() > 1) {
    const Headers headers(datagram, local());
    const std::uint32_t place = filter_->run(headers.view(), datagram.octets);
    if (place < members_.size()) return members_[place];
  }
  return by_hash(datagram.from);
}

// ---- the ports of a host ----

std::shared_ptr<UdpPort> UdpPorts::open(std::unique_ptr<StackUdp> stack,
                                        std::function<void()> ready) {
  std::erase_if(ports_, [](const auto& port) { return port.expired(); });
  auto port = std::make_shared<UdpPort>(std::move(stack), std::move(ready));
  ports_.push_back(port);
  return port;
}

std::shared_ptr<UdpPort> UdpPorts::find_shared(const SocketName& name) const {
  for (const auto& each : ports_) {
    auto port = each.lock();
    if (port && port->shared() && port->local() == name) return port;
  }
  return nullptr;
}

}  // namespace peersock::sim
