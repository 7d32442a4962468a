// Waiting. Nothing waits in a simulation: what is ready now is told, whatever the timeout.
#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "libc/descriptor.hpp"
#include "libc/real.hpp"

namespace peersock::sim {
namespace {

class EpollDescriptor final : public Descriptor {
 public:
  using Descriptor::Descriptor;

  [[nodiscard]] const char* kind() const override { return "epoll"; }
  [[nodiscard]] short ready() const override {
    return std::ranges::any_of(watched_, [](const Watched& one) { return seen(one) != 0; }) ? POLLIN
                                                                                            : 0;
  }
  ssize_t read(std::span<std::uint8_t> /*into*/) override { return -EINVAL; }
  ssize_t write(std::span<const std::uint8_t> /*from*/) override { return -EINVAL; }

  int control(int operation, int number, const epoll_event* event) {
    forget_closed();
    const auto known = std::ranges::find(watched_, number, &Watched::number);
    if (operation == EPOLL_CTL_ADD) {
      if (known != watched_.end()) return -EEXIST;
      auto descriptor = share_descriptor(number);
      // A real one in here would make a run depend on the real world.
      if (!descriptor) return -EPERM;
      watched_.push_back({number, descriptor, *event});
      return 0;
    }
    if (known == watched_.end()) return -ENOENT;
    if (operation == EPOLL_CTL_DEL) {
      watched_.erase(known);
    } else {
      known->event = *event;
    }
    return 0;
  }

  int wait(std::span<epoll_event> events) {
    forget_closed();
    int count = 0;
    for (const Watched& one : watched_) {
      if (static_cast<std::size_t>(count) == events.size()) break;
      const std::uint32_t mask = seen(one);
      if (mask == 0) continue;
      events[static_cast<std::size_t>(count)] = one.event;
      events[static_cast<std::size_t>(count++)].events = mask;
    }
    return count;
  }

 private:
  struct Watched {
    int number;
    std::weak_ptr<Descriptor> descriptor;
    epoll_event event;
  };
  // The flags of epoll have the values of poll's.
  static std::uint32_t seen(const Watched& one) {
    const auto descriptor = one.descriptor.lock();
    if (!descriptor) return 0;
    return static_cast<std::uint32_t>(
        answer(*descriptor, static_cast<short>(one.event.events & (POLLIN | POLLOUT))));
  }
  void forget_closed() {
    std::erase_if(watched_, [](const Watched& one) { return one.descriptor.expired(); });
  }

  std::vector<Watched> watched_;
};

}  // namespace
}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

int poll(pollfd* polled, nfds_t count, int timeout) {
  if (Host::current() == nullptr) return PEERSOCK_REAL(poll)(polled, count, timeout);
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    polled[i].revents = 0;
    if (const auto* descriptor = find_descriptor(polled[i].fd)) {
      polled[i].revents = answer(*descriptor, polled[i].events);
    } else {
      (void)PEERSOCK_REAL(poll)(&polled[i], 1, 0);
    }
    if (polled[i].revents != 0) ++ready;
  }
  return ready;
}

int ppoll(pollfd* polled, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (Host::current() == nullptr) return PEERSOCK_REAL(ppoll)(polled, count, timeout, mask);
  return poll(polled, count, 0);
}

int epoll_create1(int flags) noexcept {
  Host* host = Host::current();
  if (host == nullptr) return PEERSOCK_REAL(epoll_create1)(flags);
  return conclude(
      give_number(std::make_shared<EpollDescriptor>(*host), (flags & EPOLL_CLOEXEC) != 0));
}

int epoll_ctl(int epoll, int operation, int number, epoll_event* event) noexcept {
  auto* set = dynamic_cast<EpollDescriptor*>(find_descriptor(epoll));
  if (set == nullptr) return PEERSOCK_REAL(epoll_ctl)(epoll, operation, number, event);
  return conclude(set->control(operation, number, event));
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  auto* set = dynamic_cast<EpollDescriptor*>(find_descriptor(epoll));
  if (set == nullptr) return PEERSOCK_REAL(epoll_wait)(epoll, events, most, timeout);
  return set->wait({events, static_cast<std::size_t>(most)});
}

}  // extern "C"
