// Two QUIC connections over two virtual links, driven in virtual time to a bounded number of
// steps. Needs virtual_clock.cpp in the executable.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/machine.hpp"
#include "quic/connection.hpp"
#include "support/virtual_clock.hpp"
#include "support/virtual_link.hpp"

namespace peersock::testing {

/// One end: a connection, what it said so far, and the link that it sends on.
struct QuicEnd {
  QuicEnd(const LinkProfile& profile, std::uint64_t seed) : out(profile, seed) {}

  std::unique_ptr<quic::Connection> connection;
  VirtualLink out;
  std::vector<quic::ConnectionFact> facts;
  /// Called for each fact, after it was recorded.
  std::function<void(const quic::ConnectionFact&)> on_fact;

  template <typename Fact>
  [[nodiscard]] const Fact* last() const {
    for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact) {
      if (const auto* found = std::get_if<Fact>(&*fact)) return found;
    }
    return nullptr;
  }
  template <typename Fact>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(facts.begin(), facts.end(), [](const auto& fact) {
      return std::holds_alternative<Fact>(fact);
    }));
  }
};

class QuicPair {
 public:
  static constexpr std::size_t kMaxSteps = 1'000'000;

  QuicPair(const LinkProfile& profile, std::uint64_t seed)
      : client(profile, seed * 2 + 1), server(profile, seed * 2 + 2), buffer_(65'535) {}

  QuicEnd client;
  QuicEnd server;

  /// Facts and datagrams out of both ends until neither has any.
  void settle() {
    for (bool busy = true; busy;) {
      busy = settle(client);
      busy = settle(server) || busy;
    }
  }

  /// Time goes on to the next thing that happens; false when nothing ever will, or not by `end`.
  bool step(Instant end) {
    settle();
    const auto next = earliest(earliest(client.out.next(), server.out.next()),
                               earliest(deadline(client), deadline(server)));
    if (!next || *next > end) return false;
    VirtualClock::advance_to(*next);
    deliver(client.out, server);
    deliver(server.out, client);
    for (QuicEnd* end_point : {&client, &server}) {
      const auto due = deadline(*end_point);
      if (due && *due <= VirtualClock::now())
        end_point->connection->on_deadline(VirtualClock::now());
    }
    settle();
    return true;
  }

  /// Steps until `done()`; false when that takes longer than `limit`, or too many steps.
  template <typename Done>
  [[nodiscard]] bool run_until(Done&& done, Duration limit = 60s) {
    const Instant end = VirtualClock::now() + limit;
    settle();
    for (std::size_t steps = 0; steps < kMaxSteps; ++steps) {
      if (done()) return true;
      if (!step(end)) break;
    }
    return done();
  }

  /// Lets `span` pass.
  void run_for(Duration span) {
    const Instant end = VirtualClock::now() + span;
    for (std::size_t steps = 0; steps < kMaxSteps && step(end); ++steps) {
    }
    VirtualClock::advance_to(end);
  }

 private:
  [[nodiscard]] static std::optional<Instant> deadline(const QuicEnd& end) {
    return end.connection ? end.connection->deadline() : std::nullopt;
  }

  bool settle(QuicEnd& end) {
    if (!end.connection) return false;
    bool busy = false;
    while (auto fact = end.connection->poll_event()) {
      busy = true;
      end.facts.push_back(*fact);
      if (end.on_fact) end.on_fact(*fact);
    }
    for (;;) {
      const auto train = end.connection->transmit(buffer_, VirtualClock::now());
      if (train.bytes.empty()) return busy;
      busy = true;
      quic::for_each_datagram(
          train, [&](ByteView datagram) { end.out.send(datagram, VirtualClock::now()); });
    }
  }

  /// Everything that has arrived, in trains of equal datagrams as a batching socket would.
  static void deliver(VirtualLink& link, QuicEnd& to) {
    Bytes train;
    std::size_t segment = 0;
    const auto flush = [&] {
      if (!train.empty() && to.connection) {
        to.connection->receive({train, segment}, VirtualClock::now());
      }
      train.clear();
    };
    while (auto datagram = link.receive(VirtualClock::now())) {
      if (datagram->size() != segment || train.size() + segment > 65'535) flush();
      segment = datagram->size();
      train.insert(train.end(), datagram->begin(), datagram->end());
    }
    flush();
  }

  Bytes buffer_;
};

}  // namespace peersock::testing
