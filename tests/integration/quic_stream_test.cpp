// Streams: data, ends, codes, back-pressure, limits.
#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

TEST(QuicStream, CarriesDataBothWaysAndBothEnds) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 1'000'000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).end; }));
  EXPECT_EQ(it.server.received(stream).octets, 1'000'000U);
  EXPECT_FALSE(it.client.received(stream).end);
  // Half-closed: the other direction goes on.
  it.server.send(stream, 700'000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.client.received(stream).end; }));
  EXPECT_EQ(it.client.received(stream).octets, 700'000U);
  EXPECT_TRUE(it.client.all_correct() && it.server.all_correct());
}

TEST(QuicStream, EitherSideOpens) {
  Pairing it;
  const auto stream = it.server.open();
  it.server.send(stream, 1000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.client.received(stream).end; }));
  EXPECT_EQ(it.pair.client.last<StreamOpened>()->stream, stream);
  EXPECT_NE(stream, it.client.open());
}

TEST(QuicStream, AnEmptyStreamHasAnEnd) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 0);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).end; }));
  EXPECT_EQ(it.server.received(stream).octets, 0U);
}

TEST(QuicStream, WhatArrivesIsWhatWasSentOverABadNetwork) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Pairing it({.delay = 20ms, .jitter = 15ms, .loss = 50, .duplication = 20}, seed);
    std::vector<quic::StreamId> ours;
    std::vector<quic::StreamId> theirs;
    for (std::size_t i = 0; i < 5; ++i) {
      ours.push_back(it.client.open());
      theirs.push_back(it.server.open());
      it.client.send(ours.back(), 40'000 * i + 1);
      it.server.send(theirs.back(), 30'000 * i + 7);
    }
    ASSERT_TRUE(it.pair.run_until(
        [&] { return it.client.streams_ended() == 5 && it.server.streams_ended() == 5; }, 5min))
        << "seed " << seed;
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(it.server.received(ours[i]).octets, 40'000 * i + 1) << "seed " << seed;
      EXPECT_EQ(it.client.received(theirs[i]).octets, 30'000 * i + 7) << "seed " << seed;
    }
    EXPECT_TRUE(it.client.all_correct() && it.server.all_correct()) << "seed " << seed;
  }
}

TEST(QuicStream, AResetCarriesItsCode) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 5000, /*finish=*/false);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).octets == 5000; }));
  it.pair.client.connection->reset(stream, 0x1234);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).reset.has_value(); }));
  EXPECT_EQ(*it.server.received(stream).reset, 0x1234U);
  EXPECT_FALSE(it.server.received(stream).end);
  // The other direction lives.
  it.server.send(stream, 3000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.client.received(stream).end; }));
}

TEST(QuicStream, AReaderThatTakesNothingStillLearnsOfAReset) {
  Pairing it;
  const auto stream = it.client.open();
  it.server.pause(stream);
  it.client.send(stream, 5000, /*finish=*/false);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<StreamReadable>() > 0; }));
  it.pair.run_for(100ms);
  const auto probe = [&] { return it.pair.server.connection->read(stream, {}); };
  EXPECT_FALSE(probe().reset);
  EXPECT_EQ(probe().octets, 0U);
  it.pair.client.connection->reset(stream, 6);
  const auto told = it.pair.server.count<StreamReadable>();
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<StreamReadable>() > told; }));
  EXPECT_EQ(probe().reset, 6U);
}

TEST(QuicStream, AResetOfAStreamThatWasNeverUsedStillArrives) {
  Pairing it;
  const auto stream = it.client.open();
  it.pair.client.connection->reset(stream, 3);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).reset.has_value(); }));
  EXPECT_EQ(*it.server.received(stream).reset, 3U);
  EXPECT_EQ(it.pair.server.count<StreamOpened>(), 1U);
}

TEST(QuicStream, ARefusalReachesTheOpenerInBothDirections) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 2'000'000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<StreamOpened>() > 0; }));
  it.pair.server.connection->reset(stream, 2);
  it.pair.server.connection->stop_sending(stream, 2);
  const auto already = it.server.received(stream).octets;
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<StreamStopped>() > 0; }));
  EXPECT_EQ(it.pair.client.last<StreamStopped>()->stream, stream);
  EXPECT_EQ(*it.client.received(stream).reset, 2U);
  EXPECT_EQ(it.pair.client.connection->write(stream, to_bytes("more")), 0U);
  EXPECT_EQ(it.pair.client.connection->write_capacity(stream), 0U);
  it.pair.run_for(1s);
  EXPECT_EQ(it.server.received(stream).octets, already);
  EXPECT_EQ(it.pair.client.count<StreamStopped>(), 1U);
}

