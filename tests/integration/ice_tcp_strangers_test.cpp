// What strangers may do to the ports that are open while agents look for a path over TCP.
#include <gtest/gtest.h>

#include "adapters/clock.hpp"
#include "adapters/tcp_paths.hpp"
#include "ice_tcp_world.hpp"
#include "wire/stun_check.hpp"

namespace peersock::testing {
namespace {

using adapters::UniqueFd;

/// A listens, and the peer is kept from knowing where.
class IceTcpStrangers : public ::testing::Test {
 protected:
  void SetUp() override {
    pair.a.filter = [this](wire::IceMessage& message) {
      pair.a.withheld.push_back(message);
      message.end_of_candidates = false;
      return without_any(message);
    };
    pair.b.filter = without_any;
    pair.start();
    pair.open_channels();
    ASSERT_TRUE(until_it_listens(pair, pair.a));
  }
  void let_the_peer_in() {
    pair.a.filter = nullptr;
    for (auto& message : pair.a.withheld) {
      without_udp(message);
      pair.a.send_to_peer(message);
    }
    ASSERT_TRUE(pair.until([&] { return pair.a.connected() && pair.b.connected(); }));
    EXPECT_TRUE(is_over_tcp(pair.a));
    expect_data_both_ways(pair);
  }
  Pair pair{tcp_side(true), tcp_side(false)};
};

TEST_F(IceTcpStrangers, AreSentAwayForWhatTheySay) {
  wire::CheckKey wrong{};
  Bytes check;
  wire::append_tcp_frame(check, wire::encode(wire::StunCheck{}, wrong));
  for (const std::string& text : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\xff\xff"),
                                  std::string("\0\1x", 3), std::string(as_text(check))}) {
    const UniqueFd stranger = connect_to(tcp_port(pair.a));
    ASSERT_TRUE(stranger);
    const Instant began = adapters::monotonic_now();
    send_text(stranger, text);
    EXPECT_TRUE(pair.until([&] { return is_ended(stranger); })) << text;
    EXPECT_LT(adapters::monotonic_now() - began, adapters::kTcpProofLimit / 2) << "at once";
  }
  let_the_peer_in();
}

TEST_F(IceTcpStrangers, WhoSayNothingAreFewAndKeepNobodyOut) {
  const std::size_t before = open_descriptors();
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 40; ++i) {
    strangers.push_back(connect_to(tcp_port(pair.a)));
    ASSERT_TRUE(strangers.back()) << i;
    // Half a frame, which must not meet another connection's octets.
    send_text(strangers.back(), std::string_view("\0\x40half", 6));
    pass(pair, 5ms);
  }
  EXPECT_LE(open_descriptors(), before + strangers.size() + adapters::kMaxTcpStrangers);
  EXPECT_TRUE(is_ended(strangers.front()));
  EXPECT_FALSE(is_ended(strangers.back()));
  let_the_peer_in();
  pass(pair, adapters::kTcpProofLimit + 100ms);
  EXPECT_TRUE(is_ended(strangers.back())) << "their time is over";
  EXPECT_TRUE(pair.a.connected());
}

TEST_F(IceTcpStrangers, NobodyIsLetInAfterTheSearch) {
  pass(pair, adapters::kTcpSearch);
  EXPECT_FALSE(connect_to(tcp_port(pair.a)));
}

}  // namespace
}  // namespace peersock::testing
