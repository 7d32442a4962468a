// Every run of the tests feeds each target the same thousands of broken inputs.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/rng.hpp"
#include "support/seeded_rng.hpp"
#include "targets.hpp"

namespace peersock::fuzz {
namespace {

constexpr int kRounds = 10000;
constexpr std::uint32_t kMostChanges = 6;
constexpr std::size_t kLongest = 4096;

std::size_t index_below(Rng& rng, std::size_t bound) {
  return random_below(rng, static_cast<std::uint32_t>(bound));
}

/// Octets that readers are likely to trip over, or any.
std::uint8_t odd_octet(Rng& rng) {
  static constexpr std::uint8_t kOdd[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\\', '{',
                                          '}', '[', ']',  ',',  ':',  ' ', '-',  '0'};
  if (random_below(rng, 2) == 0) return kOdd[index_below(rng, std::size(kOdd))];
  return static_cast<std::uint8_t>(random_below(rng, 256));
}

std::ptrdiff_t place_in(Rng& rng, const Bytes& input) {
  return static_cast<std::ptrdiff_t>(index_below(rng, input.size() + 1));
}

/// Two places in order; the range between them.
std::pair<std::ptrdiff_t, std::ptrdiff_t> range_in(Rng& rng, const Bytes& input) {
  return std::minmax({place_in(rng, input), place_in(rng, input)});
}

void change(Rng& rng, Bytes& input, const Bytes& other) {
  const auto [from, to] = range_in(rng, input);
  const auto begin = input.begin();
  switch (random_below(rng, 6)) {
    case 0:
      if (!input.empty()) input[index_below(rng, input.size())] = odd_octet(rng);
      break;
    case 1:
      if (!input.empty()) {
        input[index_below(rng, input.size())] ^=
            static_cast<std::uint8_t>(1U << random_below(rng, 8));
      }
      break;
    case 2: {
      const std::size_t count = 1 + index_below(rng, 40);
      input.insert(begin + from, count, odd_octet(rng));
      break;
    }
    case 3:
      input.erase(begin + from, begin + to);
      break;
    case 4: {
      const Bytes piece(begin + from, begin + to);
      input.insert(begin + place_in(rng, input), piece.begin(), piece.end());
      break;
    }
    default: {
      const auto [start, end] = range_in(rng, other);
      input.insert(begin + from, other.begin() + start, other.begin() + end);
    }
  }
  if (input.size() > kLongest) input.resize(kLongest);
}

class Mutations : public ::testing::TestWithParam<Target> {};

TEST_P(Mutations, KeepEveryProperty) {
  const Target& target = GetParam();
  const auto seeds = target.seeds();
  for (const Bytes& seed : seeds) EXPECT_EQ(target.run(seed), "") << to_hex(seed);
  testing::SeededRng rng(20240601);
  for (int round = 0; round < kRounds; ++round) {
    Bytes input = seeds[index_below(rng, seeds.size())];
    const std::uint32_t changes = 1 + random_below(rng, kMostChanges);
    for (std::uint32_t i = 0; i < changes; ++i) {
      change(rng, input, seeds[index_below(rng, seeds.size())]);
    }
    ASSERT_EQ(target.run(input), "") << "round " << round << ": " << to_hex(input);
  }
}

TEST_P(Mutations, NoiseKeepsEveryProperty) {
  testing::SeededRng rng(7);
  for (int round = 0; round < kRounds / 3; ++round) {
    const Bytes input = random_bytes(rng, index_below(rng, 300));
    ASSERT_EQ(GetParam().run(input), "") << to_hex(input);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Mutations, ::testing::ValuesIn(all_targets()),
                         [](const ::testing::TestParamInfo<Target>& param) {
                           return std::string(param.param.name);
                         });

}  // namespace

void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

}  // namespace peersock::fuzz
