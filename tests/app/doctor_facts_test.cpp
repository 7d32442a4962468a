#include "app/doctor_facts.hpp"

#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using ice::RelayPolicy;
using ice::nat::Filtering;
using ice::nat::Mapping;

ice::nat::Report seen(Mapping mapping, Filtering filtering) {
  ice::nat::Report report;
  report.mapped = wire::StunAddress{"198.51.100.9", 40000};
  report.mapping = mapping;
  report.filtering = filtering;
  return report;
}

DoctorServer server(ServerKind kind, bool works) {
  return {kind, "x", works ? std::optional<Duration>(1ms) : std::nullopt, works ? "" : "silent"};
}

/// With everything in order, behind a port-restricted NAT.
Diagnosis healthy() {
  Diagnosis diagnosis;
  diagnosis.has_network = true;
  diagnosis.servers = {server(ServerKind::kRendezvous, true), server(ServerKind::kStun, true),
                       server(ServerKind::kTurn, true)};
  diagnosis.nats = {
      {false, seen(Mapping::kEndpointIndependent, Filtering::kAddressAndPortDependent), ""},
      {true, {}, "no answer came in time"}};
  return diagnosis;
}

/// d(irect), r(elay), s(earch), - none, ? unknown, for each peer in order.
std::string ways(const Diagnosis& diagnosis) {
  std::string found;
  for (const DoctorPeer& peer : peers_of(diagnosis)) {
    found += std::string("drs-?").at(static_cast<std::size_t>(peer.way));
  }
  return found;
}

std::optional<ErrorKind> verdict(const Diagnosis& diagnosis) {
  const auto error = verdict_on(diagnosis);
  return error ? std::optional(error->kind) : std::nullopt;
}

TEST(DoctorFacts, WhatCannotGoDirectAtOnceBeginsOnTheRelay) {
  const Diagnosis diagnosis = healthy();
  const auto peers = peers_of(diagnosis);
  ASSERT_EQ(peers.size(), 6U);
  EXPECT_EQ(peers[0].kind, std::nullopt);
  EXPECT_EQ(peers[5].kind, ice::nat::PeerKind::kSymmetric);
  EXPECT_EQ(ways(diagnosis), "ddddds");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
}

TEST(DoctorFacts, WhereNoPortIsSearchedForTheRelayIsAllThereIs) {
  Diagnosis diagnosis = healthy();
  diagnosis.port_search = false;
  EXPECT_EQ(ways(diagnosis), "dddddr");
  diagnosis = healthy();
  diagnosis.nats[0].report =
      seen(Mapping::kAddressAndPortDependent, Filtering::kAddressAndPortDependent);
  EXPECT_EQ(ways(diagnosis), "ddddsr");
}

TEST(DoctorFacts, WithoutARelaySomePeersCannotBeReached) {
  Diagnosis diagnosis = healthy();
  diagnosis.servers[2] = server(ServerKind::kTurn, false);
  EXPECT_EQ(ways(diagnosis), "ddddd-");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
}

TEST(DoctorFacts, WhatIsNotKnownIsNotClaimed) {
  Diagnosis diagnosis = healthy();
  diagnosis.nats[0].report = seen(Mapping::kUnknown, Filtering::kUnknown);
  EXPECT_EQ(ways(diagnosis), "dddd??");
}

TEST(DoctorFacts, TheOtherFamilyCountsWhenTheFirstOneIsSilent) {
  Diagnosis diagnosis = healthy();
  std::swap(diagnosis.nats[0].report, diagnosis.nats[1].report);
  EXPECT_EQ(ways(diagnosis), "ddddds");
}

TEST(DoctorFacts, ARelayAloneIsAWay) {
  Diagnosis diagnosis = healthy();
  diagnosis.nats[0].report = {};
  EXPECT_EQ(ways(diagnosis), "drrrrr");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
}

