// Memory: everything that a process holds is counted octet by octet, in the allocator's own calls
// (the linker gives them to us) and, for an OpenSSL that is a shared library, in its hooks.
#include <array>
#include <atomic>
#include <new>

#include <malloc.h>
#include <openssl/crypto.h>

#include "quic_fixture.hpp"

namespace {

std::atomic<std::int64_t> held{0};

void* count(void* block, int sign) {
  if (block != nullptr) held += sign * static_cast<std::int64_t>(malloc_usable_size(block));
  return block;
}

}  // namespace

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);
int __real_posix_memalign(void** block, std::size_t alignment, std::size_t size);
void __real_free(void* block);

void* __wrap_malloc(std::size_t size) {
  return count(__real_malloc(size), 1);
}
void* __wrap_calloc(std::size_t number, std::size_t size) {
  return count(__real_calloc(number, size), 1);
}
void* __wrap_realloc(void* block, std::size_t size) {
  count(block, -1);
  return count(__real_realloc(block, size), 1);
}
int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  const int error = __real_posix_memalign(block, alignment, size);
  if (error == 0) count(*block, 1);
  return error;
}
void __wrap_free(void* block) {
  count(block, -1);
  __real_free(block);
}
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)

// The library's own would call its C library past us.
void* operator new(std::size_t size) {
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);
}

namespace peersock::testing {
namespace {

void* hooked_malloc(std::size_t size, const char* /*file*/, int /*line*/) {
  return std::malloc(size);
}
void hooked_free(void* block, const char* /*file*/, int /*line*/) {
  std::free(block);
}
void* hooked_realloc(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  return std::realloc(block, size);
}
// Before main, and so before OpenSSL's first allocation: it refuses afterwards.
[[maybe_unused]] const int hooked =
    CRYPTO_set_mem_functions(hooked_malloc, hooked_realloc, hooked_free);

TEST(QuicMemory, IsCounted) {
  ASSERT_EQ(hooked, 1);
  const auto before = held.load();
  const auto block = std::make_unique<std::array<char, 10'000>>();
  EXPECT_GE(held.load() - before, 10'000);
  EXPECT_LT(held.load() - before, 11'000);
}

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
  Pairing it;
  for (int i = 0; i < 500; ++i) one_stream(it);
  it.pair.run_for(1s);
  const auto before = held.load();
  constexpr int kStreams = 5000;
  for (int i = 0; i < kStreams; ++i) one_stream(it);
  it.pair.run_for(1s);
  const double each = static_cast<double>(held.load() - before) / kStreams / 2;
  RecordProperty("octets_per_stream_and_side", static_cast<int>(each));
  // With OpenSSL, the remainder that it keeps of a stream until the connection ends.
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
  // The writer's side, and on the reader's the window for a connection (15 MiB with OpenSSL, 24
  // with ngtcp2) in packets of 1,200 octets, each of which takes some more.
  const auto writers = adapters::SendBudget::kShared + 500 * adapters::SendBudget::kGuaranteed;
  const std::size_t readers = 24 * adapters::kMiB * 3 / 2;
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
