// Memory: what OpenSSL holds is counted octet by octet, through its own allocation hooks.
#include <atomic>

#include <malloc.h>
#include <openssl/crypto.h>

#include "quic_fixture.hpp"

namespace peersock::testing {
namespace {

std::atomic<std::int64_t> held{0};

void count(void* block, int sign) {
  held += sign * static_cast<std::int64_t>(malloc_usable_size(block));
}
void* counted_malloc(std::size_t size, const char* /*file*/, int /*line*/) {
  void* block = std::malloc(size);
  if (block != nullptr) count(block, 1);
  return block;
}
void counted_free(void* block, const char* /*file*/, int /*line*/) {
  if (block != nullptr) count(block, -1);
  std::free(block);
}
void* counted_realloc(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  if (block != nullptr) count(block, -1);
  void* moved = std::realloc(block, size);
  if (moved != nullptr) count(moved, 1);
  return moved;
}
// Before main, and so before OpenSSL's first allocation: it refuses afterwards.
[[maybe_unused]] const int hooked =
    CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);

/// Releases a stream on the end that it belongs to as soon as both directions have ended.
void one_stream(Pairing& it) {
  const auto stream = it.client.open();
  it.client.send(stream, 3000);
  it.server.send(stream, 3000);
  ASSERT_TRUE(it.pair.run_until(
      [&] { return it.server.received(stream).end && it.client.received(stream).end; }));
  it.pair.client.connection->release(stream);
  it.pair.server.connection->release(stream);
  it.client.forget(stream);
  it.server.forget(stream);
  it.pair.client.facts.clear();
  it.pair.server.facts.clear();
}

TEST(QuicMemory, IsFlatOverThousandsOfStreams) {
  ASSERT_EQ(hooked, 1);
  Pairing it;
  for (int i = 0; i < 500; ++i) one_stream(it);
  it.pair.run_for(1s);
  const auto before = held.load();
  constexpr int kStreams = 5000;
  for (int i = 0; i < kStreams; ++i) one_stream(it);
  it.pair.run_for(1s);
  const double each = static_cast<double>(held.load() - before) / kStreams / 2;
  RecordProperty("octets_per_stream_and_side", static_cast<int>(each));
  // The remainder that OpenSSL keeps of a stream until the connection ends.
  EXPECT_LE(each, 512);
}

/// `count` streams that both sides know.
std::vector<quic::StreamId> open_many(Pairing& it, std::size_t count) {
  std::vector<quic::StreamId> streams;
  EXPECT_TRUE(it.pair.run_until([&] {
    while (streams.size() < count) {
      const auto stream = it.pair.client.connection->open_stream();
      if (!stream) break;
      streams.push_back(*stream);
      it.client.send(*stream, 100, /*finish=*/false);
    }
    return it.pair.server.count<StreamOpened>() == count;
  }));
  it.pair.run_for(1s);
  return streams;
}

TEST(QuicMemory, OfIdleStreamsIsSmall) {
  Pairing it;
  it.pair.run_for(1s);
  const auto before = held.load();
  open_many(it, 500);
  const double each = static_cast<double>(held.load() - before) / 500 / 2;
  RecordProperty("octets_per_idle_stream_and_side", static_cast<int>(each));
  EXPECT_LE(each, 16'384);
}

TEST(QuicMemory, OfWritersThatWaitIsBounded) {
  Pairing it;
  const auto streams = open_many(it, 500);
  const auto before = held.load();
  for (const auto stream : streams) it.server.pause(stream);
  for (const auto stream : streams) it.client.send(stream, 600'000);
  it.pair.run_for(10s);
  // The writer's side, and on the reader's OpenSSL's window for a connection in packets of 1,200
  // octets, each of which takes some more.
  const auto writers = adapters::SendBudget::kShared + 500 * adapters::SendBudget::kGuaranteed;
  const std::size_t readers = 15 * adapters::kMiB * 3 / 2;
  const auto now_held = held.load() - before;
  RecordProperty("octets", static_cast<int>(now_held));
  EXPECT_LE(now_held, static_cast<std::int64_t>(writers + readers));
  // Nobody is forgotten.
  for (const auto stream : streams) it.server.resume(stream);
  EXPECT_TRUE(it.pair.run_until([&] { return it.server.streams_ended() == 500; }, 10min));
  EXPECT_TRUE(it.server.all_correct());
}

TEST(QuicMemory, AllOfItComesBack) {
  { Pairing warm_up; }
  const auto before = held.load();
  {
    Pairing it;
    for (int i = 0; i < 50; ++i) one_stream(it);
    it.client.send(it.client.open(), 1'000'000);
    it.pair.run_for(1ms);
  }
  EXPECT_EQ(held.load(), before);
}

}  // namespace
}  // namespace peersock::testing
