// What is made of a session by what both sides and both local programs saw.
#include "judge.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace peersock::testing {
namespace {

using namespace std::chrono_literals;
using sim::Outcome;
using ::testing::DoubleEq;
using ::testing::ElementsAreArray;
using ::testing::Optional;

constexpr std::uint64_t kOctets = 1000;

/// Of a session in which all went well, until something is changed.
struct Seen {
  Seen() {
    for (auto* record : {&listener, &connector}) {
      record->started = 1s;
      record->authenticated = 2s;
      record->path = PathInfo{};
      record->exit = ExitCode::kDone;
      record->ended = 9s;
    }
    client.began = 3s;
    client.sent = client.received = kOctets;
    client.ended = true;
    client.first_octet = 4s;
    client.last_octet = 5s;
    services = {client};
  }

  void end(sim::PartyRecord& record, ExitCode exit) const {
    record.exit = exit;
    if (exit != ExitCode::kInterrupted) record.failure = Error{};
  }
  /// Neither side has found the other.
  void end_early(ExitCode a, ExitCode b) {
    end(listener, a);
    end(connector, b);
    for (auto* record : {&listener, &connector}) {
      record->authenticated.reset();
      record->path.reset();
    }
    connected = false;
    services.clear();
  }
  /// Of one direction.
  static void break_off(sim::TransferResult& result) {
    result.received = kOctets / 2;
    result.ended = false;
    result.error = ECONNRESET;
  }

  [[nodiscard]] sim::Evidence evidence() const {
    sim::Evidence made{
        kOctets, {"listener", listener}, {"connector", connector}, connected ? &client : nullptr};
    for (const auto& service : services) made.services.push_back(&service);
    return made;
  }