TEST(QuicStream, StoppingOneDirectionLeavesTheOther) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 100'000'000, /*finish=*/false);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<StreamOpened>() > 0; }));
  it.pair.server.connection->stop_sending(stream, 9);
  // What still arrives is dropped while our own direction goes on; then the peer is told.
  it.server.send(stream, 300'000);
  ASSERT_TRUE(it.pair.run_until([&] { return it.client.received(stream).end; }));
  EXPECT_EQ(it.client.received(stream).octets, 300'000U);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<StreamStopped>() > 0; }));
  EXPECT_TRUE(it.client.all_correct());
}

TEST(QuicStream, AReaderThatStopsHoldsTheWriterButNobodyElse) {
  Pairing it({.delay = 10ms});
  const auto stuck = it.client.open();
  it.server.pause(stuck);
  it.client.send(stuck, 50'000'000);
  it.pair.run_for(5s);
  const std::size_t bound = it.client.taken(stuck);
  EXPECT_LE(bound, 512U * 1024);
  EXPECT_EQ(it.server.received(stuck).octets, 0U);
  EXPECT_EQ(it.pair.client.connection->write_capacity(stuck), 0U);

  for (int i = 0; i < 20; ++i) {
    const auto other = it.client.open();
    it.client.send(other, 1'000'000);
    ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(other).end; }, 10s)) << i;
  }
  EXPECT_EQ(it.client.taken(stuck), bound);

  it.server.resume(stuck);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stuck).end; }));
  EXPECT_EQ(it.server.received(stuck).octets, 50'000'000U);
  EXPECT_TRUE(it.server.all_correct());
}

TEST(QuicStream, CapacityIsWhatWriteTakes) {
  Pairing it({.delay = 20ms});
  const auto stream = it.client.open();
  auto& connection = *it.pair.client.connection;
  std::size_t total = 0;
  for (int round = 0; round < 50; ++round) {
    const std::size_t capacity = connection.write_capacity(stream);
    const std::size_t taken = connection.write(stream, Bytes(capacity + 10));
    EXPECT_EQ(taken, capacity);
    total += taken;
    const auto before = it.pair.client.count<StreamWritable>();
    // It took less than offered, so it says when there is room again.
    ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<StreamWritable>() > before; }));
    EXPECT_GT(connection.write_capacity(stream), 0U);
  }
  EXPECT_GT(total, 1'000'000U);
  EXPECT_EQ(it.server.received(stream).octets > 0, true);
}

TEST(QuicStream, ManyAreOpenAtOnce) {
  for (const std::size_t count : {1U, 100U, 101U, 500U}) {
    Pairing it;
    std::vector<quic::StreamId> streams;
    ASSERT_TRUE(it.pair.run_until([&] {
      while (streams.size() < count) {
        const auto stream = it.pair.client.connection->open_stream();
        if (!stream) break;
        streams.push_back(*stream);
        it.client.send(*stream, 100, /*finish=*/false);
      }
      return streams.size() == count;
    })) << count;
    ASSERT_TRUE(it.pair.run_until([&] { return it.pair.server.count<StreamOpened>() == count; }));
    // All of them are in use in both directions before any of them ends.
    for (const auto stream : streams) it.server.send(stream, 200);
    ASSERT_TRUE(it.pair.run_until([&] { return it.client.streams_ended() == count; }));
    for (const auto stream : streams) it.client.send(stream, 100);
    ASSERT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == count; }));
    EXPECT_TRUE(it.client.all_correct() && it.server.all_correct());
    for (const auto stream : streams) EXPECT_EQ(it.server.received(stream).octets, 200U);
  }
}

TEST(QuicStream, TheLimitIsReportedAndItsEndToo) {
  Pairing it;
  std::vector<quic::StreamId> streams;
  for (;;) {
    const auto stream = it.pair.client.connection->open_stream();
    if (!stream) break;
    streams.push_back(*stream);
  }
  EXPECT_EQ(streams.size(), 100U);
  EXPECT_EQ(it.pair.client.count<StreamsAvailable>(), 0U);
  for (const auto stream : streams) it.client.send(stream, 1, /*finish=*/false);
  ASSERT_TRUE(it.pair.run_until([&] { return it.pair.client.count<StreamsAvailable>() > 0; }));
  EXPECT_TRUE(it.pair.client.connection->open_stream());
}

