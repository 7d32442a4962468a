#include "adapters/otr_second.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <openssl/bn.h>

#include "adapters/gcrypt_util.hpp"
#include "adapters/openssl_util.hpp"
#include "adapters/otr_message.hpp"

namespace peersock::adapters {
namespace {

// Places in the second message (libotr, sm.c).
constexpr std::uint32_t kNumbers = 11;
constexpr std::size_t kQb = 7;
constexpr std::size_t kCp = 8;
constexpr std::size_t kD6 = 10;

/// The group of RFC 3526 section 2; libotr does not show its own. `q` is the order of 2 in it.
struct Group {
  MpiPtr p;
  MpiPtr q;
};

std::optional<Group> make_group() {
  const std::unique_ptr<BIGNUM, OpenSslDeleter<BN_free>> prime(BN_get_rfc3526_prime_1536(nullptr));
  std::array<std::uint8_t, kMaxSmpNumber> octets{};
  gcry_mpi_t number = nullptr;
  if (!prime || BN_bn2binpad(prime.get(), octets.data(), kMaxSmpNumber) < 0 ||
      gcry_mpi_scan(&number, GCRYMPI_FMT_USG, octets.data(), octets.size(), nullptr) != 0) {
    return std::nullopt;
  }
  Group group{MpiPtr(number), MpiPtr(gcry_mpi_new(kMaxSmpNumber * 8))};
  gcry_mpi_rshift(group.q.get(), group.p.get(), 1);  // p is odd: (p - 1) / 2
  return group;
}

void append_u32(Bytes& to, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

Bytes message_of(const std::vector<ByteView>& numbers) {
  Bytes message;
  append_u32(message, numbers.size());
  for (const ByteView number : numbers) {
    append_u32(message, number.size());
    message.insert(message.end(), number.begin(), number.end());
  }
  return message;
}

std::optional<Bytes> octets_of(gcry_mpi_t number) {
  Bytes octets(kMaxSmpNumber);
  std::size_t size = 0;
  if (gcry_mpi_print(GCRYMPI_FMT_USG, octets.data(), octets.size(), &size, number) != 0) {
    return std::nullopt;
  }
  octets.resize(size);
  return octets;
}

}  // namespace

std::optional<Bytes> complete_second(OtrlSMState& state, ByteView early) {
  auto numbers = numbers_of(early, kNumbers);
  const auto group = make_group();
  if (numbers.empty() || !group) return std::nullopt;
  const MpiPtr challenge = secure_number(numbers[kCp]);
  // Still r6, which would give the secret away beside the completed one.
  const MpiPtr response = secure_number(numbers[kD6]);
  if (!challenge || !response) return std::nullopt;

  const MpiPtr factor(gcry_mpi_snew(kMaxSmpNumber * 8));
  gcry_mpi_powm(factor.get(), state.g2, state.secret, group->p.get());
  gcry_mpi_mulm(state.q, state.q, factor.get(), group->p.get());
  gcry_mpi_mulm(factor.get(), state.secret, challenge.get(), group->q.get());
  gcry_mpi_subm(response.get(), response.get(), factor.get(), group->q.get());

  const auto qb = octets_of(state.q);
  const auto d6 = octets_of(response.get());
  if (!qb || !d6) return std::nullopt;
  numbers[kQb] = *qb;
  numbers[kD6] = *d6;
  return message_of(numbers);
}

}  // namespace peersock::adapters