  sim::PartyRecord listener;
  sim::PartyRecord connector;
  bool connected = true;
  sim::TransferResult client;
  std::vector<sim::TransferResult> services;
};

struct Case {
  const char* what;
  void (*change)(Seen& seen);
  Outcome outcome;
  std::vector<std::string> violations{};
};

void expect_all(const std::vector<Case>& cases) {
  for (const auto& [what, change, outcome, violations] : cases) {
    Seen seen;
    change(seen);
    EXPECT_EQ(sim::judge(seen.evidence()), outcome) << what;
    EXPECT_THAT(sim::violations(seen.evidence()), ElementsAreArray(violations)) << what;
  }
}

TEST(Judge, SaysHowASessionThatWasWholeWent) {
  expect_all({
      {"all is well", [](Seen&) {}, Outcome::kDirect},
      {"one side's path is relayed", [](Seen& s) { s.connector.path->relayed = true; },
       Outcome::kRelayed},
      {"so is the other's", [](Seen& s) { s.listener.path->relayed = true; }, Outcome::kRelayed},
      {"a path was never said", [](Seen& s) { s.listener.path.reset(); }, Outcome::kBroken},
      {"nor to the other", [](Seen& s) { s.connector.path.reset(); }, Outcome::kBroken},
      {"both are content, and nobody has connected",
       [](Seen& s) {
         s.connected = false;
         s.services.clear();
       },
       Outcome::kBroken},
      {"no connection has reached the service", [](Seen& s) { s.services.clear(); },
       Outcome::kBroken},
      {"both are content, and the client's connection broke",
       [](Seen& s) { Seen::break_off(s.client); }, Outcome::kBroken},
      {"or the service's", [](Seen& s) { Seen::break_off(s.services.front()); }, Outcome::kBroken},
  });
}

TEST(Judge, KnowsWhereThereIsNoPath) {
  constexpr auto kNoPath = ExitCode::kNoPath;
  constexpr auto kLost = ExitCode::kConnectionLost;
  expect_all({
      {"both have found none", [](Seen& s) { s.end_early(kNoPath, kNoPath); }, Outcome::kNoPath},
      {"the other was told so", [](Seen& s) { s.end_early(kNoPath, kLost); }, Outcome::kNoPath},
      {"the other way round", [](Seen& s) { s.end_early(kLost, kNoPath); }, Outcome::kNoPath},
      {"nobody says that there is none", [](Seen& s) { s.end_early(kLost, kLost); },
       Outcome::kLost},
      {"one ends for another reason", [](Seen& s) { s.end_early(kNoPath, ExitCode::kRendezvous); },
       Outcome::kLost},
      {"there was one, as the proof shows",
       [](Seen& s) {
         s.end_early(kNoPath, kLost);
         s.connector.authenticated = 2s;
       },
       Outcome::kLost},
  });
}

TEST(Judge, TakesAnEndThatBothSidesExplainForLost) {
  constexpr auto kLost = ExitCode::kConnectionLost;
  expect_all({
      {"nobody was told a code",
       [](Seen& s) {
         s.end_early(ExitCode::kRendezvous, ExitCode::kDone);
         s.connector = {};
       },
       Outcome::kLost},
      {"nobody was told the connecting side's code",
       [](Seen& s) {
         s.end_early(ExitCode::kDone, ExitCode::kRendezvous);
         s.listener = {};
       },
       Outcome::kLost},
      {"nobody was told a code, and the first side is content",
       [](Seen& s) {
         s.end_early(ExitCode::kDone, ExitCode::kDone);
         s.connector = {};
       },
       Outcome::kBroken},
      {"both lose touch",
       [](Seen& s) {
         s.end(s.listener, kLost);
         s.end(s.connector, kLost);
         Seen::break_off(s.client);
         Seen::break_off(s.services.front());
       },
       Outcome::kLost},
      {"one is interrupted, the other told",
       [](Seen& s) {
         s.end(s.listener, ExitCode::kInterrupted);
         s.end(s.connector, kLost);
         Seen::break_off(s.client);
         Seen::break_off(s.services.front());
       },
       Outcome::kLost},
      {"one is interrupted when the other is content",
       [](Seen& s) { s.end(s.connector, ExitCode::kInterrupted); }, Outcome::kLost},
      {"the other way round", [](Seen& s) { s.end(s.listener, ExitCode::kInterrupted); },
       Outcome::kLost},
  });
}

// The relaxed rule: the goodbye of one side is lost with the network.
TEST(Judge, AllowsThatTheLastWordIsNotHeard) {
  constexpr auto kLost = ExitCode::kConnectionLost;
  expect_all({
      {"everything has arrived", [](Seen& s) { s.end(s.connector, kLost); }, Outcome::kLost},
      {"the other way round", [](Seen& s) { s.end(s.listener, kLost); }, Outcome::kLost},
      {"the service has not everything",
       [](Seen& s) {
         s.end(s.connector, kLost);
         Seen::break_off(s.services.front());
       },
       Outcome::kBroken},
      {"the client has not everything",
       [](Seen& s) {
         s.end(s.connector, kLost);
         Seen::break_off(s.client);
       },
       Outcome::kBroken},
      {"everything is there but the end of file",
       [](Seen& s) {
         s.end(s.connector, kLost);
         s.client.ended = false;
         s.client.error = ECONNRESET;
       },
       Outcome::kBroken},
      {"it is another sentence than that of a lost connection",
       [](Seen& s) { s.end(s.connector, ExitCode::kRendezvous); }, Outcome::kBroken},
  });
}

TEST(Judge, FindsSidesThatDoNotEndAsTheyHaveTo) {
  expect_all({
      {"the first one does not end",
       [](Seen& s) { s.listener.exit.reset(); },
       Outcome::kBroken,
       {"listener did not end within the bound"}},
      {"the second one does not",
       [](Seen& s) { s.connector.exit.reset(); },
       Outcome::kBroken,
       {"connector did not end within the bound"}},
      {"a failure without a sentence",
       [](Seen& s) {
         s.end_early(ExitCode::kNoPath, ExitCode::kNoPath);
         s.connector.failure.reset();
       },
       Outcome::kNoPath,
       {"connector ended with 6 and said nothing that explains it"}},
      {"an internal failure",
       [](Seen& s) { s.end_early(ExitCode::kInternal, ExitCode::kConnectionLost); },
       Outcome::kLost,
       {"listener ended with 1 and said nothing that explains it"}},
      {"wrong usage, which nobody can have typed here",
       [](Seen& s) { s.end_early(ExitCode::kUsage, ExitCode::kConnectionLost); },
       Outcome::kLost,
       {"listener ended with 2 and said nothing that explains it"}},
      {"a stream before the proof",
       [](Seen& s) { s.connector.opened_too_early = true; },
       Outcome::kDirect,
       {"connector opened a stream before the proof had succeeded"}},
  });
}

TEST(Judge, FindsOctetsThatAreNotWhatWasSent) {
  expect_all({
      {"a wrong one",
       [](Seen& s) { s.client.wrong_at = 7; },
       Outcome::kDirect,
       {"the client got a wrong octet at 7"}},
      {"too many",
       [](Seen& s) { s.services.front().received = kOctets + 1; },
       Outcome::kBroken,
       {"the service got more octets than were sent"}},
      {"an end of file too early",
       [](Seen& s) { s.client.received = kOctets - 1; },
       Outcome::kBroken,
       {"the client got an end of file after 999 of 1000 octets"}},
      {"an end that never comes",
       [](Seen& s) { s.services.front().ended = false; },
       Outcome::kBroken,
       {"the service waits: 1000 of 1000 octets sent, 1000 received"}},
      {"two connections out of one",
       [](Seen& s) { s.services.push_back(s.services.front()); },
       Outcome::kBroken,
       {"one connection reached the service more than once"}},
  });
}

TEST(Judge, TellsTimesOfWhatHasArrived) {
  Seen seen;
  EXPECT_THAT(sim::first_octet_seconds(seen.evidence()), Optional(DoubleEq(3)));
  seen.listener.started = 2s;  // the second one to start, whichever it is
  EXPECT_THAT(sim::first_octet_seconds(seen.evidence()), Optional(DoubleEq(2)));
  seen.services.front().last_octet = 7s;  // the later one counts
  EXPECT_THAT(sim::octets_per_second(seen.evidence()), Optional(DoubleEq(kOctets / 4.0)));
  Seen::break_off(seen.client);
  EXPECT_EQ(sim::octets_per_second(seen.evidence()), std::nullopt);
  EXPECT_THAT(sim::first_octet_seconds(seen.evidence()), Optional(DoubleEq(2)));
  seen.client.first_octet.reset();
  EXPECT_EQ(sim::first_octet_seconds(seen.evidence()), std::nullopt);
}

sim::Report ended(Outcome outcome, std::vector<std::string> violations = {}) {
  sim::Report report;
  report.outcome = outcome;
  report.violations = std::move(violations);
  return report;
}

TEST(Passing, NeedsWhatIsExpectedAndNoViolation) {
  sim::Scenario any;
  any.expected = {};
  EXPECT_TRUE(sim::passed(any, ended(Outcome::kLost)));
  EXPECT_FALSE(sim::passed(any, ended(Outcome::kLost, {"something was wrong"})));
  EXPECT_FALSE(sim::passed(any, ended(Outcome::kBroken)));
  sim::Scenario strict;
  strict.expected = {Outcome::kRelayed, Outcome::kNoPath, Outcome::kBroken};
  EXPECT_TRUE(sim::passed(strict, ended(Outcome::kNoPath)));
  EXPECT_FALSE(sim::passed(strict, ended(Outcome::kDirect)));
  EXPECT_FALSE(sim::passed(strict, ended(Outcome::kBroken)));
}

}  // namespace
}  // namespace peersock::testing
