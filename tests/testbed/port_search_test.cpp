// The search for a port (src/ice/port_search) between two machines behind two NAT engines, in
// virtual time: every datagram goes through both engines, offers go by a channel of their own.
#include "ice/port_search.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "nat_config.hpp"
#include "nat_engine.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;
using namespace ice;  // NOLINT(google-build-using-namespace)

constexpr std::uint32_t first_server = 0xc000020a, second_server = 0xc000020b;
constexpr Duration one_way = 20ms, control_way = 60ms;

Endpoint endpoint_of(const wire::StunAddress& address) {
  in_addr parsed{};
  EXPECT_EQ(inet_pton(AF_INET, address.address.c_str(), &parsed), 1);
  return {ntohl(parsed.s_addr), address.port};
}

wire::StunAddress address_of(const Endpoint& endpoint) {
  std::array<char, INET_ADDRSTRLEN> text{};
  const in_addr raw{htonl(endpoint.address)};
  EXPECT_NE(inet_ntop(AF_INET, &raw, text.data(), text.size()), nullptr);
  return {text.data(), endpoint.port};
}

struct Datagram {
  enum class Kind : std::uint8_t { kCheck, kAnswer } kind = Kind::kCheck;
  wire::StunTransaction transaction{};
  bool nominates = false;
};

class World;

class Side {
 public:
  Side(World& world, const NatConfig& nat, std::uint32_t inside, std::uint64_t seed,
       std::vector<std::uint32_t> servers);

  void post(PortSearchInput input);
  // A datagram for this side's network has come from outside.
  void arrive(const Endpoint& from, const Endpoint& to, const Datagram& datagram);

  World& world;
  NatEngine nat;
  std::uint32_t inside;
  testing::SeededRng rng;
  PortSearch machine;
  Side* peer = nullptr;
  std::vector<std::uint16_t> ports;
  std::size_t checks = 0;
  std::optional<std::pair<SocketIndex, Endpoint>> path;
  Duration found_after{};
  bool gave_up = false, left = false, dead = false;

 private:
  void perform(const OpenSockets& wanted);
  void perform(const AskServer& question);
  void perform(const SendOffer& offer);
  void perform(const SendCheck& check);
  void perform(const SendAnswer& answer);
  void perform(const UseSocket& use);
  void perform(const LeavePath&) { left = true; }
  void perform(const GiveUp&) { gave_up = true; }
  void send(SocketIndex socket, const wire::StunAddress& to, const Datagram& datagram);
};

