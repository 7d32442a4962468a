// What the QUIC tests share: engines, an established pair, and traffic that checks itself.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engines.hpp"
#include "support/quic_pair.hpp"

namespace peersock::testing {

using namespace quic::fact;

inline EngineKind kind_of(quic::Role role) {
  const EngineChoice choice = engines_under_test();
  return role == quic::Role::kClient ? choice.first : choice.second;
}

inline std::unique_ptr<quic::Engine> make_engine(quic::Role role) {
  auto engine = make_engine_of(kind_of(role));
  EXPECT_TRUE(engine) << engine.error().message;
  return std::move(*engine);
}

inline quic::ConnectionConfig config_for(quic::Role role, const quic::Engine& peer) {
  return {.role = role, .peer_fingerprint = peer.fingerprint()};
}

inline std::unique_ptr<quic::Connection> connect(quic::Engine& engine,
                                                 const quic::ConnectionConfig& config) {
  auto connection = engine.connect(config, VirtualClock::now());
  EXPECT_TRUE(connection) << connection.error().message;
  return std::move(*connection);
}

/// Octets on the streams of one end: what it writes is a pattern that the other end checks.
class Traffic {
 public:
  Traffic(QuicEnd& end, bool client)
      : end_(end), salt_(client ? 0 : 101), peer_salt_(client ? 101 : 0) {
    end.on_fact = [this](const quic::ConnectionFact& fact) { on_fact(fact); };
  }

  struct Received {
    std::size_t octets = 0;
    bool end = false;
    std::optional<std::uint64_t> reset;
    bool correct = true;
  };

  /// Writes `octets` as the connection takes them, then FIN if wanted. A stream of the peer's
  /// may be named before it has arrived.
  void send(quic::StreamId stream, std::size_t octets, bool finish = true) {
    sending_[stream] = {sending_[stream].offset, sending_[stream].offset + octets, finish};
    pump(stream);
  }
  [[nodiscard]] quic::StreamId open() const {
    const auto stream = end_.connection->open_stream();
    EXPECT_TRUE(stream);
    return stream.value_or(0);
  }
  /// The reader of this stream looks away.
  void pause(quic::StreamId stream) { paused_.insert(stream); }
  void resume(quic::StreamId stream) {
    paused_.erase(stream);
    drain(stream);
  }

  [[nodiscard]] const Received& received(quic::StreamId stream) { return received_[stream]; }
  [[nodiscard]] std::size_t taken(quic::StreamId stream) { return sending_[stream].offset; }
  [[nodiscard]] std::size_t streams_ended() const {
    return static_cast<std::size_t>(std::count_if(received_.begin(), received_.end(),
                                                  [](const auto& it) { return it.second.end; }));
  }
  [[nodiscard]] bool all_correct() const {
    return std::all_of(received_.begin(), received_.end(),
                       [](const auto& it) { return it.second.correct; });
  }
  void forget(quic::StreamId stream) {
    received_.erase(stream);
    sending_.erase(stream);
  }
  /// Called for what this class does not handle itself.
  std::function<void(const quic::ConnectionFact&)> on_other;

 private:
  struct Sending {
    std::size_t offset = 0;
    std::size_t total = 0;
    bool finish = false;
  };

  static constexpr std::size_t kChunk = 65'536;
  static constexpr std::size_t kPeriod = 65'521;  // prime, so that no packet boundary hides a slip

  /// What belongs at `offset` of this stream.
  static ByteView pattern(quic::StreamId stream, std::size_t offset, std::size_t size,
                          unsigned salt) {
    static const Bytes repeated = [] {
      SeededRng rng(1);
      Bytes bytes = random_bytes(rng, kPeriod);
      // Octet by octet, because a chunk is longer than the period.
      while (bytes.size() < kPeriod + kChunk) bytes.push_back(bytes[bytes.size() - kPeriod]);
      return bytes;
    }();
    return ByteView(repeated).subspan((offset + stream * 1009 + salt) % kPeriod, size);
  }

  void on_fact(const quic::ConnectionFact& fact) {
    if (const auto* readable = std::get_if<StreamReadable>(&fact)) {
      if (!paused_.contains(readable->stream)) drain(readable->stream);
    } else if (const auto* writable = std::get_if<StreamWritable>(&fact)) {
      pump(writable->stream);
    } else if (const auto* opened = std::get_if<StreamOpened>(&fact)) {
      if (sending_.contains(opened->stream)) pump(opened->stream);
    }
    if (on_other) on_other(fact);
  }

  void pump(quic::StreamId stream) {
    Sending& sending = sending_[stream];
    while (sending.offset < sending.total) {
      const std::size_t size = std::min(kChunk, sending.total - sending.offset);
      const std::size_t taken =
          end_.connection->write(stream, pattern(stream, sending.offset, size, salt_));
      sending.offset += taken;
      if (taken < size) return;
    }
    if (std::exchange(sending.finish, false)) end_.connection->finish(stream);
  }

  void drain(quic::StreamId stream) {
    Received& received = received_[stream];
    Bytes chunk(50'000);
    for (;;) {
      const auto outcome = end_.connection->read(stream, chunk);
      const auto expected = pattern(stream, received.octets, outcome.octets, peer_salt_);
      if (!std::equal(expected.begin(), expected.end(), chunk.begin())) received.correct = false;
      received.octets += outcome.octets;
      received.end = received.end || outcome.end;
      if (outcome.reset) received.reset = outcome.reset;
      if (outcome.octets == 0) return;
    }
  }

  QuicEnd& end_;
  unsigned salt_;
  unsigned peer_salt_;
  std::map<quic::StreamId, Sending> sending_;
  std::map<quic::StreamId, Received> received_;
  std::set<quic::StreamId> paused_;
};

/// Two engines that expect each other, their connections, and traffic on both ends.
struct Pairing {
  explicit Pairing(const LinkProfile& profile = {}, std::uint64_t seed = 1)
      : client_engine(make_engine(quic::Role::kClient)),
        server_engine(make_engine(quic::Role::kServer)),
        pair(profile, seed) {
    pair.server.connection =
        connect(*server_engine, config_for(quic::Role::kServer, *client_engine));
    pair.client.connection =
        connect(*client_engine, config_for(quic::Role::kClient, *server_engine));
    EXPECT_TRUE(pair.run_until([&] {
      return pair.client.connection->handshake_complete() &&
             pair.server.connection->handshake_complete();
    })) << "seed "
        << seed;
  }

  std::unique_ptr<quic::Engine> client_engine;
  std::unique_ptr<quic::Engine> server_engine;
  QuicPair pair;
  Traffic client{pair.client, true};
  Traffic server{pair.server, false};
};

}  // namespace peersock::testing
