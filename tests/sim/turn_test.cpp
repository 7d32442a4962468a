// The TURN server of the simulation over TCP.
#include <array>
#include <memory>

#include <gmock/gmock.h>

#include "programs/turn_server.hpp"
#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

using sim::Octets;
using sim::StunAttribute;
using sim::StunClass;
using sim::StunMethod;

constexpr std::uint16_t kPort = 3478;
constexpr std::uint16_t kPeerPort = 7000;
const sim::StunId kId{0x21, 0x12, 0xa4, 0x42, 1, 2, 3};

TEST(TurnMessageSize, IsKnownWhenTheMessageIsWhole) {
  Octets stun(20);
  stun[3] = 8;
  EXPECT_FALSE(sim::turn_message_size(stun));
  stun.resize(30);
  EXPECT_EQ(sim::turn_message_size(stun), 28U);
  // Channel data is padded to a multiple of four (RFC 8656 section 12.5).
  Octets channel = {0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0};
  EXPECT_FALSE(sim::turn_message_size(channel));
  channel.push_back(0);
  EXPECT_EQ(sim::turn_message_size(channel), 12U);
  EXPECT_FALSE(sim::turn_message_size(Octets{0x40, 0, 0}));
}

class SimTurn : public SimHosts {
 protected:
  SimTurn() {
    first.run([&] {
      server = std::make_unique<sim::TurnServer>(first.context(), kFirst, kPort, kFirst,
                                                 sim::TurnServer::Account{"user", "password"});
    });
  }
  ~SimTurn() override {
    first.run([&] { server.reset(); });
    client.reset();
    pass(1s);
  }
  SimTurn(const SimTurn&) = delete;
  SimTurn& operator=(const SimTurn&) = delete;
  SimTurn(SimTurn&&) = delete;
  SimTurn& operator=(SimTurn&&) = delete;

  void dial() {
    second.run([&] { client = connecting_socket(kFirst, kPort); });
    pass(1s);
  }
  void put(const Octets& octets) {
    ASSERT_EQ(send(client.get(), octets.data(), octets.size(), 0),
              static_cast<ssize_t>(octets.size()));
    pass(1s);
  }
  Octets get() {
    Octets octets(4096);
    const ssize_t got = recv(client.get(), octets.data(), octets.size(), 0);
    octets.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return octets;
  }

  /// With the nonce that the server has given.
  void identify(sim::StunWriter& request) const {
    request.add_text(StunAttribute::kUsername, "user")
        .add_text(StunAttribute::kRealm, "peersock.sim")
        .add_text(StunAttribute::kNonce, nonce)
        .sign(sim::long_term_key("user", "peersock.sim", "password"));
  }
  [[nodiscard]] Octets allocate(bool identified) const {
    sim::StunWriter request(StunClass::kRequest, StunMethod::kAllocate, kId);
    request.add_number(StunAttribute::kRequestedTransport, 17U << 24);
    if (identified) identify(request);
    return request.octets();
  }
  void meet() {
    dial();
    ask_nonce();
  }
  void ask_nonce() {
    put(allocate(false));
    const Octets octets = get();
    const auto given = sim::read_stun(octets).value().find(StunAttribute::kNonce).value();
    nonce.assign(given.begin(), given.end());
  }
  /// Of the error in what has come; 0: there is none.
  int error_code() {
    const Octets octets = get();
    const auto answer = sim::read_stun(octets);
    const auto error = answer ? answer->find(StunAttribute::kErrorCode) : std::nullopt;
    return error ? (*error)[2] * 100 + (*error)[3] : 0;
  }

  std::string nonce;
  std::unique_ptr<sim::TurnServer> server;
  UniqueFd client;
};

TEST_F(SimTurn, AsksForTheCredentialOverTcp) {
  dial();
  put(allocate(false));
  const Octets octets = get();
  const auto answer = sim::read_stun(octets);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, StunClass::kError);
  EXPECT_TRUE(answer->find(StunAttribute::kNonce));
  EXPECT_EQ(server->allocations(), 0U);
}

