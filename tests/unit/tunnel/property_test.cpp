// Whatever the order in which programs, loops and the network get their turns: every octet arrives
// once and in order, or the connection is reported as broken off.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "rig.hpp"

namespace peersock::tunnel::testing {
namespace {

constexpr int kConnections = 3;

enum class Act : std::uint8_t {
  kSay,
  kEnd,
  kReset,
  kDeaf,
  kListen,
  kFacts,
  kReady,
  kCarry,
};

struct Step {
  Act act = Act::kSay;
  bool near = true;
  int connection = 0;
  std::size_t size = 0;
};

[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{act " << static_cast<int>(step.act) << (step.near ? ", near " : ", far ")
             << step.connection << ", " << step.size << "}";
}

rc::Gen<Step> steps(bool with_breaks) {
  const auto act = with_breaks ? rc::gen::weightedElement<Act>({{10, Act::kSay},
                                                                {2, Act::kEnd},
                                                                {1, Act::kReset},
                                                                {1, Act::kDeaf},
                                                                {10, Act::kListen},
                                                                {20, Act::kFacts},
                                                                {20, Act::kReady},
                                                                {30, Act::kCarry}})
                               : rc::gen::weightedElement<Act>({{10, Act::kSay},
                                                                {1, Act::kEnd},
                                                                {10, Act::kListen},
                                                                {20, Act::kFacts},
                                                                {20, Act::kReady},
                                                                {30, Act::kCarry}});
  return rc::gen::build<Step>(rc::gen::set(&Step::act, act), rc::gen::set(&Step::near),
                              rc::gen::set(&Step::connection, rc::gen::inRange(0, kConnections)),
                              rc::gen::set(&Step::size, rc::gen::inRange<std::size_t>(1, 5000)));
}

FakeQuicLimits any_limits() {
  FakeQuicLimits limits;
  limits.stream_window = *rc::gen::inRange<std::size_t>(1, 4000);
  limits.connection_window = *rc::gen::inRange<std::size_t>(1, 8000);
  limits.send_buffer = *rc::gen::inRange<std::size_t>(1, 4000);
  limits.streams = *rc::gen::inRange<std::uint64_t>(1, kConnections + 1);
  limits.datagram = *rc::gen::inRange<std::size_t>(100, 1500);
  return limits;
}

/// The run of one example.
class Run {
 public:
  Run() : rig_({.single = false, .opener = any_limits(), .acceptor = any_limits()}) {
    rig_.acceptor.target_room = 0;
    for (auto& local : near_) {
      local = std::make_shared<FakeLocal>();
      local->room = 0;
      rig_.opener.accept(local);
    }
  }

  void carry_out(const Step& step) {
    Side& side = step.near ? rig_.opener : rig_.acceptor;
    const ConnectionId id = static_cast<ConnectionId>(step.connection) + 1;
    switch (step.act) {
      case Act::kFacts:
        side.facts();
        return;
      case Act::kReady:
        side.ready(id);
        return;
      case Act::kCarry:
        step.near ? rig_.pair.carry(rig_.pair.client(), rig_.pair.server())
                  : rig_.pair.carry(rig_.pair.server(), rig_.pair.client());
        return;
      default:
        if (side.locals.count(id) != 0) program(step, id, *side.locals.at(id));
    }
  }

  /// Nobody has anything more to say, and everybody listens.
  void end_all() {
    for (int round = 0; round <= kConnections; ++round) {
      for (Side* side : {&rig_.opener, &rig_.acceptor}) {
        for (auto& [id, local] : side->locals) {
          local->ended = true;
          local->room = FakeLocal::kNoLimit;
        }
        side->target_room = FakeLocal::kNoLimit;
      }
      rig_.run();
    }
  }

  void check() {
    for (const auto& [id, near] : rig_.opener.locals) {
      const auto* const near_closed = rig_.opener.closed(id);
      const auto* const far_closed = rig_.acceptor.closed(id);
      RC_ASSERT(static_cast<bool>(near_closed));
      if (rig_.acceptor.locals.count(id) == 0) {
        // Broken off before its header had left.
        RC_ASSERT(near->reset);
        RC_ASSERT(near_closed->reason == CloseReason::kAborted);
        continue;
      }
      RC_ASSERT(static_cast<bool>(far_closed));
      const Local& far = rig_.acceptor.locals.at(id);
      RC_ASSERT(near->closed);
      RC_ASSERT(far->closed);
      check_direction(*near, *far, said_[{true, id}], *near_closed, *far_closed);
      check_direction(*far, *near, said_[{false, id}], *far_closed, *near_closed);
    }
    RC_ASSERT(rig_.pair.client().live_streams() == 0U);
    RC_ASSERT(rig_.pair.server().live_streams() == 0U);
    RC_ASSERT(rig_.opener.misuse().empty());
    RC_ASSERT(rig_.acceptor.misuse().empty());
  }

 private:
  void program(const Step& step, ConnectionId id, FakeLocal& local) {
    const bool silent = local.ended || local.reset;
    if (step.act == Act::kSay && !silent) {
      auto& said = said_[{step.near, id}];
      const std::string more = pattern(step.size, static_cast<std::uint32_t>(said.size()));
      said += more;
      local.input += more;
    }
    if (step.act == Act::kEnd && !silent) local.ended = true;
    if (step.act == Act::kReset && !silent) local.reset = "reset";
    if (step.act == Act::kDeaf) local.deaf = "deaf";
    if (step.act == Act::kListen) local.room += step.size;
  }

  static void check_direction(const FakeLocal& from, const FakeLocal& to, const std::string& said,
                              const event::ConnectionClosed& from_closed,
                              const event::ConnectionClosed& to_closed) {
    RC_ASSERT(said.compare(0, to.output.size(), to.output) == 0);
    RC_ASSERT(to_closed.bytes_received == to.output.size());
    RC_ASSERT(from_closed.bytes_sent <= said.size());
    RC_ASSERT(from_closed.bytes_sent >= to_closed.bytes_received);
    if (to_closed.reason == CloseReason::kFinished) {
      RC_ASSERT(to.output.size() == said.size());
      RC_ASSERT(to.saw_end);
    }
    // A program that broke off is reported as having done so.
    if (from.reset) RC_ASSERT(from_closed.reason != CloseReason::kFinished);
  }

  Rig rig_;
  std::array<Local, kConnections> near_;
  std::map<std::pair<bool, ConnectionId>, std::string> said_;
};

RC_GTEST_PROP(TunnelProperty, EveryOctetArrivesOnceAndInOrder, ()) {
  Run run;
  const auto script = *rc::gen::scale(20, rc::gen::container<std::vector<Step>>(steps(false)));
  for (const Step& step : script) run.carry_out(step);
  run.end_all();
  run.check();
}

RC_GTEST_PROP(TunnelProperty, EveryOctetArrivesOrTheBreakIsReported, ()) {
  Run run;
  const auto script = *rc::gen::scale(20, rc::gen::container<std::vector<Step>>(steps(true)));
  for (const Step& step : script) run.carry_out(step);
  run.end_all();
  run.check();
}

}  // namespace
}  // namespace peersock::tunnel::testing
