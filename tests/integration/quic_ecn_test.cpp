// Explicit congestion notification (RFC 9000 section 13.4): the engines that know of it mark what
// they send as long as the marks arrive.
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

using quic::Ecn;

/// A pair whose datagrams keep their marks, or lose them on the way.
class QuicEcn : public ::testing::Test {
 protected:
  QuicEcn() {
    client_ = connect(*client_engine_, config_for(quic::Role::kClient, *server_engine_));
    server_ = connect(*server_engine_, config_for(quic::Role::kServer, *client_engine_));
  }

  /// Everything that either has to send now.
  void exchange(bool bleached) {
    for (bool busy = true; busy;) {
      busy = carry(*client_, *server_, bleached, &marked_);
      busy = carry(*server_, *client_, bleached, nullptr) || busy;
    }
  }
  /// Sends on the client's stream for a while; returns the share of marked trains of the client's
  /// in the second half, when it has had answers.
  [[nodiscard]] double marked_share(bool bleached) {
    while (!client_->handshake_complete() || !server_->handshake_complete()) {
      step();
      exchange(bleached);
    }
    const auto stream = client_->open_stream();
    const Bytes octets(3000, 1);
    constexpr int kRounds = 100;
    for (int i = 0; i < kRounds; ++i) {
      if (i == kRounds / 2) marked_ = {};
      EXPECT_EQ(client_->write(*stream, octets), octets.size());
      step();
      exchange(bleached);
      Bytes into(octets.size());
      while (server_->read(*stream, into).octets > 0) {
      }
    }
    return static_cast<double>(marked_.marked) / static_cast<double>(marked_.all);
  }

 private:
  struct Count {
    std::size_t all = 0;
    std::size_t marked = 0;
  };

  void step() {
    VirtualClock::advance_to(VirtualClock::now() + 20ms);
    for (auto* connection : {client_.get(), server_.get()}) {
      const auto due = connection->deadline();
      if (due && *due <= VirtualClock::now()) connection->on_deadline(VirtualClock::now());
    }
  }
  bool carry(quic::Connection& from, quic::Connection& to, bool bleached, Count* count) {
    while (from.poll_event()) {
    }
    const auto train = from.transmit(buffer_, VirtualClock::now());
    if (train.bytes.empty()) return false;
    if (count != nullptr) {
      ++count->all;
      if (train.ecn == Ecn::kEct0) ++count->marked;
    }
    to.receive({train.bytes, train.segment, bleached ? Ecn::kNotEct : train.ecn},
               VirtualClock::now());
    return true;
  }

  std::unique_ptr<quic::Engine> client_engine_ = make_engine(quic::Role::kClient);
  std::unique_ptr<quic::Engine> server_engine_ = make_engine(quic::Role::kServer);
  std::unique_ptr<quic::Connection> client_;
  std::unique_ptr<quic::Connection> server_;
  Count marked_;
  Bytes buffer_ = Bytes(65'535);
};

TEST_F(QuicEcn, MarksAsLongAsTheMarksArrive) {
  const auto [client, server] = engines_under_test();
  // OpenSSL neither marks nor reports marks.
  const bool both = client == EngineKind::kNgtcp2 && server == EngineKind::kNgtcp2;
  EXPECT_EQ(marked_share(/*bleached=*/false), both ? 1.0 : 0.0);
}

TEST_F(QuicEcn, StopsMarkingWhereMarksAreErased) {
  EXPECT_EQ(marked_share(/*bleached=*/true), 0.0);
}

}  // namespace
}  // namespace peersock::testing