TEST_F(SimTurn, RelaysBetweenTcpAndUdp) {
  meet();
  // In two pieces, as TCP may deliver it.
  const Octets request = allocate(true);
  put(Octets(request.begin(), request.begin() + 30));
  EXPECT_TRUE(get().empty());
  put(Octets(request.begin() + 30, request.end()));
  const Octets octets = get();
  const auto answer = sim::read_stun(octets);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->kind, StunClass::kSuccess);
  const auto relayed = answer->addresses(StunAttribute::kXorRelayedAddress).at(0);

  UniqueFd peer;
  third.run([&] { peer = bound_socket(SOCK_DGRAM, "198.51.100.3", kPeerPort); });
  const auto peer_name = sim::socket_name("198.51.100.3", kPeerPort).value();
  sim::StunWriter bind(StunClass::kRequest, StunMethod::kChannelBind, kId);
  bind.add_number(StunAttribute::kChannelNumber, 0x4000U << 16)
      .add_address(StunAttribute::kXorPeerAddress, peer_name);
  identify(bind);
  put(bind.octets());
  (void)get();

  put({0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0});
  std::array<char, 16> got{};
  ASSERT_EQ(recv(peer.get(), got.data(), got.size(), 0), 5);
  EXPECT_EQ(std::string(got.data(), 5), "hello");
  sim::send_datagram(peer.get(), std::array<std::uint8_t, 3>{1, 2, 3}, relayed);
  pass(1s);
  EXPECT_EQ(get(), (Octets{0x40, 0, 0, 3, 1, 2, 3, 0}));
}

// What the table that coturn follows as well does not wait for.
TEST_F(SimTurn, WantsANewNonceEveryTenMinutes) {
  meet();
  pass(600s);
  put(allocate(true));
  EXPECT_EQ(error_code(), 438);
}

TEST_F(SimTurn, EndsAnAllocationThatIsNotRefreshed) {
  meet();
  put(allocate(true));
  EXPECT_EQ(error_code(), 0);
  pass(600s);
  ask_nonce();
  sim::StunWriter refresh(StunClass::kRequest, StunMethod::kRefresh, kId);
  identify(refresh);
  put(refresh.octets());
  EXPECT_EQ(error_code(), 437);
}

TEST_F(SimTurn, LendsIpv4EndpointsToWhoAsksOverIpv6) {
  third.run([&] {
    server = std::make_unique<sim::TurnServer>(third.context(), kThird, kPort, "198.51.100.3",
                                               sim::TurnServer::Account{"user", "password"});
  });
  fourth.run([&] { client = connecting_socket(kThird, kPort); });
  pass(1s);
  ask_nonce();
  put(allocate(true));
  const Octets octets = get();
  const auto answer = sim::read_stun(octets);
  ASSERT_TRUE(answer);
  const auto relayed = answer->addresses(StunAttribute::kXorRelayedAddress).at(0);
  EXPECT_EQ(relayed.family, sim::Family::kIpv4);
  EXPECT_EQ(answer->addresses(StunAttribute::kXorMappedAddress).at(0).family, sim::Family::kIpv6);
  // RFC 8656 sections 9.2 and 11.2.
  for (const StunMethod method : {StunMethod::kCreatePermission, StunMethod::kChannelBind}) {
    for (const char* peer : {kFirst, kFourth}) {
      sim::StunWriter request(StunClass::kRequest, method, kId);
      request.add_number(StunAttribute::kChannelNumber, 0x4000U << 16)
          .add_address(StunAttribute::kXorPeerAddress, sim::socket_name(peer, kPeerPort).value());
      identify(request);
      put(request.octets());
      EXPECT_EQ(error_code(), peer == kFirst ? 0 : 443) << peer;
    }
  }
  third.run([&] { server.reset(); });
}

TEST_F(SimTurn, GivesAnAllocationUpWithItsConnection) {
  meet();
  put(allocate(true));
  EXPECT_EQ(server->allocations(), 1U);
  client.reset();
  pass(1s);
  EXPECT_EQ(server->allocations(), 0U);
}

}  // namespace
}  // namespace peersock::testing