TEST(DoctorFacts, NeitherStunNorTurnIsNoPath) {
  Diagnosis diagnosis = healthy();
  diagnosis.nats[0].report = {};
  diagnosis.servers[2] = server(ServerKind::kTurn, false);
  EXPECT_EQ(ways(diagnosis), "d-----");
  EXPECT_EQ(verdict(diagnosis), ErrorKind::kNoPath);
}

/// Behind a firewall that lets TCP through, and no UDP.
Diagnosis without_udp() {
  Diagnosis diagnosis = healthy();
  diagnosis.nats[0].report = {};
  diagnosis.servers[0].shows_open_tcp = true;
  return diagnosis;
}

TEST(DoctorFacts, APeerWithoutANatIsReachedOverTcp) {
  Diagnosis diagnosis = without_udp();
  EXPECT_EQ(ways(diagnosis), "ddrrrr");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
  diagnosis.servers[2] = server(ServerKind::kTurn, false);
  EXPECT_EQ(ways(diagnosis), "dd----");
  EXPECT_EQ(verdict(diagnosis), ErrorKind::kNoPath);
  EXPECT_NE(verdict_on(diagnosis)->message.find("only those without a NAT"), std::string::npos);
}

TEST(DoctorFacts, TcpTellsNothingWithoutAnAnswer) {
  Diagnosis diagnosis = without_udp();
  diagnosis.servers[0] = server(ServerKind::kRendezvous, false);
  diagnosis.servers[0].shows_open_tcp = true;
  EXPECT_EQ(ways(diagnosis), "drrrrr");
}

TEST(DoctorFacts, WhereOnlyTheRelayIsAllowedTcpIsNoWay) {
  Diagnosis diagnosis = without_udp();
  diagnosis.relay = RelayPolicy::kOnly;
  EXPECT_EQ(ways(diagnosis), "rrrrr");
}

TEST(DoctorFacts, TcpIsOpenWhereNoExceptionWasMade) {
  EXPECT_TRUE(shows_open_tcp("198.51.100.1", 4000));
  EXPECT_TRUE(shows_open_tcp("2001:db8::1", 3478));
  EXPECT_TRUE(shows_open_tcp("relay.example", 4000));
  EXPECT_FALSE(shows_open_tcp("198.51.100.1", 443)) << "what every firewall lets through";
  EXPECT_FALSE(shows_open_tcp("relay.example", 80));
  for (const char* inside : {"127.0.0.1", "::1", "localhost", "192.168.1.1", "fd00::1"}) {
    EXPECT_FALSE(shows_open_tcp(inside, 4000)) << inside;
  }
}

TEST(DoctorFacts, TheRelayPolicyIsHeeded) {
  Diagnosis diagnosis = healthy();
  diagnosis.relay = RelayPolicy::kOnly;
  EXPECT_EQ(ways(diagnosis), "rrrrr");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
  diagnosis.servers[2] = server(ServerKind::kTurn, false);
  EXPECT_EQ(verdict(diagnosis), ErrorKind::kNoPath);
  diagnosis = healthy();
  diagnosis.relay = RelayPolicy::kNever;
  EXPECT_EQ(ways(diagnosis), "ddddd-");
}

TEST(DoctorFacts, WhoAsksNobodyKnowsTheOwnNetworkOnly) {
  Diagnosis diagnosis = healthy();
  diagnosis.servers.resize(1);
  diagnosis.nats.clear();
  EXPECT_EQ(ways(diagnosis), "d");
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
  diagnosis.has_network = false;
  EXPECT_EQ(ways(diagnosis), "");
  EXPECT_EQ(verdict(diagnosis), ErrorKind::kNoPath);
}

TEST(DoctorFacts, OneRendezvousServerIsEnough) {
  Diagnosis diagnosis = healthy();
  diagnosis.servers[0] = server(ServerKind::kRendezvous, false);
  EXPECT_EQ(verdict(diagnosis), ErrorKind::kRendezvousUnreachable);
  diagnosis.servers.push_back(server(ServerKind::kRendezvous, true));
  EXPECT_EQ(verdict(diagnosis), std::nullopt);
}

}  // namespace
}  // namespace peersock::app
