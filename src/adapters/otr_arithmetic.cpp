// Exponentiation for libotr, by OpenSSL. A run of the proof is some fifty exponentiations and next
// to nothing else, and libgcrypt takes more than three times as long for each of them.
//
// Half of them are powers of two, for which there is a table. The four inverses of a run take
// libgcrypt as long as some of the powers, so they are calculated here as well.
//
// libotr is linked statically, and the linker gives its calls of gcry_mpi_powm to
// __wrap_gcry_mpi_powm (-Wl,--wrap, meson.build); libgcrypt's own is __real_gcry_mpi_powm; likewise
// gcry_mpi_invm. All other users of libgcrypt in the process keep libgcrypt's.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <gcrypt.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "adapters/fixed_base.hpp"
#include "adapters/gcrypt_util.hpp"
#include "adapters/openssl_util.hpp"

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {
void __real_gcry_mpi_powm(gcry_mpi_t result, gcry_mpi_t base, gcry_mpi_t exponent,
                          gcry_mpi_t modulus);
void __wrap_gcry_mpi_powm(gcry_mpi_t result, gcry_mpi_t base, gcry_mpi_t exponent,
                          gcry_mpi_t modulus);
int __real_gcry_mpi_invm(gcry_mpi_t result, gcry_mpi_t number, gcry_mpi_t modulus);
int __wrap_gcry_mpi_invm(gcry_mpi_t result, gcry_mpi_t number, gcry_mpi_t modulus);
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)

namespace peersock::adapters {
namespace {

/// Room for the numbers of libotr's group and for the exponents that it draws, which are as long.
/// What is longer is libgcrypt's own affair.
constexpr std::size_t kMaxOctets = FixedBase::kOctets;
constexpr BN_ULONG kGenerator = 2;
/// Bits. libotr's exponents are longer; what has less is quicker without the table, whose powers
/// take all the same time.
constexpr int kWorthATable = 512;

// Every number is wiped when it is freed: exponents are secrets, and so are some results.
using NumberPtr = std::unique_ptr<BIGNUM, OpenSslDeleter<BN_clear_free>>;
using ContextPtr = std::unique_ptr<BN_CTX, OpenSslDeleter<BN_CTX_free>>;
using MontgomeryPtr = std::unique_ptr<BN_MONT_CTX, OpenSslDeleter<BN_MONT_CTX_free>>;

/// Big-endian octets on their way from one library to the other: in libgcrypt's locked memory if
/// the number is to be kept there, and wiped in any case.
class Octets {
 public:
  explicit Octets(bool secret)
      : secure_(secret ? static_cast<std::uint8_t*>(gcry_malloc_secure(kMaxOctets)) : nullptr),
        data_(secret ? secure_ : plain_.data()) {}
  Octets(const Octets&) = delete;
  Octets& operator=(const Octets&) = delete;
  Octets(Octets&&) = delete;
  Octets& operator=(Octets&&) = delete;
  ~Octets() {
    if (data_ != nullptr) OPENSSL_cleanse(data_, kMaxOctets);
    gcry_free(secure_);
  }
  explicit operator bool() const { return data_ != nullptr; }
  [[nodiscard]] std::uint8_t* data() const { return data_; }

