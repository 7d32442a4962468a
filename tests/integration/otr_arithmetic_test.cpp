// The arithmetic that libotr is given (adapters/otr_arithmetic.cpp): the results of libgcrypt's
// own, the same protocol on the wire, and the cost of a run, counted and not timed.
#include <functional>
#include <memory>
#include <string>

#include <gcrypt.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>

#include "adapters/otr_smp.hpp"
#include "shared_otr_smp.hpp"
#include "support/seeded_rng.hpp"

namespace {

int exponentiations = 0;
/// By Montgomery's method; those within an exponentiation do not count.
int multiplications = 0;

}  // namespace

// The linker's names: what this program calls under the plain name goes through the __wrap_ one.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {
void __real_gcry_mpi_powm(gcry_mpi_t result, gcry_mpi_t base, gcry_mpi_t exponent,
                          gcry_mpi_t modulus);
int __real_BN_mod_exp_mont_consttime(BIGNUM* result, const BIGNUM* base, const BIGNUM* exponent,
                                     const BIGNUM* modulus, BN_CTX* context, BN_MONT_CTX* mont);
int __wrap_BN_mod_exp_mont_consttime(BIGNUM* result, const BIGNUM* base, const BIGNUM* exponent,
                                     const BIGNUM* modulus, BN_CTX* context, BN_MONT_CTX* mont);
int __real_BN_mod_mul_montgomery(BIGNUM* result, const BIGNUM* a, const BIGNUM* b,
                                 BN_MONT_CTX* mont, BN_CTX* context);
int __wrap_BN_mod_mul_montgomery(BIGNUM* result, const BIGNUM* a, const BIGNUM* b,
                                 BN_MONT_CTX* mont, BN_CTX* context);
int __real_gcry_mpi_invm(gcry_mpi_t result, gcry_mpi_t number, gcry_mpi_t modulus);
}

int __wrap_BN_mod_exp_mont_consttime(BIGNUM* result, const BIGNUM* base, const BIGNUM* exponent,
                                     const BIGNUM* modulus, BN_CTX* context, BN_MONT_CTX* mont) {
  ++exponentiations;
  return __real_BN_mod_exp_mont_consttime(result, base, exponent, modulus, context, mont);
}

int __wrap_BN_mod_mul_montgomery(BIGNUM* result, const BIGNUM* a, const BIGNUM* b,
                                 BN_MONT_CTX* mont, BN_CTX* context) {
  ++multiplications;
  return __real_BN_mod_mul_montgomery(result, a, b, mont, context);
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)

