// One simulation, from an empty world to an empty world.
#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "happenings.hpp"
#include "judge.hpp"
#include "libc/descriptor.hpp"
#include "meeting.hpp"
#include "scenario.hpp"
#include "scenario_words.hpp"
#include "servers.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The servers are there when the first side starts.
constexpr Nanos kStart = milliseconds(100);
/// For the local programs to see the end.
constexpr Nanos kGrace = milliseconds(100);
/// For sockets to be closed and allocations to be given back after the end.
constexpr Nanos kSettle = seconds(60);

double in_seconds(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

SideReport report_of(const PartyRecord& record) {
  SideReport report;
  if (record.exit) report.exit = static_cast<int>(*record.exit);
  if (record.authenticated) report.authenticated = in_seconds(*record.authenticated);
  if (record.ended) report.ended = in_seconds(*record.ended);
  if (record.path) {
    report.path = record.path->local_type + "/" + record.path->remote_type;
    report.split = record.path->split;
  }
  if (record.failure) report.failure = record.failure->message;
  return report;
}

/// Two hosts that meet.
struct Pair {
  Site listener;
  Site connector;
};

/// The first one has the plain names and numbers.
Pair add_pair(World& world, const Scenario& scenario, int number) {
  const std::string suffix = number == 0 ? "" : std::to_string(number + 1);
  return {world.add_site("listener" + suffix, 2 * number + 1, scenario.listener),
          world.add_site("connector" + suffix, 2 * number + 2, scenario.connector)};
}

/// Everything of one simulation. What lives on a host goes before the world does.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const RunOptions& options)
      : scenario_(scenario),
        world_(options.seed, options.pcap_folder),
        servers_(std::make_unique<Servers>(world_, scenario)),
        pairs_(add_pairs(world_, scenario)),
        happenings_(scenario, {world_, *servers_, pairs_.front().listener, pairs_.front().connector,
                               [this](Who who) { meetings_.front()->interrupt(who); }}) {
    for (Pair& pair : pairs_) {
      for (int i = 0; i < scenario.sessions; ++i) add_meeting(pair, i);
    }
    if (options.trace) {
      for (const auto& meeting : meetings_) meeting->trace();
    }
    servers_->start();
    for (const auto& meeting : meetings_) meeting->start_service();
    post(kStart, [this] {
      for (const auto& meeting : meetings_) meeting->start();
    });
  }

  ~Simulation() {
    over_ = true;
    happenings_.close();
    servers_->close();
    for (const auto& meeting : meetings_) meeting->abandon();
    run_until(now() + kSettle);
    meetings_.clear();
    servers_.reset();
    run_until(now() + kSettle);
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  Simulation(Simulation&&) = delete;
  Simulation& operator=(Simulation&&) = delete;

  Report run() {
    run_until(kStart + scenario_.bound);
    const Nanos ended = now();
    if (all_ended()) run_until(ended + kGrace);
    const Meeting& told = *meetings_[most_telling()];
    const Evidence evidence = told.evidence();
    Report report;
    report.virtual_seconds = in_seconds(ended);
    report.listener = report_of(evidence.listener.record);
    report.connector = report_of(evidence.connector.record);
    report.connect_seconds = told.connect_seconds();
    report.digest = world_.digest().value();
    report.first_octet_seconds = first_octet_seconds(evidence);
    report.octets_per_second = octets_per_second(evidence);
    report.outcome = judge(evidence);
    report.violations = all_violations();
    return report;
  }

 private:
  static std::vector<Pair> add_pairs(World& world, const Scenario& scenario) {
    std::vector<Pair> pairs;
    pairs.reserve(static_cast<std::size_t>(scenario.pairs));
    for (int i = 0; i < scenario.pairs; ++i) pairs.push_back(add_pair(world, scenario, i));
    return pairs;
  }

  void add_meeting(Pair& pair, int number) {
    const bool first = meetings_.empty();
    Meeting::Callbacks callbacks;
    callbacks.reached = [this, first](When when) {
      if (first) happenings_.reached(when);
    };
    callbacks.entered = [this, first](const Step& step) {
      if (first) happenings_.entered(step);
    };
    callbacks.ended = [this] { look(); };
    meetings_.push_back(std::make_unique<Meeting>(scenario_, *servers_, *pair.listener.host,
                                                  *pair.connector.host, number,
                                                  std::move(callbacks)));
  }

  [[nodiscard]] bool all_ended() const {
    return std::ranges::all_of(meetings_, [](const auto& meeting) { return meeting->has_ended(); });
  }
  void look() {
    if (over_ || !all_ended()) return;
    over_ = true;
    happenings_.close();
    stop();
  }

  /// The first one that has not ended as expected, or the first one.
  [[nodiscard]] std::size_t most_telling() const {
    const auto& expected = scenario_.expected;
    for (std::size_t i = 0; i < meetings_.size(); ++i) {
      const Outcome outcome = judge(meetings_[i]->evidence());
      const bool fits = expected.empty() ? outcome != Outcome::kBroken
                                         : std::ranges::count(expected, outcome) > 0;
      if (!fits) return i;
    }
    return 0;
  }

  [[nodiscard]] std::vector<std::string> all_violations() const {
    std::vector<std::string> all = happenings_.missed();
    for (std::size_t i = 0; i < meetings_.size(); ++i) {
      for (const auto& one : violations(meetings_[i]->evidence())) {
        all.push_back(meetings_.size() == 1 ? one : fmt::format("session {}: {}", i + 1, one));
      }
    }
    return all;
  }

  const Scenario& scenario_;
  World world_;
  std::unique_ptr<Servers> servers_;
  std::vector<Pair> pairs_;  // of a fixed size
  Happenings happenings_;
  std::vector<std::unique_ptr<Meeting>> meetings_;
  bool over_ = false;
};

}  // namespace

std::string_view to_string(Outcome outcome) {
  return word_for(outcome);
}

Report run(const Scenario& scenario, const RunOptions& options) {
  const auto before = list_descriptors();
  Report report;
  {
    Simulation simulation(scenario, options);
    report = simulation.run();
  }
  // What an earlier run has left is not this one's.
  for (const auto& left : list_descriptors()) {
    if (std::ranges::count(before, left) == 0) {
      report.violations.push_back("a descriptor was left open: " + left);
    }
  }
  return report;
}

bool passed(const Scenario& scenario, const Report& report) {
  if (!report.violations.empty() || report.outcome == Outcome::kBroken) return false;
  const auto& expected = scenario.expected;
  return expected.empty() || std::ranges::find(expected, report.outcome) != expected.end();
}

}  // namespace peersock::sim