class World {
 public:
  void after(Duration delay, std::function<void()> what) {
    calls_.emplace(now + delay, std::move(what));
  }
  void run(Duration limit, std::vector<Side*> sides) {
    const Instant end = now + limit;
    while (now < end) {
      Instant next = end;
      if (!calls_.empty()) next = std::min(next, calls_.begin()->first);
      for (const Side* side : sides) next = std::min(next, side->machine.deadline().value_or(end));
      now = std::max(now, next);
      for (Side* side : sides) {
        if (side->machine.deadline().value_or(end) <= now) side->post(DeadlineReached{});
      }
      while (!calls_.empty() && calls_.begin()->first <= now) {
        const auto call = std::move(calls_.begin()->second);
        calls_.erase(calls_.begin());
        call();
      }
      ASSERT_LT(++steps_, 200'000) << "it never comes to an end";
    }
  }
  [[nodiscard]] bool lost() { return loss > 0 && random_below(rng_, 1000) < loss; }

  Instant now = Instant{} + 1h;
  std::uint32_t loss = 0;  // of a thousand datagrams

 private:
  std::multimap<Instant, std::function<void()>> calls_;
  testing::SeededRng rng_{99};
  int steps_ = 0;
};

Time engine_time(Instant now) {
  return std::chrono::duration_cast<Time>(now.time_since_epoch());
}

PortSearchConfig search_config(const std::vector<std::uint32_t>& servers) {
  PortSearchConfig config;
  for (const std::uint32_t server : servers) config.servers.push_back(address_of({server, 3478}));
  return config;
}

Side::Side(World& w, const NatConfig& config, std::uint32_t address, std::uint64_t seed,
           std::vector<std::uint32_t> servers)
    : world(w),
      nat(config, seed),
      inside(address),
      rng(seed),
      machine(search_config(servers), rng) {}

void Side::post(PortSearchInput input) {
  for (auto& output : machine.handle(std::move(input), world.now)) {
    std::visit([this](auto& held) { perform(held); }, output);
  }
}

void Side::perform(const OpenSockets& wanted) {
  std::vector<std::uint16_t> made;
  for (std::size_t i = 0; i < wanted.count; ++i) {
    made.push_back(static_cast<std::uint16_t>(30000 + 7 * ports.size()));
    ports.push_back(made.back());
  }
  world.after(0s, [this, made] { post(SocketsOpened{made}); });
}

void Side::perform(const AskServer& question) {
  const Endpoint server = endpoint_of(question.server);
  const Endpoint own{inside, ports.at(question.socket)};
  const auto out = nat.outbound(Protocol::Udp, {own, server}, engine_time(world.now));
  ASSERT_TRUE(out);
  world.after(2 * one_way, [this, question, mapped = out->flow.source] {
    post(ServerAnswered{question.socket, question.server, address_of(mapped), {}});
  });
}

void Side::perform(const SendOffer& offer) {
  const auto octets = wire::encode(offer.offer);
  world.after(control_way, [this, octets] {
    const auto read = wire::parse_port_offer(octets);
    ASSERT_TRUE(read);
    peer->post(PeerOffered{*read});
  });
}

void Side::perform(const SendCheck& check) {
  ++checks;
  Datagram datagram;
  datagram.nominates = check.nominates;
  send(check.socket, check.destination, datagram);
}

void Side::perform(const SendAnswer& answer) {
  send(answer.socket, answer.destination, {Datagram::Kind::kAnswer, answer.transaction, false});
}

void Side::perform(const UseSocket& use) {
  path = {use.socket, endpoint_of(use.remote)};
  found_after = world.now - (Instant{} + 1h);
}

void Side::send(SocketIndex socket, const wire::StunAddress& to, const Datagram& datagram) {
  const Endpoint own{inside, ports.at(socket)};
  const auto out = nat.outbound(Protocol::Udp, {own, endpoint_of(to)}, engine_time(world.now));
  if (!out || dead || world.lost()) return;
  world.after(one_way, [this, flow = out->flow, datagram] {
    if (!dead) peer->arrive(flow.source, flow.destination, datagram);
  });
}

void Side::arrive(const Endpoint& from, const Endpoint& to, const Datagram& datagram) {
  if (!nat.is_external(to.address)) return;
  const auto in = nat.inbound(Protocol::Udp, {from, to}, engine_time(world.now));
  if (!in) return;
  const auto socket = std::find(ports.begin(), ports.end(), in->destination.port);
  if (socket == ports.end()) return;
  const auto index = static_cast<SocketIndex>(socket - ports.begin());
  if (datagram.kind == Datagram::Kind::kCheck) {
    post(CheckReceived{index, address_of(from), datagram.transaction, datagram.nominates});
  } else {
    post(AnswerReceived{index, address_of(from)});
  }
}

struct Pair {
  explicit Pair(const NatConfig& hard, const NatConfig& easy, std::uint64_t seed = 1,
                std::vector<std::uint32_t> servers = {first_server, second_server})
      : a(world, hard, 0x0a000002, 2 * seed, servers),
        b(world, easy, 0x0a000102, 2 * seed + 1, servers) {
    a.peer = &b;
    b.peer = &a;
  }
  void run(Duration limit = 40s) {
    for (Side* side : {&a, &b}) {
      side->post(PathChanged{true});
      side->post(SessionOpened{});
    }
    go_on(limit);
  }
  void go_on(Duration limit) { world.run(limit, {&a, &b}); }
  // Both use the same pair of sockets: what each one sends reaches the other's.
  [[nodiscard]] bool joined() const { return a.path && b.path && !a.left && !b.left; }

