#include "programs/octet_relay.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace peersock::sim {

OctetRelay::OctetRelay(GMainContext* context, adapters::UniqueFd first, adapters::UniqueFd second,
                       std::function<void()> over)
    : first_(std::move(first)),
      second_(std::move(second)),
      over_(std::move(over)),
      there_{first_.get(), second_.get(), {}},
      back_{second_.get(), first_.get(), {}},
      first_watch_(context, first_.get(), [this](bool, bool) { step(); }),
      second_watch_(context, second_.get(), [this](bool, bool) { step(); }) {
  first_watch_.watch(true, false);
  second_watch_.watch(true, false);
}

void OctetRelay::step() {
  const bool works = carry(there_) && carry(back_);
  if (!works || (there_.ended && back_.ended)) {
    first_watch_.watch(false, false);
    second_watch_.watch(false, false);
    const auto over = over_;
    return over();
  }
  const auto reads = [](const Way& way) { return way.waiting.empty() && !way.ended; };
  first_watch_.watch(reads(there_), !back_.waiting.empty());
  second_watch_.watch(reads(back_), !there_.waiting.empty());
}

/// Nothing more is read before it has been passed on.
bool OctetRelay::carry(Way& way) {
  std::array<std::uint8_t, 16384> octets{};
  for (;;) {
    if (!empty(way)) return false;
    if (!way.waiting.empty() || way.ended) return true;
    const ssize_t got = recv(way.from, octets.data(), octets.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) {
      way.ended = true;
      (void)shutdown(way.to, SHUT_WR);
      return true;
    }
    way.waiting.assign(octets.begin(), octets.begin() + got);
  }
}

bool OctetRelay::empty(Way& way) {
  while (!way.waiting.empty()) {
    const ssize_t taken =
        send(way.to, way.waiting.data(), way.waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) return errno == EAGAIN;
    way.waiting.erase(way.waiting.begin(), way.waiting.begin() + taken);
  }
  return true;
}

}  // namespace peersock::sim
