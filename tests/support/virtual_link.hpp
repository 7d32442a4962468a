// One direction of a datagram network in virtual time: delay, jitter (and so reordering), loss,
// duplication, all from a seed.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testing {

struct LinkProfile {
  Duration delay = 5ms;
  Duration jitter{};         ///< each datagram takes up to this much longer
  unsigned loss = 0;         ///< of 1,000 datagrams
  unsigned duplication = 0;  ///< of 1,000 datagrams
  /// Octets a second of a bottleneck; 0: none. What finds more than `buffer` octets before it is
  /// lost.
  std::size_t rate = 0;
  std::size_t buffer = 0;
};

class VirtualLink {
 public:
  VirtualLink(const LinkProfile& profile, std::uint64_t seed) : profile_(profile), rng_(seed) {}

  /// Sees, and may change, every datagram that is sent, before the dice are thrown.
  std::function<void(Bytes&)> tap;

  void set_profile(const LinkProfile& profile) { profile_ = profile; }

  void send(ByteView datagram, Instant now) {
    ++sent_;
    Bytes copy(datagram.begin(), datagram.end());
    if (tap) tap(copy);
    if (chance(profile_.loss) || overflows(datagram.size(), now)) return;
    if (chance(profile_.duplication)) inject(copy, arrival(now));
    inject(std::move(copy), arrival(now));
  }

  /// Puts a datagram on the link that nobody sent.
  void inject(Bytes datagram, Instant arrives) { flying_.emplace(arrives, std::move(datagram)); }

  [[nodiscard]] std::optional<Instant> next() const {
    if (flying_.empty()) return std::nullopt;
    return flying_.begin()->first;
  }
  /// A datagram that has arrived, in the order of arrival.
  [[nodiscard]] std::optional<Bytes> receive(Instant now) {
    if (flying_.empty() || flying_.begin()->first > now) return std::nullopt;
    Bytes datagram = std::move(flying_.begin()->second);
    flying_.erase(flying_.begin());
    return datagram;
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  bool chance(unsigned of_thousand) {
    return of_thousand > 0 && random_below(rng_, 1000) < of_thousand;
  }
  /// Queues the datagram at the bottleneck, unless there is no room.
  bool overflows(std::size_t octets, Instant now) {
    if (profile_.rate == 0) return false;
    const auto time_for = [&](std::size_t count) {
      return Duration(static_cast<std::int64_t>(count * 1'000'000'000 / profile_.rate));
    };
    free_ = std::max(free_, now);
    if (free_ - now > time_for(profile_.buffer)) return true;
    free_ += time_for(octets);
    return false;
  }
  Instant arrival(Instant now) {
    const auto jitter = static_cast<std::uint32_t>(profile_.jitter / 1us);
    return std::max(now, free_) + profile_.delay +
           (jitter == 0 ? 0us : random_below(rng_, jitter) * 1us);
  }

  LinkProfile profile_;
  SeededRng rng_;
  Instant free_{};  ///< when the bottleneck will have sent everything
  std::multimap<Instant, Bytes> flying_;
  std::uint64_t sent_ = 0;
};

}  // namespace peersock::testing