namespace peersock::adapters {
namespace {

using auth::SmpEngine;
using peersock::testing::make_shared_otr_smp_engine;
using peersock::testing::SeededRng;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kOther = "0123456789abcdef0123456789abcdeg";

struct MpiRelease {
  void operator()(gcry_mpi_t number) const { gcry_mpi_release(number); }
};
using Mpi = std::unique_ptr<gcry_mpi, MpiRelease>;

Mpi number(const Bytes& octets) {
  gcry_mpi_t made = nullptr;
  EXPECT_EQ(gcry_mpi_scan(&made, GCRYMPI_FMT_USG, octets.data(), octets.size(), nullptr), 0U);
  return Mpi(made);
}
Mpi number(const char* hex) {
  gcry_mpi_t made = nullptr;
  EXPECT_EQ(gcry_mpi_scan(&made, GCRYMPI_FMT_HEX, hex, 0, nullptr), 0U);
  return Mpi(made);
}
Mpi secure(gcry_mpi_t value) {
  Mpi made(gcry_mpi_snew(1536));
  gcry_mpi_set(made.get(), value);
  gcry_mpi_set_flag(made.get(), GCRYMPI_FLAG_SECURE);
  return made;
}
Mpi modulus() {
  return number(
      "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E34"
      "04DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6"
      "F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A6916"
      "3FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327"
      "FFFFFFFFFFFFFFFF");
}
std::string text(gcry_mpi_t value) {
  unsigned char* hex = nullptr;
  EXPECT_EQ(gcry_mpi_aprint(GCRYMPI_FMT_HEX, &hex, nullptr, value), 0U);
  std::string result(reinterpret_cast<char*>(hex));
  gcry_free(hex);
  return result;
}

/// Ours and libgcrypt's; whether OpenSSL did the work.
bool expect_agreement(gcry_mpi_t base, gcry_mpi_t exponent, gcry_mpi_t mod) {
  const Mpi ours(gcry_mpi_new(0));
  const Mpi theirs(gcry_mpi_new(0));
  const int before = exponentiations + multiplications;
  gcry_mpi_powm(ours.get(), base, exponent, mod);
  const bool by_openssl = exponentiations + multiplications > before;
  __real_gcry_mpi_powm(theirs.get(), base, exponent, mod);
  EXPECT_EQ(text(ours.get()), text(theirs.get()))
      << text(base) << " ^ " << text(exponent) << " mod " << text(mod);
  return by_openssl;
}

class OtrArithmetic : public ::testing::Test {
 protected:
  OtrArithmetic() { EXPECT_TRUE(make_otr_smp_engine()->start()); }  // sets libgcrypt up
};

TEST_F(OtrArithmetic, AgreesWithLibgcryptOnRandomNumbers) {
  SeededRng rng(31);
  for (int round = 0; round < 200; ++round) {
    const auto draw = [&] { return number(random_bytes(rng, 1 + random_below(rng, 192))); };
    const Mpi base = draw();
    const Mpi exponent = draw();
    Mpi mod = round % 2 == 0 ? modulus() : draw();
    gcry_mpi_set_bit(mod.get(), 0);
    gcry_mpi_set_bit(mod.get(), 1);  // odd, and not 1
    EXPECT_TRUE(expect_agreement(base.get(), exponent.get(), mod.get()));
  }
}

TEST_F(OtrArithmetic, AgreesWithLibgcryptAtTheEdges) {
  const Mpi p = modulus();
  Mpi less(gcry_mpi_new(0));
  gcry_mpi_sub_ui(less.get(), p.get(), 1);
  Mpi more(gcry_mpi_new(0));
  gcry_mpi_add_ui(more.get(), p.get(), 1);
  const Mpi zero = number("00");
  const Mpi one = number("01");
  const Mpi two = number("02");
  const Mpi three = number("03");
  for (gcry_mpi_t base : {zero.get(), one.get(), two.get(), less.get(), p.get()}) {
    for (gcry_mpi_t exponent : {zero.get(), one.get(), two.get(), less.get(), p.get()}) {
      for (gcry_mpi_t mod : {p.get(), three.get()}) {
        EXPECT_TRUE(expect_agreement(base, exponent, mod));
      }
    }
  }
  EXPECT_TRUE(expect_agreement(more.get(), two.get(), p.get())) << "a base above the modulus";
}

TEST_F(OtrArithmetic, LeavesToLibgcryptWhatIsNotForIt) {
  const Mpi p = modulus();
  const Mpi two = number("02");
  const Mpi seven = number("07");
  const Mpi even = number("0100");
  const Mpi one = number("01");
  const Mpi negative(gcry_mpi_copy(seven.get()));
  gcry_mpi_neg(negative.get(), negative.get());
  const Mpi longer = number(Bytes(193, 0xff));
  EXPECT_FALSE(expect_agreement(seven.get(), two.get(), even.get()));
  EXPECT_FALSE(expect_agreement(seven.get(), two.get(), one.get()));
  EXPECT_FALSE(expect_agreement(negative.get(), two.get(), p.get()));
  EXPECT_FALSE(expect_agreement(seven.get(), longer.get(), p.get()));
  EXPECT_FALSE(expect_agreement(longer.get(), seven.get(), p.get()));
}

TEST_F(OtrArithmetic, TheResultMayBeAnyOfTheOperands) {
  const Mpi p = modulus();
  const Mpi base = number("0123456789");
  const Mpi exponent = number("0abcdef1");
  const Mpi wanted(gcry_mpi_new(0));
  __real_gcry_mpi_powm(wanted.get(), base.get(), exponent.get(), p.get());
  for (int operand = 0; operand < 3; ++operand) {
    const Mpi b(gcry_mpi_copy(base.get()));
    const Mpi e(gcry_mpi_copy(exponent.get()));
    const Mpi m(gcry_mpi_copy(p.get()));
    gcry_mpi_t result = std::array{b.get(), e.get(), m.get()}.at(operand);
    gcry_mpi_powm(result, b.get(), e.get(), m.get());
    EXPECT_EQ(text(result), text(wanted.get())) << operand;
  }
}

TEST_F(OtrArithmetic, SecretsStayInSecureMemory) {
  const Mpi p = modulus();
  const Mpi base = number("0123456789");
  const Mpi exponent = secure(base.get());
  const Mpi secret(gcry_mpi_snew(1536));
  gcry_mpi_powm(secret.get(), base.get(), exponent.get(), p.get());
  EXPECT_NE(gcry_mpi_get_flag(secret.get(), GCRYMPI_FLAG_SECURE), 0);
  const Mpi open(gcry_mpi_new(1536));
  gcry_mpi_powm(open.get(), base.get(), exponent.get(), p.get());
  EXPECT_EQ(gcry_mpi_get_flag(open.get(), GCRYMPI_FLAG_SECURE), 0);
  EXPECT_EQ(text(secret.get()), text(open.get()));
}

/// A bit at each place that the table's division of the exponent could treat in a way of its own,
/// and beside it.
TEST_F(OtrArithmetic, AgreesWithLibgcryptOnPowersOfTwo) {
  const Mpi p = modulus();
  const Mpi two = number("02");
  SeededRng rng(32);
  for (int round = 0; round < 100; ++round) {
    const Mpi exponent = number(random_bytes(rng, 1 + random_below(rng, 192)));
    EXPECT_TRUE(expect_agreement(two.get(), exponent.get(), p.get()));
  }
  for (unsigned bit = 0; bit < 1536; bit += 11) {
    for (const unsigned place : {bit, bit + 10}) {
      if (place >= 1536) continue;
      const Mpi exponent(gcry_mpi_new(0));
      gcry_mpi_set_bit(exponent.get(), place);
      EXPECT_TRUE(expect_agreement(two.get(), exponent.get(), p.get()));
    }
  }
  const Mpi most = number(Bytes(192, 0xff));
  EXPECT_TRUE(expect_agreement(two.get(), most.get(), p.get()));
  EXPECT_TRUE(expect_agreement(two.get(), secure(most.get()).get(), p.get()));
}

/// The table's power costs the same number of multiplications, whatever the exponent is; one that
/// is far shorter than libotr's is quicker without it.
TEST_F(OtrArithmetic, APowerOfTwoCostsTheSameForEveryExponent) {
  const Mpi p = modulus();
  const Mpi two = number("02");
  const Mpi result(gcry_mpi_new(0));
  const auto cost = [&](const Bytes& octets) {
    const Mpi exponent = number(octets);
    const int before = multiplications;
    gcry_mpi_powm(result.get(), two.get(), exponent.get(), p.get());
    return multiplications - before;
  };
  static_cast<void>(cost(Bytes(192, 1)));  // makes the table, if nobody has
  const int usual = cost(Bytes(192, 0xa5));
  EXPECT_GT(usual, 300);
  EXPECT_LT(usual, 400);
  EXPECT_EQ(cost(Bytes(192, 0xff)), usual);
  Bytes one_bit(192);
  one_bit.front() = 1;
  EXPECT_EQ(cost(one_bit), usual);
  EXPECT_EQ(cost(Bytes(65, 0xff)), usual);
  EXPECT_EQ(cost(Bytes(64, 0xff)), 0);
}

/// What ours and libgcrypt's say of an inverse, and that they agree.
bool expect_same_inverse(gcry_mpi_t value, gcry_mpi_t mod) {
  const Mpi ours(gcry_mpi_new(0));
  const Mpi theirs(gcry_mpi_new(0));
  const int found = gcry_mpi_invm(ours.get(), value, mod);
  EXPECT_EQ(found != 0, __real_gcry_mpi_invm(theirs.get(), value, mod) != 0) << text(value);
  if (found != 0) {
    EXPECT_EQ(text(ours.get()), text(theirs.get())) << text(value) << " mod " << text(mod);
  }
  return found != 0;
}

TEST_F(OtrArithmetic, AgreesWithLibgcryptOnInverses) {
  const Mpi p = modulus();
  SeededRng rng(33);
  for (int round = 0; round < 100; ++round) {
    const Mpi value = number(random_bytes(rng, 1 + random_below(rng, 192)));
    EXPECT_TRUE(expect_same_inverse(value.get(), p.get()));
  }
  Mpi less(gcry_mpi_new(0));
  gcry_mpi_sub_ui(less.get(), p.get(), 1);
  Mpi more(gcry_mpi_new(0));
  gcry_mpi_add_ui(more.get(), p.get(), 3);
  EXPECT_TRUE(expect_same_inverse(number("01").get(), p.get()));
  EXPECT_TRUE(expect_same_inverse(less.get(), p.get()));
  EXPECT_TRUE(expect_same_inverse(more.get(), p.get()));
  EXPECT_TRUE(expect_same_inverse(number("07").get(), number("0100").get())) << "an even modulus";
  EXPECT_FALSE(expect_same_inverse(p.get(), p.get()));
  EXPECT_FALSE(expect_same_inverse(number("06").get(), number("09").get()));
  const Mpi value = number("0123456789");
  const Mpi wanted(gcry_mpi_new(0));
  __real_gcry_mpi_invm(wanted.get(), value.get(), p.get());
  gcry_mpi_invm(value.get(), value.get(), p.get());
  EXPECT_EQ(text(value.get()), text(wanted.get())) << "the result may be the operand";
}

int cost_of(const std::function<void()>& step) {
  const int before = exponentiations;
  step();
  return exponentiations - before;
}

// The exponentiations of a run without those that have a table, by step: the first three steps are
// taken before there is a path, the others one after the other while the user waits.
TEST_F(OtrArithmetic, ARunCostsTwentyNineExponentiationsOfWaiting) {
  const Secret secret(kSecret);
  const auto alice = make_otr_smp_engine();
  const auto bob = make_otr_smp_engine();
  Bytes body;
  EXPECT_EQ(cost_of([&] { body = alice->start().value(); }), 0);
  EXPECT_EQ(cost_of([&] { EXPECT_TRUE(bob->check1(body)); }), 4);
  EXPECT_EQ(cost_of([&] { EXPECT_TRUE(bob->prepare1()); }), 4);
  EXPECT_EQ(cost_of([&] { body = bob->answer1(secret).value(); }), 1);
  EXPECT_EQ(cost_of([&] { body = alice->answer2(secret, body).value(); }), 14);
  EXPECT_EQ(cost_of([&] { body = bob->answer3(body).value().reply; }), 10);
  EXPECT_EQ(cost_of([&] { EXPECT_TRUE(alice->check4(body).value()); }), 4);
}

enum class By { kOurs, kTheirs };

std::unique_ptr<SmpEngine> engine_by(By by) {
  return by == By::kOurs ? make_otr_smp_engine() : make_shared_otr_smp_engine();
}

/// What the two ends find.
std::pair<bool, bool> verdicts(By initiator, By responder, std::string_view bobs) {
  const auto alice = engine_by(initiator);
  const auto bob = engine_by(responder);
  EXPECT_TRUE(bob->check1(alice->start().value()));
  const Bytes second = bob->answer1(Secret(bobs)).value();
  const Bytes third = alice->answer2(Secret(kSecret), second).value();
  const auto verdict = bob->answer3(third).value();
  return {verdict.equal, alice->check4(verdict.reply).value()};
}

TEST_F(OtrArithmetic, IsTheProtocolOfTheSharedLibrary) {
  for (const auto& [initiator, responder] :
       {std::pair{By::kOurs, By::kTheirs}, std::pair{By::kTheirs, By::kOurs}}) {
    EXPECT_EQ(verdicts(initiator, responder, kSecret), std::pair(true, true));
    EXPECT_EQ(verdicts(initiator, responder, kOther), std::pair(false, false));
  }
  // Or it would be no other side.
  EXPECT_EQ(cost_of([] { static_cast<void>(verdicts(By::kTheirs, By::kTheirs, kSecret)); }), 0);
}

}  // namespace
}  // namespace peersock::adapters
