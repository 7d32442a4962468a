// Several rendezvous servers: which one the code is made on, and when another one is tried.
#include "wormhole/client_servers.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"

namespace peersock::wormhole {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kFirst = "ws://first.test/v1";
constexpr auto kSecond = "ws://second.test/v1";
constexpr auto kThird = "ws://third.test/v1";
const std::vector<std::string> kTwo{kFirst, kSecond};
const std::vector<std::string> kThree{kFirst, kSecond, kThird};
constexpr Duration kServerTimeout = 6s;
constexpr Duration kTimeout = 20s;

/// A client that is about to make a code.
struct Maker : Driver {
  explicit Maker(std::vector<std::string> servers = kTwo)
      : Driver(std::nullopt, std::move(servers)) {
    start();
  }
};

/// Whether it has just started another attempt.
bool opened_link(Driver& d) {
  const auto did = d.take();
  return std::ranges::find(did, "OpenLink") != did.end();
}

// ---- the list ----

TEST(ClientServers, GoesThroughTheListAndRoundAgain) {
  ClientServers servers(kThree, 1);
  EXPECT_EQ(servers.number(), 1U);
  EXPECT_EQ(servers.move_on("a", false), ClientServers::Next::kServer);
  EXPECT_EQ(servers.move_on("b", true), ClientServers::Next::kServer);
  EXPECT_EQ(servers.url(), kThird);
  EXPECT_TRUE(servers.first_round());
  EXPECT_EQ(servers.move_on("c", false), ClientServers::Next::kRound);
  EXPECT_FALSE(servers.first_round());
  EXPECT_EQ(servers.number(), 1U);
  EXPECT_EQ(servers.move_on("d", false), ClientServers::Next::kServer);
  EXPECT_EQ(servers.url(), kThird) << "the second one has refused";
  EXPECT_EQ(servers.move_on("e", true), ClientServers::Next::kRound);
  EXPECT_EQ(servers.move_on("f", true), ClientServers::Next::kNone);
  EXPECT_EQ(servers.all().at(0).reason, "f");
  EXPECT_EQ(servers.all().at(1).reason, "b");
}

TEST(ClientServers, IsNeverWithoutAServer) {
  EXPECT_EQ(ClientServers({}, 1).url(), "");
  EXPECT_EQ(ClientServers(kTwo, 0).url(), kFirst);
  EXPECT_EQ(ClientServers(kTwo, 3).url(), kSecond);
}

// ---- the maker of a code ----

TEST(ClientFailover, TheFirstServerThatAllocatesGetsTheCode) {
  Maker d;
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  EXPECT_EQ(d.url, kFirst);
  d.up();
  d.say(welcome_frame());
  EXPECT_EQ(d.joined, kFirst);
  d.say(allocated_frame("8"));
  EXPECT_EQ(d.spoken, d.code);
}

/// One way in which a server is of no use, and what is said about it.
struct Fault {
  const char* name;
  void (*happens)(Driver&);
  const char* reason;
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

void say_after_welcome(Driver& d, const std::string& frame) {
  d.up();
  d.say(welcome_frame());
  d.say(frame);
}

const Fault kFaults[] = {
    {"refused", [](Driver& d) { d.lose("first.test:80 refused the connection"); },
     "(first.test:80 refused the connection)"},
    {"never connected", [](Driver& d) { d.sleep(kServerTimeout); }, "(it does not answer)"},
    {"silent",
     [](Driver& d) {
       d.up();
       d.sleep(kServerTimeout);
     },
     "(it does not answer)"},
    {"silent after its welcome",
     [](Driver& d) {
       d.up();
       d.say(welcome_frame());
       d.sleep(kServerTimeout);
     },
     "(it does not answer)"},
    {"closed at once",
     [](Driver& d) {
       d.up();
       d.lose("the server closed the connection");
     },
     "(the server closed the connection)"},
    {"closed after its welcome",
     [](Driver& d) {
       d.up();
       d.say(welcome_frame());
       d.lose("the server is going away");
     },
     "(the server is going away)"},
    {"unwelcoming",
     [](Driver& d) {
       d.up();
       d.say(R"({"type":"welcome","welcome":{"error":"closed"}})");
     },
     "(it turns its clients away (closed))"},
    {"asking for a permission",
     [](Driver& d) {
       d.up();
       d.say(R"({"type":"welcome","welcome":{"permission-required":{"hashcash":{}}}})");
     },
     "(it asks for a permission (such as hashcash) that peersock cannot give)"},
    {"refusing to allocate",
     [](Driver& d) { say_after_welcome(d, error_frame("no more", "allocate")); },
     "(it refused \"allocate\" (no more))"},
    {"crowded", [](Driver& d) { say_after_welcome(d, error_frame("crowded", "allocate")); },
     "(it refused \"allocate\" (crowded))"},
    {"no rendezvous server", [](Driver& d) { say_after_welcome(d, "hello?"); },
     "(it sent something that is not JSON, or too deeply nested)"},
    {"a nameplate that nobody can say",
     [](Driver& d) { say_after_welcome(d, allocated_frame("eight")); },
     "(it sent a message \"allocated\" without a usable \"nameplate\")"},
};

class ClientFault : public ::testing::TestWithParam<Fault> {};

TEST_P(ClientFault, TheNextServerIsTriedAtOnceAndTheCodeSaysSo) {
  Maker d;
  const Instant started = d.now;
  static_cast<void>(d.take());
  GetParam().happens(d);
  EXPECT_TRUE(opened_link(d));
  EXPECT_LE(d.now, started + kServerTimeout);
  EXPECT_EQ(d.url, kSecond);
  EXPECT_FALSE(d.error);
  EXPECT_EQ(d.warning, std::string("Rendezvous server 1, ws://first.test/v1, cannot be used ") +
                           GetParam().reason + "; trying server 2, ws://second.test/v1");
  d.up();
  EXPECT_THAT(d.take(), ElementsAre("bind", "allocate"));
  d.say(welcome_frame());
  EXPECT_THAT(d.take(), ElementsAre("Joined"));
  EXPECT_EQ(d.joined, kSecond);
  d.say(allocated_frame("8"));
  EXPECT_THAT(d.take(), ElementsAre("claim 8", "CodeReady"));
  EXPECT_EQ(d.spoken, "2-" + d.code);
  EXPECT_EQ(d.code.substr(0, 2), "8-");
}

TEST_P(ClientFault, OfTheOnlyServerEndsIt) {
  Maker d({kFirst});
  GetParam().happens(d);
  for (int round = 0; round < 10 && !d.error; ++round) {
    d.sleep_until_deadline();
    if (opened_link(d)) GetParam().happens(d);
  }
  ASSERT_TRUE(d.error);
  EXPECT_EQ(d.error->kind, ErrorKind::kRendezvousUnreachable);
  EXPECT_THAT(d.error->message, HasSubstr("--rendezvous"));
  EXPECT_THAT(d.error->message, Not(HasSubstr("None of")));
}

INSTANTIATE_TEST_SUITE_P(All, ClientFault, ::testing::ValuesIn(kFaults));

TEST(ClientFailover, AServerThatTalksButDoesNotAllocateIsGivenUpToo) {
  Maker d;
  d.up();
  d.say(welcome_frame());
  const Instant welcomed = d.now;
  while (d.url == kFirst) {
    d.sleep(1s);
    d.say(plain_frame("ack"));
    ASSERT_LE(d.now, welcomed + kServerTimeout);
  }
  EXPECT_EQ(d.now, welcomed + kServerTimeout);
}

TEST(ClientFailover, ServersThatWereNotReachedGetAnotherRound) {
  Maker d;
  static_cast<void>(d.take());
  d.lose("refused");
  EXPECT_THAT(d.take(), ElementsAre("Warned", "OpenLink"));
  d.lose("refused");
  EXPECT_THAT(d.take(), ElementsAre("Warned"));
  EXPECT_EQ(d.warning, "None of the 2 rendezvous servers can be used; trying again");
  EXPECT_EQ(d.client.deadline(), d.now + kFirstReconnectDelay);
  d.sleep_until_deadline();
  EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
  EXPECT_EQ(d.url, kFirst);
  d.lose("refused");
  EXPECT_THAT(d.take(), ElementsAre("OpenLink")) << "said before";
  d.up();
  d.say(welcome_frame());
  d.say(allocated_frame("8"));
  EXPECT_EQ(d.spoken, "2-" + d.code);
}

TEST(ClientFailover, EndsWhenTheTimeIsUpAndSaysWhatIsWrongWithEach) {
  Maker d;
  const Instant started = d.now;
  for (int attempt = 0; attempt < 1000 && !d.error; ++attempt) {
    d.lose("refused by " + d.url);
    if (!d.error && !opened_link(d)) d.sleep_until_deadline();
  }
  ASSERT_TRUE(d.error);
  EXPECT_EQ(d.error->kind, ErrorKind::kRendezvousUnreachable);
  EXPECT_EQ(d.error->message,
            "None of the 2 rendezvous servers can be used: ws://first.test/v1 (refused by "
            "ws://first.test/v1), ws://second.test/v1 (refused by ws://second.test/v1); check the "
            "network, or use others on both sides with --rendezvous");
  EXPECT_GE(d.now, started + kTimeout);
  EXPECT_LT(d.now, started + kTimeout + 2s);
  EXPECT_EQ(d.state(), "Done");
}

TEST(ClientFailover, EveryServerHasItsTurnHoweverLongTheFirstOnesTook) {
  std::vector<std::string> many;
  for (std::size_t i = 1; i <= wire::kMaxServers; ++i) {
    many.push_back("ws://" + std::to_string(i) + ".test/v1");
  }
  Maker d(many);
  const Instant started = d.now;
  while (d.url != many.back()) d.sleep_until_deadline();
  EXPECT_EQ(d.now, started + (many.size() - 1) * kServerTimeout);
  d.up();
  d.say(welcome_frame());
  d.say(allocated_frame("8"));
  EXPECT_EQ(d.spoken, "9-" + d.code);
}

TEST(ClientFailover, EndsAtOnceWhenAllHaveRefused) {
  Maker d;
  const Instant started = d.now;
  for (int server = 0; server < 2; ++server) {
    d.up();
    static_cast<void>(d.take());
    d.say(R"({"type":"welcome","welcome":{"error":"closed"}})");
  }
  EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Failed rendezvous"));
  EXPECT_THAT(d.error->message, HasSubstr("None of the 2 rendezvous servers"));
  EXPECT_EQ(d.now, started);
}

TEST(ClientFailover, AServerThatRefusedIsNotAskedAgain) {
  Maker d(kThree);
  d.up();
  d.say(R"({"type":"welcome","welcome":{"error":"closed"}})");
  d.lose("refused");
  d.lose("refused");
  d.sleep_until_deadline();
  EXPECT_EQ(d.url, kSecond);
}

TEST(ClientFailover, LateFactsOfTheServerBeforeChangeNothing) {
  Maker d;
  d.lose("refused");
  static_cast<void>(d.take());
  d.say(allocated_frame("8"));
  EXPECT_THAT(d.take(), IsEmpty());
  d.up();
  d.say(welcome_frame());
  EXPECT_EQ(d.joined, kSecond);
}

TEST(ClientFailover, TheServerOfACodeIsKept) {
  Maker d;
  d.lose("refused");
  d.up();
  d.say(welcome_frame());
  d.say(allocated_frame("8"));
  const std::string spoken = d.spoken;
  for (int outage = 0; outage < 3; ++outage) {
    static_cast<void>(d.take());
    d.lose("reset");
    EXPECT_THAT(d.take(), Not(::testing::Contains("OpenLink")));
    d.sleep_until_deadline();
    EXPECT_THAT(d.take(), ElementsAre("OpenLink"));
    EXPECT_EQ(d.url, kSecond);
    d.up();
    EXPECT_THAT(d.take(), ElementsAre("bind", "claim 8"));
    d.say(welcome_frame());
  }
  EXPECT_EQ(d.spoken, spoken);
}

TEST(ClientFailover, ARefusalAfterTheCodeEndsIt) {
  Maker d;
  d.up();
  d.say(welcome_frame());
  d.say(allocated_frame("8"));
  d.say(error_frame("out of tea", "claim"));
  ASSERT_TRUE(d.error);
  EXPECT_EQ(d.url, kFirst);
  EXPECT_THAT(d.error->message, HasSubstr("refused \"claim\""));
}

TEST(ClientFailover, LeavingInTheMiddleTriesNoOther) {
  for (const bool up : {false, true}) {
    Maker d;
    if (up) d.up();
    static_cast<void>(d.take());
    d.close();
    EXPECT_THAT(d.take(), ElementsAre("CloseLink", "Closed"));
    d.lose("late");
    d.sleep(1h);
    EXPECT_THAT(d.take(), IsEmpty());
  }
}

TEST(ClientFailover, LeavingBetweenTwoRoundsEndsAtOnce) {
  Maker d;
  d.lose("refused");
  d.lose("refused");
  static_cast<void>(d.take());
  d.close();
  EXPECT_THAT(d.take(), ElementsAre("Closed"));
}

// ---- the user of a code ----

TEST(ClientFailover, TheUserOfACodeGoesToItsServerAndToNoOther) {
  const std::pair<std::string, const char*> cases[] = {
      {"8-cabin-naive-zebra", kFirst},
      {"1-8-cabin-naive-zebra", kFirst},
      {"2-8-cabin-naive-zebra", kSecond},
      {"3-8-cabin-naive-zebra", kThird},
  };
  for (const auto& [typed, url] : cases) {
    Driver d(typed, kThree);
    d.start();
    const Instant started = d.now;
    EXPECT_EQ(d.code, "8-cabin-naive-zebra");
    while (!d.error) {
      EXPECT_EQ(d.url, url);
      d.lose("refused");
      d.sleep_until_deadline();
    }
    EXPECT_EQ(d.now, started + kTimeout);
    EXPECT_EQ(d.error->kind, ErrorKind::kRendezvousUnreachable);
  }
}

TEST(ClientFailover, ACodeOfAServerThatIsNotConfiguredIsRefusedWithoutALink) {
  Driver d("2-8-cabin-naive-zebra", {kFirst});
  d.start();
  EXPECT_THAT(d.take(), ElementsAre("Failed usage"));
  EXPECT_EQ(d.error->message,
            "The code was made on rendezvous server 2 and only 1 is configured here; give the "
            "servers of the other side in the same order, each with --rendezvous");
  EXPECT_EQ(d.state(), "Done");
}

TEST(ClientFailover, BothSidesHaveTheSamePasswordOnAnyServer) {
  Driver d("2-8-cabin-naive-zebra", kTwo);
  FakePeer peer("8-cabin-naive-zebra");
  advance(d, peer, Step::kVerified);
  EXPECT_EQ(d.state(), "Verified");
  EXPECT_EQ(d.smp_key, peer.smp_key());
}

}  // namespace
}  // namespace peersock::wormhole