TEST(QuicStream, ThePeerCannotOpenMoreThanWeHold) {
  constexpr std::size_t kMax = adapters::OpenSslConnection::kMaxPeerStreams;
  Pairing it;
  std::vector<quic::StreamId> streams;
  const auto open_all = [&] {
    while (const auto stream = it.pair.client.connection->open_stream()) {
      streams.push_back(*stream);
      it.client.send(*stream, 1, /*finish=*/false);
    }
  };
  it.client.on_other = [&](const quic::ConnectionFact& fact) {
    if (std::holds_alternative<StreamsAvailable>(fact)) open_all();
  };
  open_all();
  it.pair.run_for(30s);
  EXPECT_EQ(it.pair.server.count<StreamOpened>(), kMax);
  EXPECT_LE(streams.size(), kMax + 100);
  const auto opened = streams.size();
  // Each one that goes makes room for one that waits.
  for (std::size_t i = 0; i < 60; ++i) {
    it.pair.server.connection->stop_sending(streams[i], 0);
    it.pair.server.connection->release(streams[i]);
  }
  it.pair.run_for(30s);
  EXPECT_EQ(it.pair.server.count<StreamOpened>(), kMax + 60);
  EXPECT_GT(streams.size(), opened);
}

/// `count` streams that both sides know, with no data under way.
std::vector<quic::StreamId> open_many(Pairing& it, std::size_t count) {
  std::vector<quic::StreamId> streams;
  EXPECT_TRUE(it.pair.run_until([&] {
    while (streams.size() < count) {
      const auto stream = it.pair.client.connection->open_stream();
      if (!stream) break;
      streams.push_back(*stream);
      it.client.send(*stream, 1, /*finish=*/false);
    }
    return it.pair.server.count<StreamOpened>() == count;
  }));
  it.pair.run_for(1s);
  return streams;
}

TEST(QuicStream, ManyEndAtOnce) {
  // Packets that hold control frames alone must not break the connection, whatever fills them.
  for (std::size_t count = 150; count <= 500; count += 25) {
    Pairing it;
    const auto streams = open_many(it, count);
    auto& client = *it.pair.client.connection;
    auto& server = *it.pair.server.connection;
    for (std::size_t i = 0; i < count; ++i) {
      const auto stream = streams[i];
      switch (count / 25 % 4) {
        case 0:
          client.reset(stream, 1);
          break;
        case 1:
          client.reset(stream, 1);
          client.stop_sending(stream, 1);
          client.release(stream);
          break;
        case 2:
          client.release(stream);
          break;
        default:
          client.finish(stream);
          client.stop_sending(stream, 1);
          server.reset(stream, 2);
      }
    }
    it.pair.run_for(5s);
    EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U) << count;
    const auto last = it.client.open();
    it.client.send(last, 1000);
    EXPECT_TRUE(it.pair.run_until([&] { return it.server.received(last).end; }, 5s)) << count;
  }
}

TEST(QuicStream, ManyAreReadAtOnce) {
  for (const std::size_t count : {100U, 170U, 333U, 500U}) {
    Pairing it;
    const auto streams = open_many(it, count);
    for (const auto stream : streams) it.client.send(stream, 300'000);
    ASSERT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == count; }, 5min))
        << count;
    EXPECT_TRUE(it.server.all_correct());
  }
}

TEST(QuicStream, OneBusyStreamDoesNotStarveTheOthers) {
  Pairing it({.delay = 10ms});
  const auto busy = it.client.open();
  for (int i = 0; i < 50; ++i) {
    it.client.send(busy, 20'000'000, /*finish=*/false);
    const std::size_t total = it.client.taken(busy) + 15'000'000;
    const auto small = it.client.open();
    it.client.send(small, 1000);
    ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(small).end; }, 2s)) << i;
    EXPECT_LT(it.server.received(busy).octets, total) << "it was not busy all the time";
  }
}

TEST(QuicStream, CallsForUnknownStreamsDoNothing) {
  Pairing it;
  auto& connection = *it.pair.client.connection;
  Bytes buffer(10);
  const auto outcome = connection.read(4711, buffer);
  EXPECT_TRUE(outcome.octets == 0 && !outcome.end && !outcome.reset);
  EXPECT_EQ(connection.write(4711, buffer), 0U);
  EXPECT_EQ(connection.write_capacity(4711), 0U);
  connection.finish(4711);
  connection.reset(4711, 1);
  connection.stop_sending(4711, 1);
  connection.release(4711);
  it.pair.run_for(1s);
  EXPECT_EQ(it.pair.client.count<Closed>() + it.pair.server.count<Closed>(), 0U);
}

TEST(QuicStream, ReleasingAnUnfinishedStreamAbandonsIt) {
  Pairing it;
  const auto stream = it.client.open();
  it.client.send(stream, 1000, /*finish=*/false);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).octets == 1000; }));
  it.pair.client.connection->release(stream);
  ASSERT_TRUE(it.pair.run_until([&] { return it.server.received(stream).reset.has_value(); }));
  EXPECT_EQ(it.pair.server.count<StreamStopped>(), 1U);
}

}  // namespace
}  // namespace peersock::testing