 private:
  std::array<std::uint8_t, kMaxOctets> plain_{};
  std::uint8_t* secure_;
  std::uint8_t* data_;
};

bool is_secret(gcry_mpi_t number) {
  return gcry_mpi_get_flag(number, GCRYMPI_FLAG_SECURE) != 0;
}

/// Nothing for what OpenSSL is not asked: negative, opaque or too long, or no memory.
NumberPtr to_openssl(gcry_mpi_t number) {
  if (gcry_mpi_get_flag(number, GCRYMPI_FLAG_OPAQUE) != 0 || gcry_mpi_is_neg(number) != 0 ||
      gcry_mpi_get_nbits(number) > kMaxOctets * 8) {
    return nullptr;
  }
  const Octets octets(is_secret(number));
  std::size_t size = 0;
  if (!octets || gcry_mpi_print(GCRYMPI_FMT_USG, octets.data(), kMaxOctets, &size, number) != 0) {
    return nullptr;
  }
  return NumberPtr(BN_bin2bn(octets.data(), static_cast<int>(size), nullptr));
}

/// Stays in locked memory if `into` was there.
bool to_gcrypt(const BIGNUM& number, gcry_mpi_t into) {
  const Octets octets(is_secret(into));
  const int size = BN_num_bytes(&number);
  if (!octets || BN_bn2binpad(&number, octets.data(), size) != size) return false;
  gcry_mpi_t raw = nullptr;
  if (gcry_mpi_scan(&raw, GCRYMPI_FMT_USG, octets.data(), static_cast<std::size_t>(size),
                    nullptr) != 0) {
    return false;
  }
  const MpiPtr held(raw);
  gcry_mpi_set(into, held.get());
  return true;
}

/// The group of libotr (RFC 3526 section 2), and the table of its generator's powers.
struct Group {
  NumberPtr prime;
  std::optional<FixedBase> generator;
};

Group make_group() {
  Group group{NumberPtr(BN_get_rfc3526_prime_1536(nullptr)), std::nullopt};
  const NumberPtr two(BN_new());
  if (group.prime && two && BN_set_word(two.get(), kGenerator) == 1) {
    group.generator = FixedBase::create(*two, *group.prime);
  }
  return group;
}

/// Nothing for another base or modulus, or without memory.
const FixedBase* table_of(const BIGNUM& base, const BIGNUM& modulus) {
  if (BN_is_word(&base, kGenerator) == 0) return nullptr;
  static const Group group = make_group();
  if (!group.generator || BN_cmp(&modulus, group.prime.get()) != 0) return nullptr;
  return &*group.generator;
}

/// False when nothing was calculated, and `result` has no meaning.
bool power_by_table(const FixedBase& table, BIGNUM& result, gcry_mpi_t exponent, BN_CTX* context) {
  const Octets octets(is_secret(exponent));
  std::size_t size = 0;
  if (!octets || gcry_mpi_print(GCRYMPI_FMT_USG, octets.data(), kMaxOctets, &size, exponent) != 0) {
    return false;
  }
  // At the end, with zeros before it.
  std::copy_backward(octets.data(), octets.data() + size, octets.data() + kMaxOctets);
  std::fill_n(octets.data(), kMaxOctets - size, std::uint8_t{0});
  return table.power(result, FixedBase::Exponent(octets.data(), kMaxOctets), context);
}

/// False when nothing was calculated, and `result` is as it was.
bool power(gcry_mpi_t result, gcry_mpi_t base, gcry_mpi_t exponent, gcry_mpi_t modulus) {
  const NumberPtr m = to_openssl(modulus);
  if (!m || BN_is_odd(m.get()) == 0 || BN_is_one(m.get()) != 0) return false;
  const NumberPtr b = to_openssl(base);
  const NumberPtr e = to_openssl(exponent);
  const ContextPtr context(BN_CTX_new());
  const NumberPtr answer(BN_new());
  if (!b || !e || !context || !answer) return false;
  const FixedBase* table = table_of(*b, *m);
  if (table != nullptr && BN_num_bits(e.get()) > kWorthATable) {
    return power_by_table(*table, *answer, exponent, context.get()) && to_gcrypt(*answer, result);
  }
  const MontgomeryPtr montgomery(BN_MONT_CTX_new());
  if (!montgomery) return false;
  BN_set_flags(e.get(), BN_FLG_CONSTTIME);
  // Its timing does not depend on the exponent's value, whether that is a secret or not.
  return BN_MONT_CTX_set(montgomery.get(), m.get(), context.get()) == 1 &&
         BN_mod_exp_mont_consttime(answer.get(), b.get(), e.get(), m.get(), context.get(),
                                   montgomery.get()) == 1 &&
         to_gcrypt(*answer, result);
}

/// Likewise.
bool inverse(gcry_mpi_t result, gcry_mpi_t number, gcry_mpi_t modulus) {
  const NumberPtr m = to_openssl(modulus);
  if (!m || BN_is_odd(m.get()) == 0 || BN_is_one(m.get()) != 0) return false;
  const NumberPtr n = to_openssl(number);
  const ContextPtr context(BN_CTX_new());
  if (!n || !context) return false;
  BN_set_flags(n.get(), BN_FLG_CONSTTIME);
  const NumberPtr answer(BN_mod_inverse(nullptr, n.get(), m.get(), context.get()));
  if (!answer) {
    ERR_clear_error();  // there may be none, and libgcrypt says so in its own way
    return false;
  }
  return to_gcrypt(*answer, result);
}

}  // namespace
}  // namespace peersock::adapters

// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
void __wrap_gcry_mpi_powm(gcry_mpi_t result, gcry_mpi_t base, gcry_mpi_t exponent,
                          gcry_mpi_t modulus) {
  if (peersock::adapters::power(result, base, exponent, modulus)) return;
  __real_gcry_mpi_powm(result, base, exponent, modulus);
}

// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
int __wrap_gcry_mpi_invm(gcry_mpi_t result, gcry_mpi_t number, gcry_mpi_t modulus) {
  if (peersock::adapters::inverse(result, number, modulus)) return 1;
  return __real_gcry_mpi_invm(result, number, modulus);
}
