// The bridge between loopback and a server. Real TURN servers are in ice_relay_test.cpp.
#include "adapters/turn_bridge.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/glib_loop.hpp"
#include "support/tcp_peer.hpp"

namespace peersock::testing {
namespace {

using adapters::TurnBridge;
using adapters::TurnBridgeConfig;

struct BridgeHouse {
  BridgeHouse() : server(loop.context(), [](TcpPeer&) {}) {
    config.server.host = "127.0.0.1";
    config.server.port = server.port();
  }
  void start() {
    bridge = std::make_unique<TurnBridge>(
        loop.context(), config,
        adapters::TurnBridgeCallbacks{[this] { connected = true; },
                                      [this](const std::string& why) { failure = why; },
                                      [this] {
                                        ended = true;
                                        if (goes) bridge.reset();
                                      }});
    bridge->start();
  }
  bool open() {
    start();
    if (!loop.until([&] { return connected && !server.peers().empty(); })) return false;
    port = bridge->listen(false).value_or(0);
    return port != 0;
  }
  TcpPeer& far() { return *server.peers().front(); }

  GlibLoop loop;
  TcpListener server;
  TurnBridgeConfig config;
  std::unique_ptr<TurnBridge> bridge;
  bool connected = false;
  bool ended = false;
  bool goes = false;  // when the server ends
  std::string failure;
  std::uint16_t port = 0;
};

TEST(TurnBridge, CarriesBothWays) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  const std::string up(1'000'000, 'u');
  const std::string down(1'500'000, 'd');
  near->send(up);
  house.far().send(down);
  EXPECT_TRUE(
      house.loop.until([&] { return house.far().received() == up && near->received() == down; }));
}

TEST(TurnBridge, EndsWhenTheNearSideEnds) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  auto near = TcpPeer::connect(house.loop.context(), house.port);
  near->send("x");
  ASSERT_TRUE(house.loop.until([&] { return house.far().received() == "x"; }));
  near.reset();
  EXPECT_TRUE(house.loop.until([&] { return house.far().ended(); }));
  EXPECT_FALSE(house.ended);
}

// libnice 0.1.21 would end the process.
TEST(TurnBridge, IsSilentWhenTheServerEnds) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  house.far().send("last");
  house.far().finish();
  ASSERT_TRUE(house.loop.until([&] { return house.ended && near->received() == "last"; }));
  EXPECT_TRUE(house.loop.until([&] { return house.far().ended(); }));
  near->send(std::string(8'000'000, 'x'));
  EXPECT_TRUE(house.loop.until([&] { return near->flushed(); }));
  house.loop.turn(100);
  EXPECT_FALSE(near->ended());
  house.bridge.reset();
  EXPECT_TRUE(house.loop.until([&] { return near->ended(); }));
}

TEST(TurnBridge, IsSilentWhenTheServerEndsAndWasNotReading) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  house.far().stop_reading();
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  near->send(std::string(64'000'000, 'x'));
  house.loop.turn(2'000);
  ASSERT_FALSE(near->flushed());
  house.server.peers().clear();
  EXPECT_TRUE(house.loop.until([&] { return house.ended && near->flushed(); }));
  EXPECT_FALSE(near->ended());
}

TEST(TurnBridge, MayGoWhenTheServerEnds) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  house.goes = true;
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  house.far().finish();
  EXPECT_TRUE(house.loop.until([&] { return house.ended && near->ended(); }));
}

TEST(TurnBridge, TakesOneConnectionOnly) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  const auto first = TcpPeer::connect(house.loop.context(), house.port);
  const auto second = TcpPeer::connect(house.loop.context(), house.port);
  first->send("x");
  ASSERT_TRUE(house.loop.until([&] { return house.far().received() == "x" && second->ended(); }));
  EXPECT_FALSE(first->ended());
}

TEST(TurnBridge, TurnsOtherProcessesAway) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  const std::string command = fmt::format(
      "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{} && echo intruder >&3; timeout 5 cat <&3; echo away'",
      house.port);
  std::FILE* other = popen(command.c_str(), "re");
  ASSERT_NE(other, nullptr);
  std::string said;
  const int fd = fileno(other);
  adapters::FdWatch watch(house.loop.context(), fd, [&](bool, bool) {
    std::array<char, 64> octets{};
    const auto got = read(fd, octets.data(), octets.size());
    if (got > 0) said.append(octets.data(), static_cast<std::size_t>(got));
  });
  watch.watch(true, false);
  EXPECT_TRUE(house.loop.until([&] { return said.find("away") != std::string::npos; }));
  watch.watch(false, false);
  pclose(other);
  EXPECT_EQ(house.far().received(), "");
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  near->send("ours");
  EXPECT_TRUE(house.loop.until([&] { return house.far().received() == "ours"; }));
}

TEST(TurnBridge, HoldsNoMoreThanItsBuffers) {
  BridgeHouse house;
  ASSERT_TRUE(house.open());
  house.far().stop_reading();
  const auto near = TcpPeer::connect(house.loop.context(), house.port);
  near->send(std::string(64'000'000, 'x'));
  house.loop.turn(20'000);
  EXPECT_FALSE(near->flushed());
}

TEST(TurnBridge, SaysWhyThereIsNoServer) {
  BridgeHouse house;
  house.config.server.port = 1;
  house.start();
  ASSERT_TRUE(house.loop.until([&] { return !house.failure.empty(); }));
  EXPECT_EQ(house.failure, "127.0.0.1:1 refused the connection");
  EXPECT_FALSE(house.connected);
}

TEST(TurnBridge, GivesAServerUpThatSaysNothing) {
  BridgeHouse house;
  house.config.server.tls = true;
  house.config.server.without_tls = "try another port";
  house.config.connect_timeout = 200ms;
  house.start();
  ASSERT_TRUE(house.loop.until([&] { return !house.failure.empty(); }));
  EXPECT_EQ(house.failure, fmt::format("127.0.0.1:{} did not start TLS within 0.2 s: if it has "
                                       "none, try another port",
                                       house.server.port()));
}

TEST(TurnBridge, ListensOnIpv6WhenThatIsAllThereIs) {
  BridgeHouse house;
  house.start();
  ASSERT_TRUE(house.loop.until([&] { return house.connected; }));
  EXPECT_TRUE(house.bridge->listen(true));
}

}  // namespace
}  // namespace peersock::testing
