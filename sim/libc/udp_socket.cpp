#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/filter.h>
#include <netinet/in.h>

#include "libc/socket_descriptor.hpp"
#include "libc/udp_options.hpp"
#include "stack/udp_port.hpp"

namespace peersock::sim {
namespace {

/// UDP_MAX_SEGMENTS before Linux 6.9; more since then.
constexpr std::size_t kMostSegments = 64;
constexpr std::size_t kLongestIpv4 = 65507;
constexpr std::size_t kLongestIpv6 = 65527;
constexpr std::size_t kLinkMtu = 1500;
constexpr std::size_t kLoopbackMtu = 65536;

class UdpSocket final : public SocketDescriptor {
 public:
  UdpSocket(Host& host, Family family) : SocketDescriptor(host, family), port_(new_port()) {
    port_->join(member_);
  }
  ~UdpSocket() override { port_->leave(member_); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  UdpSocket(UdpSocket&&) = delete;
  UdpSocket& operator=(UdpSocket&&) = delete;

  [[nodiscard]] const char* kind() const override { return "udp"; }
  [[nodiscard]] int type() const override { return SOCK_DGRAM; }
  [[nodiscard]] short ready() const override {
    return static_cast<short>(POLLOUT | (member_.next() != nullptr ? POLLIN : 0));
  }
  int listen() override { return -EOPNOTSUPP; }
  std::shared_ptr<SocketDescriptor> accept() override { return nullptr; }
  // A connected one says from which address it sends.
  [[nodiscard]] SocketName local() const override {
    SocketName name = port_->local();
    if (!member_.peer || name.address != any_name(name.family).address) return name;
    if (const auto source = host().source_for(*member_.peer)) name.address = source->address;
    return name;
  }
  [[nodiscard]] std::optional<SocketName> peer() const override { return member_.peer; }
  int shut_down(int /*how*/) override { return member_.peer ? 0 : -ENOTCONN; }
  int take_error() override { return 0; }

  int connect(const SocketName& to) override {
    if (!host().has_way(port_->local(), to)) return -ENETUNREACH;
    member_.peer = to;
    // It sends nothing, but has a port from now on.
    return has_name_ ? 0 : bind(any_name(to.family));
  }
  int bind(const SocketName& name) override;
  ssize_t send(std::span<const std::uint8_t> octets, const std::optional<SocketName>& to) override {
    return send_with(octets, to, {});
  }
  ssize_t send_with(std::span<const std::uint8_t> octets, const std::optional<SocketName>& to,
                    const SendControl& control) override;
  Received receive(std::span<std::uint8_t> into, bool peek) override;
  [[nodiscard]] std::size_t available() const override {
    return member_.next() == nullptr ? 0 : member_.next()->octets.size();
  }
  std::optional<int> set_option(int level, int option, const void* value,
                                std::size_t size) override;
  std::optional<int> get_option(int level, int option) override {
    return options_.get(level, option);
  }

 private:
  [[nodiscard]] std::shared_ptr<UdpPort> new_port() {
    Host& host = this->host();
    return host.udp_ports().open(host.ip().open_udp(family()), [&host] { host.kick(); });
  }
  [[nodiscard]] int attach(const void* value, std::size_t size);
  [[nodiscard]] int why_not(std::size_t octets, std::size_t segment, const SocketName& to) const;
  [[nodiscard]] std::size_t mtu_to(const SocketName& to) const;
  [[nodiscard]] ReceiveControl told(const UdpTrain& train) const;

  UdpOptions options_;
  UdpMember member_;
  std::shared_ptr<UdpPort> port_;
  bool has_name_ = false;
};

int UdpSocket::bind(const SocketName& name) {
  if (has_name_) return -EINVAL;
  // One that has brought a group, by a filter, joins no other one.
  const bool joins = member_.shares && name.port != 0 && !port_->has_group();
  if (auto shared = joins ? host().udp_ports().find_shared(name) : nullptr) {
    port_->leave(member_);
    port_ = std::move(shared);
    port_->join(member_);
  } else if (const int error = port_->bind(name); error != 0) {
    return -error;
  }
  // Linux makes a group when a socket that shares is bound, or when a second one comes.
  if (member_.shares) port_->found_group();
  has_name_ = true;
  return 0;
}

// ---- sending ----

std::size_t UdpSocket::mtu_to(const SocketName& to) const {
  SocketName address = to;
  address.port = 0;
  const auto all = host().ip().addresses();
  const bool own = is_loopback(to) || std::ranges::count(all, address, &InterfaceAddress::name) > 0;
  return own ? kLoopbackMtu : kLinkMtu;
}

/// In Linux's order (net/ipv4/ip_output.c, net/ipv4/udp.c). Zero, or a value of errno.
int UdpSocket::why_not(std::size_t octets, std::size_t segment, const SocketName& to) const {
  const bool ipv4 = to.family == Family::kIpv4;
  if (octets > (ipv4 ? kLongestIpv4 : kLongestIpv6)) return EMSGSIZE;
  if (segment == 0 && !options_.never_fragments(to.family)) return 0;
  const std::size_t headers = ipv4 ? 28 : 48;
  if (headers + (segment == 0 ? octets : std::min(octets, segment)) > mtu_to(to)) return EMSGSIZE;
  return segment != 0 && octets > segment * kMostSegments ? EINVAL : 0;
}

ssize_t UdpSocket::send_with(std::span<const std::uint8_t> octets,
                             const std::optional<SocketName>& to, const SendControl& control) {
  const auto& target = to ? to : member_.peer;
  if (!target) return -EDESTADDRREQ;
  if (!host().has_way(port_->local(), *target)) return -ENETUNREACH;
  const std::size_t segment =
      control.segment != 0 ? control.segment : static_cast<std::size_t>(options_.segment);
  if (const int error = why_not(octets.size(), segment, *target); error != 0) return -error;
  IpMarks marks = options_.marks(target->family);
  marks.traffic_class = control.traffic_class.value_or(marks.traffic_class);
  marks.hop_limit = control.hop_limit.value_or(marks.hop_limit);
  auto rest = octets;
  do {
    const auto datagram = rest.first(segment == 0 ? rest.size() : std::min(segment, rest.size()));
    rest = rest.subspan(datagram.size());
    host().note("send", datagram);
    if (const int error = port_->send(datagram, *target, marks); error != 0) return -error;
  } while (!rest.empty());
  return static_cast<ssize_t>(octets.size());
}

// ---- receiving ----

ReceiveControl UdpSocket::told(const UdpTrain& train) const {
  const bool ipv4 = train.from.family == Family::kIpv4;
  ReceiveControl control;
  if (options_.coalesces != 0 && train.coalesced()) {
    control.segment = static_cast<int>(train.segment);
  }
  if ((ipv4 ? options_.receive_ttl : options_.receive_hop_limit) != 0) {
    control.hop_limit = train.marks.hop_limit;
  }
  if ((ipv4 ? options_.receive_tos : options_.receive_traffic_class) != 0) {
    control.traffic_class = train.marks.traffic_class;
  }
  return control;
}

SocketDescriptor::Received UdpSocket::receive(std::span<std::uint8_t> into, bool peek) {
  const UdpTrain* train = member_.next();
  if (train == nullptr) return {-EAGAIN, false, std::nullopt, {}};
  if (!peek) host().note("recv", train->octets);
  const std::size_t size = std::min(into.size(), train->octets.size());
  std::copy_n(train->octets.begin(), size, into.begin());
  Received received{static_cast<ssize_t>(size), size < train->octets.size(), train->from,
                    told(*train)};
  if (!peek) member_.pop();
  return received;
}

// ---- options ----

int UdpSocket::attach(const void* value, std::size_t size) {
  sock_fprog program{};
  if (size != sizeof program) return -EINVAL;
  std::memcpy(&program, value, sizeof program);
  // A socket that will share has a group of its own until it is bound.
  if (!has_name_ && member_.shares) port_->found_group();
  return -port_->attach({program.filter, program.len});
}

std::optional<int> UdpSocket::set_option(int level, int option, const void* value,
                                         std::size_t size) {
  if (level == SOL_SOCKET) {
    if (option == SO_ATTACH_REUSEPORT_CBPF) return attach(value, size);
    if (option == SO_DETACH_REUSEPORT_BPF) return -port_->detach();
    // For those who may do more than an ordinary user.
    if (option == SO_RCVBUFFORCE || option == SO_SNDBUFFORCE) return -EPERM;
  }
  const auto result = options_.set(level, option, value, size);
  member_.shares = options_.reuse_port != 0;
  member_.coalesces = options_.coalesces != 0;
  return result;
}

}  // namespace

std::shared_ptr<SocketDescriptor> make_udp_socket(Host& host, Family family) {
  return std::make_shared<UdpSocket>(host, family);
}

}  // namespace peersock::sim
