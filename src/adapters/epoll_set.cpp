#include "adapters/epoll_set.hpp"

#include <array>
#include <utility>

#include <sys/epoll.h>

namespace peersock::adapters {
namespace {

/// Descriptors that are served before other sources of the loop have their turn.
constexpr int kPerTurn = 64;

}  // namespace

EpollSet::EpollSet(GMainContext* context, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      ready_(context, [this] { turn(); }) {
  if (epoll_) ready_.watch(epoll_.get(), G_IO_IN);
}

bool EpollSet::add(int fd, Token token) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = token;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollSet::want_write(int fd, Token token, bool wanted) {
  epoll_event event{};
  event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = token;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EpollSet::turn() {
  std::array<epoll_event, kPerTurn> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), kPerTurn, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    const bool writable = (event.events & EPOLLOUT) != 0;
    callbacks_.ready(event.data.u64, event.events != EPOLLOUT, writable);
  }
  callbacks_.turn_ended();
}

}  // namespace peersock::adapters
