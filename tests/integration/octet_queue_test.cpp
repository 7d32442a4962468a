// The queue that keeps what was written until it is acknowledged.
#include "adapters/octet_queue.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "support/seeded_rng.hpp"

namespace peersock::testing {
namespace {

using adapters::OctetQueue;

Bytes next(const OctetQueue& queue, std::size_t most) {
  std::array<ByteView, 3> views;
  Bytes out;
  for (std::size_t i = 0, count = queue.peek(views); i < count; ++i) {
    out.insert(out.end(), views[i].begin(), views[i].end());
  }
  out.resize(std::min(out.size(), most));
  return out;
}

TEST(OctetQueue, KeepsWhatWasPassedUntilItIsDropped) {
  OctetQueue queue;
  queue.append(to_bytes("hello"));
  queue.append(to_bytes(" world"));
  EXPECT_EQ(next(queue, 99), to_bytes("hello world"));
  queue.advance(6);
  EXPECT_EQ(queue.size(), 11U);
  EXPECT_EQ(queue.ahead(), 5U);
  EXPECT_EQ(next(queue, 99), to_bytes("world"));
  queue.drop(99);  // only what was passed
  EXPECT_EQ(queue.size(), 5U);
  EXPECT_EQ(next(queue, 99), to_bytes("world"));
}

TEST(OctetQueue, GivesBackInOrderWhateverTheSizes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRng rng(seed);
    OctetQueue queue;
    Bytes expected;
    std::size_t passed = 0;
    std::size_t dropped = 0;
    for (int i = 0; i < 300; ++i) {
      const Bytes more =
          random_bytes(rng, random_below(rng, random_below(rng, 4) == 0 ? 90'000 : 9));
      queue.append(more);
      expected.insert(expected.end(), more.begin(), more.end());
      const Bytes got = next(queue, 70'000);
      ASSERT_TRUE(std::equal(got.begin(), got.end(), expected.begin() + static_cast<long>(passed)))
          << "seed " << seed;
      const std::size_t step = random_below(rng, static_cast<std::uint32_t>(got.size()) + 1);
      queue.advance(step);
      passed += step;
      const std::size_t gone = random_below(rng, static_cast<std::uint32_t>(passed - dropped) + 1);
      queue.drop(gone);
      dropped += gone;
      ASSERT_EQ(queue.size(), expected.size() - dropped) << "seed " << seed;
      ASSERT_EQ(queue.ahead(), expected.size() - passed) << "seed " << seed;
    }
  }
}

TEST(OctetQueue, DoesNotMoveWhatItKeeps) {
  OctetQueue queue;
  queue.append(Bytes(100, 1));
  std::array<ByteView, 1> first;
  ASSERT_EQ(queue.peek(first), 1U);
  queue.advance(100);
  for (int i = 0; i < 100; ++i) queue.append(Bytes(5000, 2));
  EXPECT_TRUE(std::all_of(first[0].begin(), first[0].end(), [](auto octet) { return octet == 1; }));
}

TEST(OctetQueue, TakesInOrderWhateverTheSizes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRng rng(seed);
    OctetQueue queue;
    Bytes expected;
    Bytes got;
    Bytes into(60'000);
    for (int i = 0; i < 300; ++i) {
      const Bytes more = random_bytes(rng, random_below(rng, 1300));
      queue.append(more);
      expected.insert(expected.end(), more.begin(), more.end());
      if (random_below(rng, 20) != 0) continue;
      const std::size_t count = queue.take(MutableBytes(into).first(random_below(rng, 60'000) + 1));
      got.insert(got.end(), into.begin(), into.begin() + static_cast<long>(count));
    }
    while (const std::size_t count = queue.take(into)) {
      got.insert(got.end(), into.begin(), into.begin() + static_cast<long>(count));
    }
    EXPECT_TRUE(got == expected) << "seed " << seed;
    EXPECT_EQ(queue.size(), 0U);
  }
}

TEST(OctetQueue, TakeReadsAndFrees) {
  OctetQueue queue;
  queue.append(Bytes(200'000, 7));
  Bytes into(150'000);
  EXPECT_EQ(queue.take(into), 150'000U);
  EXPECT_EQ(queue.take(into), 50'000U);
  EXPECT_EQ(queue.take(into), 0U);
  EXPECT_EQ(into[49'999], 7);
}

}  // namespace
}  // namespace peersock::testing
