#include "app/ice_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Way {
  TurnTransport transport;
  bool later;
  friend bool operator==(const Way&, const Way&) = default;
};

constexpr auto kUdp = TurnTransport::kUdp;
constexpr auto kTcp = TurnTransport::kTcp;
constexpr auto kTls = TurnTransport::kTls;

std::vector<Way> ways(std::uint16_t port, TurnTransports named,
                      ice::RelayPolicy relay = ice::RelayPolicy::kAuto) {
  Settings settings = default_settings();
  settings.turn_port = port;
  settings.turn_transports = std::move(named);
  std::vector<Way> result;
  for (const auto& server : ice_config(relay, settings).turn) {
    EXPECT_EQ(server.host, settings.turn_host);
    EXPECT_EQ(server.port, port);
    EXPECT_EQ(server.username, "free");
    EXPECT_EQ(server.password.reveal_text(), "free");
    result.push_back({server.transport, server.later});
  }
  EXPECT_TRUE(settings.turn_password.empty()) << "taken";
  return result;
}

TEST(IceConfig, TcpIsTriedBesideASlowUdp) {
  EXPECT_THAT(ways(3478, {}), ElementsAre(Way{kUdp, false}, Way{kTcp, true}));
}

TEST(IceConfig, TlsIsTriedWhereItIsUsual) {
  for (const std::uint16_t port : {std::uint16_t{443}, std::uint16_t{5349}}) {
    EXPECT_THAT(ways(port, {}), ElementsAre(Way{kUdp, false}, Way{kTcp, true}, Way{kTls, true}));
  }
}

TEST(IceConfig, WhatTheUserNamesIsAllThereIs) {
  EXPECT_THAT(ways(443, {kTls}), ElementsAre(Way{kTls, false}));
  EXPECT_THAT(ways(3478, {kTls, kUdp}), ElementsAre(Way{kTls, false}, Way{kUdp, true}));
}

TEST(IceConfig, NoRelayNoServer) {
  Settings settings = default_settings();
  EXPECT_THAT(ice_config(ice::RelayPolicy::kNever, settings).turn, IsEmpty());
  settings.turn_host.clear();
  EXPECT_THAT(ice_config(ice::RelayPolicy::kAuto, settings).turn, IsEmpty());
}

}  // namespace
}  // namespace peersock::app
