#include "adapters/fixed_base.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <openssl/crypto.h>

namespace peersock::adapters {
namespace {

constexpr int kBits = static_cast<int>(FixedBase::kOctets) * 8;
/// Of a number that has at least one word less than the modulus.
constexpr int kShort = kBits - 64;

/// All ones if they are equal, else zero, without a branch: the compiler is to know no more of the
/// result than that it is a number.
std::uint64_t mask_if_equal(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t differ = a ^ b;
  std::uint64_t mask = ((differ | (0 - differ)) >> 63) - 1;
  __asm__("" : "+r"(mask));
  return mask;
}

}  // namespace

bool FixedBase::multiply(BIGNUM& a, const BIGNUM& b, BN_CTX* context) const {
  return BN_mod_mul_montgomery(&a, &a, &b, montgomery_.get(), context) == 1;
}

std::optional<FixedBase> FixedBase::create(const BIGNUM& base, const BIGNUM& modulus) {
  if (BN_num_bytes(&modulus) != static_cast<int>(kOctets) || BN_is_odd(&modulus) == 0 ||
      BN_cmp(&base, BN_value_one()) <= 0 || BN_cmp(&base, &modulus) >= 0) {
    return std::nullopt;
  }
  const ContextPtr context(BN_CTX_new());
  FixedBase made;
  made.montgomery_.reset(BN_MONT_CTX_new());
  if (!context || !made.montgomery_ ||
      BN_MONT_CTX_set(made.montgomery_.get(), &modulus, context.get()) != 1 ||
      !made.fill(base, context.get()) || !made.set_correction(modulus, context.get())) {
    return std::nullopt;
  }
  return made;
}

// The tooth t of the table j is base ^ 2 ^ ((t * kTables + j) * kColumns).
bool FixedBase::fill(const BIGNUM& base, BN_CTX* context) {
  std::array<std::array<NumberPtr, kTeeth>, kTables> teeth;
  NumberPtr square(BN_new());
  if (!square || BN_to_montgomery(square.get(), &base, montgomery_.get(), context) != 1) {
    return false;
  }
  for (int number = 0; number < kTeeth * kTables; ++number) {
    NumberPtr& tooth = teeth.at(static_cast<std::size_t>(number % kTables))
                           .at(static_cast<std::size_t>(number / kTables));
    tooth.reset(BN_dup(square.get()));
    if (!tooth) return false;
    for (int column = 0; column < kColumns; ++column) {
      if (!multiply(*square, *square, context)) return false;
    }
  }
  blind_ = std::move(square);
  tables_.resize(kTables);
  for (std::size_t i = 0; i < kTables; ++i) {
    if (!fill(tables_.at(i), teeth.at(i), context)) return false;
  }
  return true;
}

bool FixedBase::fill(Table& table, std::span<const NumberPtr, kTeeth> teeth,
                     BN_CTX* context) const {
  std::array<NumberPtr, kEntries> products;
  for (std::size_t i = 0; i < kEntries; ++i) {
    // Without its lowest tooth it has been made before.
    const BIGNUM* rest = i == 0 ? blind_.get() : products.at(i & (i - 1)).get();
    products.at(i).reset(BN_dup(rest));
    BIGNUM* product = products.at(i).get();
    if (product == nullptr ||
        (i != 0 &&
         !multiply(*product, *teeth[static_cast<std::size_t>(std::countr_zero(i))], context)) ||
        BN_num_bits(product) <= kShort ||
        BN_bn2nativepad(product, reinterpret_cast<unsigned char*>(table.at(i).data()), kOctets) <
            0) {
      return false;
    }
  }
  return true;
}

// What the exponent zero comes to is those factors.
bool FixedBase::set_correction(const BIGNUM& modulus, BN_CTX* context) {
  const std::array<std::uint8_t, kOctets> zero{};
  const NumberPtr factors(BN_new());
  return factors && raw_power(*factors, zero, context) &&
         BN_from_montgomery(factors.get(), factors.get(), montgomery_.get(), context) == 1 &&
         (correction_ = NumberPtr(BN_mod_inverse(nullptr, factors.get(), &modulus, context)));
}

// What is read of the exponent depends on the place alone.
std::size_t FixedBase::index(Exponent exponent, int table, int column) {
  std::size_t found = 0;
  for (int tooth = 0; tooth < kTeeth; ++tooth) {
    const int bit = (tooth * kTables + table) * kColumns + column;
    if (bit >= kBits) continue;
    const auto octet = kOctets - 1 - static_cast<std::size_t>(bit / 8);
    found |= std::size_t{exponent[octet] >> bit % 8 & 1U} << tooth;
  }
  return found;
}

// All entries are read, whichever is wanted.
bool FixedBase::pick(BIGNUM& into, const Table& table, std::size_t index) {
  // So few at a time that they stay in registers.
  constexpr std::size_t kAtOnce = 8;
  static_assert(kWords % kAtOnce == 0);
  std::array<std::uint64_t, kEntries> masks{};
  for (std::size_t i = 0; i < kEntries; ++i) masks[i] = mask_if_equal(i, index);
  Entry picked{};
  for (std::size_t first = 0; first < kWords; first += kAtOnce) {
    std::array<std::uint64_t, kAtOnce> words{};
    for (std::size_t i = 0; i < kEntries; ++i) {
      for (std::size_t j = 0; j < kAtOnce; ++j) words[j] |= table[i][first + j] & masks[i];
    }
    std::copy(words.begin(), words.end(), picked.begin() + first);
    OPENSSL_cleanse(words.data(), sizeof words);
  }
  const bool done = BN_native2bn(reinterpret_cast<const unsigned char*>(picked.data()), kOctets,
                                 &into) != nullptr;
  OPENSSL_cleanse(picked.data(), kOctets);
  OPENSSL_cleanse(masks.data(), sizeof masks);
  return done;
}

bool FixedBase::raw_power(BIGNUM& product, Exponent exponent, BN_CTX* context) const {
  const NumberPtr factor(BN_new());
  if (!factor || BN_copy(&product, blind_.get()) == nullptr) return false;
  for (int column = kColumns - 1; column >= 0; --column) {
    if (!multiply(product, product, context)) return false;
    for (int table = 0; table < kTables; ++table) {
      if (!pick(*factor, tables_[static_cast<std::size_t>(table)],
                index(exponent, table, column)) ||
          !multiply(product, *factor, context)) {
        return false;
      }
    }
  }
  return true;
}

bool FixedBase::power(BIGNUM& result, Exponent exponent, BN_CTX* context) const {
  const NumberPtr product(BN_new());
  return product && raw_power(*product, exponent, context) &&
         BN_mod_mul_montgomery(&result, product.get(), correction_.get(), montgomery_.get(),
                               context) == 1;
}

}  // namespace peersock::adapters
