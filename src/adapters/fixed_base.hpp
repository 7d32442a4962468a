// Powers of one base, which are quicker than those of any other because their squarings have been
// done before (the comb method; Handbook of Applied Cryptography, 14.6.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <openssl/bn.h>

#include "adapters/openssl_util.hpp"

namespace peersock::adapters {

class FixedBase {
 public:
  /// Of an exponent, and at most of the modulus.
  static constexpr std::size_t kOctets = 192;
  using Exponent = std::span<const std::uint8_t, kOctets>;  ///< big-endian

  /// `modulus` is a prime of kOctets, `base` less than it and more than 1. Costs as much as a power
  /// without a table. Nothing without memory, or for numbers that this is not for.
  [[nodiscard]] static std::optional<FixedBase> create(const BIGNUM& base, const BIGNUM& modulus);

  /// base ^ exponent mod modulus. The timing and the places of memory that are looked at do not
  /// depend on the exponent. False without memory, and `result` has no meaning.
  [[nodiscard]] bool power(BIGNUM& result, Exponent exponent, BN_CTX* context) const;

 private:
  /// The exponent is read as so many numbers side by side, whose bits at one place are one index.
  static constexpr int kTeeth = 5;
  /// So many tables share the places, so that there are fewer squarings by this factor.
  static constexpr int kTables = 7;
  static constexpr int kColumns = 44;  ///< places of each table
  static_assert(kTeeth * kTables * kColumns >= static_cast<int>(kOctets * 8));
  static constexpr std::size_t kEntries = std::size_t{1} << kTeeth;
  static constexpr std::size_t kWords = kOctets / sizeof(std::uint64_t);

  using NumberPtr = std::unique_ptr<BIGNUM, OpenSslDeleter<BN_clear_free>>;
  using ContextPtr = std::unique_ptr<BN_CTX, OpenSslDeleter<BN_CTX_free>>;
  using MontgomeryPtr = std::unique_ptr<BN_MONT_CTX, OpenSslDeleter<BN_MONT_CTX_free>>;
  /// Little-endian, in Montgomery's form.
  using Entry = std::array<std::uint64_t, kWords>;
  using Table = std::array<Entry, kEntries>;

  FixedBase() = default;
  [[nodiscard]] bool fill(const BIGNUM& base, BN_CTX* context);
  [[nodiscard]] bool fill(Table& table, std::span<const NumberPtr, kTeeth> teeth,
                          BN_CTX* context) const;
  [[nodiscard]] bool set_correction(const BIGNUM& modulus, BN_CTX* context);
  [[nodiscard]] bool multiply(BIGNUM& a, const BIGNUM& b, BN_CTX* context) const;
  [[nodiscard]] bool raw_power(BIGNUM& product, Exponent exponent, BN_CTX* context) const;
  [[nodiscard]] static std::size_t index(Exponent exponent, int table, int column);
  [[nodiscard]] static bool pick(BIGNUM& into, const Table& table, std::size_t index);

  MontgomeryPtr montgomery_;
  /// Every entry has this factor besides. OpenSSL multiplies short numbers in another way and time,
  /// and the entry of no bits at all would be one, which is short in Montgomery's form.
  NumberPtr blind_;
  /// Takes all those factors out of a product, and brings it out of Montgomery's form.
  NumberPtr correction_;
  std::vector<Table> tables_;
};

}  // namespace peersock::adapters