  World world;
  Side a;
  Side b;
};

constexpr auto EIM = Dependence::Independent, ADM = Dependence::Address,
               APDM = Dependence::AddressAndPort, ADF = Dependence::Address,
               APDF = Dependence::AddressAndPort;
constexpr std::uint32_t left_outside = 0xc6336410, right_outside = 0xc6336420;

struct Case {
  std::string name;
  Dependence mapping;
  Ports ports;
  Dependence easy_filtering;
  int least_of_a_hundred;
  Duration most_time;  // on average, of the successful ones, from the opening of the session
};

class PortSearchPairs : public ::testing::TestWithParam<Case> {};

TEST_P(PortSearchPairs, MeetAsOftenAsIsWrittenDown) {
  constexpr int seeds = 60;
  int met = 0;
  Duration time{};
  for (int seed = 0; seed < seeds; ++seed) {
    Pair pair(nat(GetParam().mapping, APDF, GetParam().ports, left_outside),
              nat(EIM, GetParam().easy_filtering, Ports::Preserved, right_outside),
              static_cast<std::uint64_t>(seed));
    pair.run(20s);
    EXPECT_LE(pair.b.checks, kMaxProbes + 40);
    EXPECT_LE(pair.a.checks, kOpeningRounds * kSpreadSockets + 40);
    if (!pair.joined()) continue;
    ++met;
    time += pair.a.found_after;
  }
  if (met > 0) {
    time /= met;
  }
  std::cout << GetParam().name << ": " << 100.0 * met / seeds << " %, "
            << std::chrono::duration_cast<std::chrono::milliseconds>(time).count() << " ms\n";
  EXPECT_GE(100 * met, GetParam().least_of_a_hundred * seeds);
  EXPECT_LE(time, GetParam().most_time);
}

INSTANTIATE_TEST_SUITE_P(
    All, PortSearchPairs,
    ::testing::Values(Case{"apdm_preserved_apdf", APDM, Ports::Preserved, APDF, 100, 2700ms},
                      Case{"adm_preserved_apdf", ADM, Ports::Preserved, APDF, 100, 2700ms},
                      Case{"apdm_sequential_apdf", APDM, Ports::Sequential, APDF, 100, 2700ms},
                      Case{"adm_sequential_apdf", ADM, Ports::Sequential, APDF, 100, 2700ms},
                      Case{"apdm_random_apdf", APDM, Ports::Random, APDF, 93, 7s},
                      Case{"adm_random_apdf", ADM, Ports::Random, APDF, 93, 7s},
                      Case{"apdm_random_adf", APDM, Ports::Random, ADF, 100, 2700ms}),
    [](const auto& given) { return given.param.name; });

NatConfig hard_nat(Ports ports = Ports::Sequential) {
  return nat(APDM, APDF, ports, left_outside);
}
NatConfig easy_nat() {
  return nat(EIM, APDF, Ports::Preserved, right_outside);
}

TEST(PortSearchWorld, WhatIsFoundLastsAsLongAsTheNatsDo) {
  Pair pair(hard_nat(), easy_nat());
  pair.run(300s);
  EXPECT_TRUE(pair.joined());
}

TEST(PortSearchWorld, APathThatBreaksIsLeftByBoth) {
  Pair pair(hard_nat(), easy_nat());
  pair.run(20s);
  ASSERT_TRUE(pair.joined());
  pair.a.nat.reboot();
  pair.a.dead = pair.b.dead = true;
  pair.go_on(kPathLimit + 2s);
  EXPECT_TRUE(pair.a.left && pair.b.left);
  EXPECT_EQ(pair.a.machine.deadline(), std::nullopt);
}

TEST(PortSearchWorld, LossCostsTimeOnly) {
  Pair pair(hard_nat(Ports::Random), easy_nat(), 3);
  pair.world.loss = 100;
  pair.run(60s);
  EXPECT_TRUE(pair.joined());
}

TEST(PortSearchWorld, WhereNeitherKnowsWhoIsHardBothTryBoth) {
  Pair pair(hard_nat(), easy_nat(), 1, {first_server});
  pair.run(20s);
  EXPECT_TRUE(pair.joined());
  EXPECT_EQ(pair.b.path->first, kMainSocket) << "the easy side's probe";
}

TEST(PortSearchWorld, TwoHardOnesDoNotTry) {
  Pair pair(hard_nat(), nat(APDM, APDF, Ports::Random, right_outside));
  pair.run(20s);
  EXPECT_TRUE(pair.a.gave_up && pair.b.gave_up);
  EXPECT_EQ(pair.a.checks + pair.b.checks, 0U);
}

TEST(PortSearchWorld, TwoEasyOnesDoNotTry) {
  Pair pair(nat(EIM, APDF, Ports::Random, left_outside), easy_nat());
  pair.run(20s);
  EXPECT_TRUE(pair.a.gave_up && pair.b.gave_up);
  EXPECT_EQ(pair.a.checks + pair.b.checks, 0U);
}

TEST(PortSearchWorld, WithoutServersThereIsNoSearch) {
  Pair pair(hard_nat(), easy_nat(), 1, {});
  pair.run(20s);
  EXPECT_TRUE(pair.a.gave_up && pair.b.gave_up);
}

TEST(PortSearchWorld, ADirectPathEndsTheSearch) {
  Pair pair(hard_nat(Ports::Random), easy_nat());
  pair.run(3s);
  ASSERT_EQ(pair.b.machine.state_name(), "Searching");
  const std::size_t before = pair.b.checks;
  for (Side* side : {&pair.a, &pair.b}) side->post(PathChanged{false});
  pair.go_on(5s);
  EXPECT_TRUE(pair.a.gave_up && pair.b.gave_up);
  EXPECT_EQ(pair.b.checks, before);
}

TEST(PortSearchWorld, APeerThatNeverOffersIsNotWaitedForForEver) {
  Pair pair(hard_nat(), easy_nat());
  pair.a.post(PathChanged{true});
  pair.a.post(SessionOpened{});
  pair.go_on(20s);
  EXPECT_TRUE(pair.a.gave_up);
  EXPECT_EQ(pair.a.checks, 0U);
}

}  // namespace
}  // namespace peersock::testbed
