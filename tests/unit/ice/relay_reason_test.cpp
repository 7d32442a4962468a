#include "ice/relay_reason.hpp"

#include <functional>
#include <ostream>
#include <set>

#include <gtest/gtest.h>

namespace peersock::ice {
namespace {

using wire::Candidate;
using wire::CandidateType;
using Candidates = std::vector<Candidate>;

Candidate host(const char* address) {
  Candidate made;
  made.foundation = "1";
  made.priority = 1;
  made.address = address;
  made.port = 4000;
  return made;
}

Candidate reflexive(const char* address, std::uint16_t port, std::uint16_t base_port = 4000) {
  Candidate made = host(address);
  made.type = CandidateType::kServerReflexive;
  made.port = port;
  made.related_address = "10.0.0.2";
  made.related_port = base_port;
  return made;
}

Candidate relay() {
  Candidate made = host("192.0.2.11");
  made.type = CandidateType::kRelayed;
  return made;
}

/// As a check has shown it, of the same base.
Candidate seen(const char* address, std::uint16_t port) {
  Candidate made = reflexive(address, port);
  made.type = CandidateType::kPeerReflexive;
  return made;
}

Candidate seen_of_unknown_base(const char* address, std::uint16_t port) {
  Candidate made = seen(address, port);
  made.related_address.reset();
  made.related_port.reset();
  return made;
}

const Candidates kNatted{host("10.0.0.2"), reflexive("198.51.100.1", 4000), relay()};
const Candidates kDependent{host("10.0.0.2"), reflexive("198.51.100.1", 4000),
                            reflexive("198.51.100.1", 4001), relay()};
const Candidates kUnseen{host("10.0.0.2"), host("fd00::2"), relay()};

struct Case {
  const char* name;
  RelayFacts facts;
  RelayReason reason;
};

std::ostream& operator<<(std::ostream& out, const Case& each) {
  return out << each.name;
}

/// Both sides have told everything, and all is checked.
RelayFacts over(Candidates own, Candidates peers, Candidates own_seen = {},
                Candidates peers_seen = {}) {
  return {.own = std::move(own),
          .peers = std::move(peers),
          .own_seen = std::move(own_seen),
          .peers_seen = std::move(peers_seen),
          .own_ended = true,
          .peers_ended = true,
          .checks_over = true};
}

RelayFacts with(RelayFacts facts, const std::function<void(RelayFacts&)>& change) {
  change(facts);
  return facts;
}

class Reasons : public ::testing::TestWithParam<Case> {};

TEST_P(Reasons, AreFoundInWhatIsKnown) {
  EXPECT_EQ(to_string(relay_reason(GetParam().facts)), to_string(GetParam().reason));
}

std::vector<Case> cases() {
  const Candidate other = seen("198.51.100.1", 4077);
  const Candidate unknown = seen_of_unknown_base("198.51.100.1", 4077);
  const Candidates two_hosts{host("10.0.0.2"), host("192.168.50.1"),
                             reflexive("198.51.100.1", 4000), relay()};
  const auto still = [](RelayFacts& facts) { facts.checks_over = false; };
  return {
      {"NothingYet", {}, RelayReason::kStillChecking},
      {"RelayOnlyHere",
       with(over(kNatted, kNatted), [](auto& f) { f.policy = RelayPolicy::kOnly; }),
       RelayReason::kRelayOnlyHere},
      {"RelayOnlyThere", over(kNatted, {relay()}), RelayReason::kRelayOnlyThere},
      {"RelayFirstThere",
       with(over(kNatted, {relay()}), [](auto& f) { f.peers_ended = f.checks_over = false; }),
       RelayReason::kStillChecking},
      {"NoCommonFamily", over(kNatted, {host("2001:db8::2"), relay()}),
       RelayReason::kNoCommonFamily},
      {"UdpBlockedHere", over(kUnseen, kNatted), RelayReason::kUdpBlockedHere},
      {"UdpBlockedHereIsNotKnownBeforeTheEnd",
       with(over(kUnseen, kNatted), [](auto& f) { f.own_ended = f.checks_over = false; }),
       RelayReason::kStillChecking},
      {"StunIsSilentButUdpGetsOut", over(kUnseen, kNatted, {other}),
       RelayReason::kNoPublicAddressHere},
      {"NoStunHere", with(over(kUnseen, kNatted), [](auto& f) { f.has_stun = false; }),
       RelayReason::kNoPublicAddressHere},
      {"NoPublicAddressThere", over(kNatted, kUnseen), RelayReason::kNoPublicAddressThere},
      {"PublicHostsNeedNoStun",
       over({host("198.51.100.9")}, {host("2001:db8::1"), host("1.2.3.4")}),
       RelayReason::kChecksUnanswered},
      {"BothNatsDependent", over(kDependent, kDependent), RelayReason::kBothNatsDependent},
      {"BothNatsDependentIsKnownAtOnce", with(over(kDependent, kDependent), still),
       RelayReason::kBothNatsDependent},
      {"NatHereDependent", over(kDependent, kNatted), RelayReason::kNatHereDependent},
      {"OneDependentNatMayBeLetIn", with(over(kDependent, kNatted), still),
       RelayReason::kStillChecking},
      {"NatThereDependent", over(kNatted, kDependent), RelayReason::kNatThereDependent},
      {"ACheckShowsTheNatHere", over(kNatted, kNatted, {other}), RelayReason::kNatHereDependent},
      {"ACheckShowsTheNatThere", over(kNatted, kNatted, {}, {unknown}),
       RelayReason::kNatThereDependent},
      {"ChecksShowBoth", over(kNatted, kNatted, {other}, {unknown}),
       RelayReason::kBothNatsDependent},
      {"ACheckShowsWhatStunHasShown",
       over(kNatted, kNatted, {}, {seen_of_unknown_base("198.51.100.1", 4000)}),
       RelayReason::kChecksUnanswered},
      {"ACheckFromTheRelayShowsNothing",
       over(kNatted, kNatted, {}, {seen_of_unknown_base("192.0.2.11", 4000)}),
       RelayReason::kChecksUnanswered},
      {"ACheckOfOneOfTwoBasesShowsNothing", over(kNatted, two_hosts, {}, {unknown}),
       RelayReason::kChecksUnanswered},
      {"ACheckOfAKnownBaseShowsTheNat", over(two_hosts, kNatted, {other}),
       RelayReason::kNatHereDependent},
      {"AnotherFamilyShowsNothing", over(kNatted, kNatted, {seen("2001:db8::1", 4077)}),
       RelayReason::kChecksUnanswered},
      {"TwoBasesShowNothing",
       over({reflexive("198.51.100.1", 4000), reflexive("198.51.100.1", 4001, 4001)}, kNatted),
       RelayReason::kChecksUnanswered},
      {"ChecksUnansweredButMoreMayCome",
       with(over(kNatted, kNatted), [](auto& f) { f.peers_ended = false; }),
       RelayReason::kStillChecking},
      {"ChecksUnanswered", over(kNatted, kNatted), RelayReason::kChecksUnanswered},
  };
}

INSTANTIATE_TEST_SUITE_P(All, Reasons, ::testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Reasons, HaveAWordAndASentenceEach) {
  std::set<std::string_view> words;
  for (int i = 1; i <= static_cast<int>(RelayReason::kChecksUnanswered); ++i) {
    const auto reason = static_cast<RelayReason>(i);
    EXPECT_TRUE(words.insert(to_string(reason)).second) << i;
    EXPECT_FALSE(text_of(reason).empty()) << i;
  }
  EXPECT_EQ(to_string(RelayReason::kNone), "");
}

}  // namespace
}  // namespace peersock::ice
