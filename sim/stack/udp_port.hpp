// UDP above ns-3 as Linux has it: sockets that share an address and a port (SO_REUSEPORT), and
// datagrams that are coalesced on their way to a socket (UDP_GRO). No ns-3 in here.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stack/reuseport_filter.hpp"
#include "stack/scheduler.hpp"
#include "stack/stack_udp.hpp"

namespace peersock::sim {

/// One datagram, or several that were coalesced: all of `segment` octets but the last one, which
/// may be shorter.
struct UdpTrain {
  SocketName from;
  IpMarks marks;
  std::size_t segment = 0;
  std::vector<std::uint8_t> octets;

  [[nodiscard]] bool coalesced() const { return octets.size() > segment; }
};

/// What a port knows of one of its sockets, and what has come for it.
class UdpMember {
 public:
  bool shares = false;             ///< SO_REUSEPORT
  bool coalesces = false;          ///< UDP_GRO
  std::optional<SocketName> peer;  ///< connected: nothing from others

  [[nodiscard]] const UdpTrain* next() const { return queue_.empty() ? nullptr : queue_[0].get(); }
  void pop();

 private:
  friend class UdpPort;
  [[nodiscard]] bool has_room(std::size_t octets) const;

  std::deque<std::shared_ptr<UdpTrain>> queue_;
  std::size_t octets_ = 0;
};

class UdpPort {
 public:
  /// `ready` is called when something has arrived for any member.
  UdpPort(std::unique_ptr<StackUdp> stack, std::function<void()> ready);

  /// A member has the next place in the group, and leaves its own to the last one. It outlives its
  /// membership.
  void join(UdpMember& member) { members_.push_back(&member); }
  void leave(UdpMember& member);
  [[nodiscard]] int bind(const SocketName& name);
  [[nodiscard]] bool bound() const { return bound_; }
  /// All of its members share, so that another one that does may join.
  [[nodiscard]] bool shared() const;
  /// Filters belong to the group; a socket alone has one or not.
  [[nodiscard]] bool has_group() const { return group_; }
  void found_group() { group_ = true; }

  /// For the whole group, in place of an earlier one. Zero, or an errno.
  [[nodiscard]] int attach(std::span<const sock_filter> program);
  [[nodiscard]] int detach();

  [[nodiscard]] SocketName local() const { return stack_->local(); }
  [[nodiscard]] int send(std::span<const std::uint8_t> octets, const SocketName& to,
                         const IpMarks& marks) {
    return stack_->send(octets, to, marks);
  }

 private:
  /// What came last of a flow: the next datagram may be appended.
  struct Held {
    SocketName from;
    IpMarks marks;
    UdpMember* to = nullptr;
    std::size_t segment = 0;
    std::size_t octets = 0;
    std::size_t count = 0;
    std::weak_ptr<UdpTrain> train;  ///< of a member that coalesces
  };

  void receive_all();
  void receive(Datagram datagram);
  [[nodiscard]] bool append(const Datagram& datagram);
  static std::shared_ptr<UdpTrain> give(Datagram datagram, UdpMember& to);
  [[nodiscard]] UdpMember* by_hash(const SocketName& from) const;
  [[nodiscard]] UdpMember* by_filter(const Datagram& datagram) const;

  std::unique_ptr<StackUdp> stack_;
  std::function<void()> ready_;
  std::vector<UdpMember*> members_;
  std::optional<ReuseportFilter> filter_;
  bool bound_ = false;
  bool group_ = false;
  Nanos instant_{-1};
  std::vector<Held> held_;  ///< of this instant, one of a flow
};

/// The ports of a host.
class UdpPorts {
 public:
  [[nodiscard]] std::shared_ptr<UdpPort> open(std::unique_ptr<StackUdp> stack,
                                              std::function<void()> ready);
  /// One with this name whose sockets share it; or null.
  [[nodiscard]] std::shared_ptr<UdpPort> find_shared(const SocketName& name) const;

 private:
  std::vector<std::weak_ptr<UdpPort>> ports_;
};

}  // namespace peersock::sim
