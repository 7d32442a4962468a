#include "adapters/entropy.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace peersock::adapters {
namespace {

TEST(SystemRng, FillsEverythingAndNeverTheSame) {
  SystemRng first;
  SystemRng second;
  const Bytes a = random_bytes(first, 4096);
  const Bytes b = random_bytes(second, 4096);
  EXPECT_NE(a, b);
  // A part left as it was would be a run of zeros.
  const Bytes zeros(8, 0);
  EXPECT_EQ(std::search(a.begin(), a.end(), zeros.begin(), zeros.end()), a.end());
}

TEST(SystemRng, TakesAnEmptyBuffer) {
  SystemRng rng;
  rng.fill({});
}

}  // namespace
}  // namespace peersock::adapters
