// The octets that local programs send, and the digest of what sockets carry.
#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

#include <gcrypt.h>
#include <gtest/gtest.h>

#include "digest.hpp"
#include "programs/service.hpp"
#include "programs/transfer.hpp"
#include "sim_hosts.hpp"

namespace peersock::sim {
namespace {

using namespace std::chrono_literals;
using peersock::testing::SimHosts;

using Octets = std::vector<std::uint8_t>;

Octets pattern(std::uint64_t seed, std::uint64_t at, std::size_t size) {
  Octets octets(size);
  fill_pattern(seed, at, octets);
  return octets;
}

TEST(Pattern, IsTheSameInWhateverPieces) {
  const Octets whole = pattern(7, 0, 200);
  for (std::size_t at = 0; at < 40; ++at) {
    for (std::size_t size = 0; size < 40; ++size) {
      const Octets part(whole.begin() + static_cast<std::ptrdiff_t>(at),
                        whole.begin() + static_cast<std::ptrdiff_t>(at + size));
      EXPECT_EQ(pattern(7, at, size), part) << size << " octets at " << at;
    }
  }
}

TEST(Pattern, DependsOnSeedAndPlace) {
  EXPECT_NE(pattern(1, 0, 8), pattern(2, 0, 8));
  EXPECT_NE(pattern(1, 0, 64), pattern(1, 8, 64));
  EXPECT_NE(pattern(1, 0, 64), pattern(1, 1, 64));
}

std::uint64_t digest_of(const Octets& octets) {
  Digest digest;
  digest.add("send", 1, Nanos{5}, octets);
  return digest.value();
}

// Of every length up to more than two blocks, each octet counts, and so does its place.
TEST(DigestOfTraffic, CoversEveryOctet) {
  for (std::size_t size = 1; size <= 80; ++size) {
    Octets octets(size);
    std::iota(octets.begin(), octets.end(), std::uint8_t{1});
    std::set<std::uint64_t> seen{digest_of(octets)};
    for (std::size_t at = 0; at < size; ++at) {
      Octets other = octets;
      other[at] ^= 0x10;
      EXPECT_TRUE(seen.insert(digest_of(other)).second) << at << " of " << size;
      if (at == 0) continue;
      other = octets;
      std::swap(other[at], other[at - 1]);
      EXPECT_TRUE(seen.insert(digest_of(other)).second) << at << " of " << size;
    }
    octets.push_back(0);
    EXPECT_TRUE(seen.insert(digest_of(octets)).second) << "a zero more than " << size;
  }
}

TEST(DigestOfTraffic, CoversWhoAndWhen) {
  Digest one;
  one.add("send", 1, Nanos{5}, {});
  Digest who;
  who.add("send", 2, Nanos{5}, {});
  Digest when;
  when.add("send", 1, Nanos{6}, {});
  Digest what;
  what.add("recv", 1, Nanos{5}, {});
  EXPECT_EQ((std::set{one.value(), who.value(), when.value(), what.value()}.size()), 4U);
}

class LocalPrograms : public SimHosts {
 protected:
  /// Two programs of the first host, over its loopback; true when both have ended by themselves.
  bool exchange(const TransferPlan& client_plan, const TransferPlan& service_plan) {
    std::unique_ptr<Service> service;
    std::unique_ptr<Transfer> client;
    first.run([&] {
      service = std::make_unique<Service>(first.context(), "127.0.0.1", 6000, service_plan, [] {});
      client = std::make_unique<Transfer>(first.context(), connecting_socket("127.0.0.1", 6000),
                                          client_plan, [] {});
    });
    pass(5s);
    const bool ended = client->result().ended && service->transfers().size() == 1 &&
                       service->transfers().front()->result().ended;
    client_result = client->result();
    if (!service->transfers().empty()) service_result = service->transfers().front()->result();
    first.run([&] {
      client.reset();
      service.reset();
    });
    return ended;
  }

  TransferResult client_result;
  TransferResult service_result;
};

// From what fits into the first segment to more than the first window; both ends finish at once.
TEST_F(LocalPrograms, EndTogetherWhateverTheyHaveToSay) {
  for (const std::uint64_t size : {0, 1, 1000, 1428, 1429, 3000, 14280, 16384, 40000, 65536}) {
    const std::uint64_t octets = size;
    ASSERT_TRUE(exchange({octets, 1, 2, Duration{0}}, {octets, 2, 1, Duration{0}})) << octets;
    EXPECT_EQ(client_result.received, octets);
    EXPECT_EQ(service_result.received, octets);
    EXPECT_EQ(client_result.wrong_at, std::nullopt);
    EXPECT_EQ(service_result.wrong_at, std::nullopt);
    pass(1s);
  }
}

TEST_F(LocalPrograms, FindTheFirstWrongOctet) {
  ASSERT_TRUE(exchange({8000, 1, 3, Duration{0}}, {8000, 3, 2, Duration{0}}));
  EXPECT_EQ(client_result.wrong_at, std::nullopt);
  ASSERT_TRUE(service_result.wrong_at);
  const Octets sent = pattern(1, 0, 8000);
  const Octets expected = pattern(2, 0, 8000);
  const auto first_wrong = std::ranges::mismatch(sent, expected).in1 - sent.begin();
  EXPECT_EQ(*service_result.wrong_at, static_cast<std::uint64_t>(first_wrong));
}

// libotr's exponents are short in a simulation, and nothing else that is drawn.
TEST_F(LocalPrograms, DrawShortExponentsOnly) {
  constexpr std::size_t kSize = 192;
  first.run([&] {
    std::array<std::uint8_t, kSize> plain{};
    gcry_randomize(plain.data(), kSize, GCRY_STRONG_RANDOM);
    EXPECT_GT(std::set(plain.begin(), plain.begin() + 64).size(), 32U);
    auto* secret = static_cast<std::uint8_t*>(gcry_random_bytes_secure(kSize, GCRY_STRONG_RANDOM));
    EXPECT_TRUE(std::all_of(secret, secret + kSize - 8, [](auto octet) { return octet == 0; }));
    EXPECT_GT((std::set(secret + kSize - 8, secret + kSize).size()), 4U);
    gcry_free(secret);
  });
}

}  // namespace
}  // namespace peersock::sim
