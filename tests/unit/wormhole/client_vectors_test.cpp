// The conversation of scripts/make-wormhole-vectors: the reference implementation's messages are
// accepted, and ours, which the reference implementation accepts, have not changed.
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"
#include "support/vectors.hpp"

namespace peersock::wormhole {
namespace {

using nlohmann::json;
using namespace testing;

/// One client in the conversation, up to the peer's last message.
struct Conversation {
  json vectors = read_vectors("wormhole.json").at("conversation");
  ScriptedRng rng{octets_of(vectors, "entropy")};
  Client client{config(), rng};
  Instant now{};
  json added = json::array();
  json peer_versions;
  std::string smp_key;
  json payloads = json::array();

  [[nodiscard]] ClientConfig config() const {
    ClientConfig config;
    config.appid = vectors.at("appid");
    config.side = vectors.at("side");
    config.code = wire::parse_code(vectors.at("code").get<std::string>()).value();
    config.app_versions = vectors.at("app_versions");
    return config;
  }

  void note(const std::string& frame) {
    const json request = json::parse(frame);
    if (request.at("type") != "add") return;
    added.push_back({{"phase", request.at("phase")}, {"body", request.at("body")}});
  }

  void give(ClientInput input) {
    for (const auto& output : client.handle(std::move(input), now)) {
      std::visit(Overloaded{
                     [&](const SendFrame& o) { note(o.frame); },
                     [&](const PeerVerified& o) {
                       peer_versions = o.app_versions;
                       smp_key = to_hex(o.wormhole_key.reveal());
                     },
                     [&](const PayloadReceived& o) { payloads.push_back(to_hex(o.payload)); },
                     [](const auto&) {},
                 },
                 output);
    }
  }

  void run() {
    for (const auto& payload : vectors.at("payloads")) {
      give(PayloadQueued{from_hex(payload.get<std::string>()).value()});
    }
    give(Started{});
    give(LinkUp{});
    give(FrameReceived{claimed_frame()});
    for (const auto& message : vectors.at("peer_messages")) {
      give(FrameReceived{
          message_frame(vectors.at("peer_side"), message.at("phase"), message.at("body"))});
    }
  }
};

TEST(ClientVectors, AcceptsTheMessagesOfTheReferenceImplementation) {
  Conversation c;
  c.run();
  EXPECT_EQ(c.client.state_name(), "Verified");
  EXPECT_EQ(c.peer_versions, c.vectors.at("peer_app_versions"));
  EXPECT_EQ(c.smp_key, c.vectors.at("smp_key").get<std::string>());
  EXPECT_EQ(c.payloads, c.vectors.at("peer_payloads"));
}

TEST(ClientVectors, SendsTheMessagesThatTheReferenceImplementationAccepted) {
  Conversation c;
  c.run();
  // PEERSOCK_WRITE_VECTORS names the file to write after a change that is meant; afterwards
  // `scripts/make-wormhole-vectors --check` tells whether the reference still accepts it.
  if (const char* path = std::getenv("PEERSOCK_WRITE_VECTORS")) {
    std::ofstream(path) << c.added.dump(1) << '\n';
  }
  EXPECT_EQ(c.added, read_vectors("wormhole_ours.json"));
}

}  // namespace
}  // namespace peersock::wormhole
