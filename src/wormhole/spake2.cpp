#include "wormhole/spake2.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <sodium.h>

#include "wormhole/keys.hpp"

namespace peersock::wormhole {
namespace {

constexpr std::uint8_t kSideOctet = 'S';
constexpr std::size_t kElementSize = crypto_core_ed25519_BYTES;
constexpr std::size_t kScalarSize = crypto_core_ed25519_SCALARBYTES;
static_assert(kSpake2MessageSize == 1 + kElementSize);

using Element = std::array<std::uint8_t, kElementSize>;

/// python-spake2's ParamsEd25519.S, an element whose discrete logarithm nobody knows: it is hashed
/// from the seed "symmetric".
constexpr Element kBlindingElement = {
    0x6f, 0x00, 0xda, 0xe8, 0x7c, 0x1b, 0xe1, 0xa7, 0x3b, 0x59, 0x22, 0xef, 0x43, 0x1c, 0xd8, 0xf5,
    0x78, 0x79, 0x56, 0x9c, 0x22, 0x2d, 0x22, 0xb1, 0xcd, 0x71, 0xe8, 0x54, 0x6a, 0xb8, 0xe6, 0xf1};

/// The neutral element (0, 1).
Bytes identity_element() {
  Bytes identity(kElementSize);
  identity.front() = 1;
  return identity;
}

/// The big-endian number of at most 64 octets, modulo the group order, as a little-endian scalar.
Secret scalar_from_number(ByteView big_endian) {
  std::array<std::uint8_t, crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide{};
  std::reverse_copy(big_endian.begin(), big_endian.end(), wide.begin());
  Bytes scalar(kScalarSize);
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  wipe(wide);
  return Secret(std::move(scalar));
}

Secret random_scalar(Rng& rng) {
  // 256 bits more than the order has, so that the remainder is as good as uniform.
  std::array<std::uint8_t, 64> number{};
  rng.fill(number);
  Secret scalar = scalar_from_number(number);
  wipe(number);
  return scalar;
}

Secret password_scalar(const Secret& password) {
  const Secret number = hkdf_sha256(password.reveal(), as_bytes("SPAKE2 pw"), kScalarSize + 16);
  return scalar_from_number(number.reveal());
}

/// Nothing when the element has small order (which includes the identity) or the product does.
std::optional<Secret> multiply(ByteView scalar, ByteView element) {
  Bytes product(kElementSize);
  const int status =
      crypto_scalarmult_ed25519_noclamp(product.data(), scalar.data(), element.data());
  Secret result(std::move(product));
  if (status != 0) return std::nullopt;
  return result;
}

/// One inverse of eight undoes the multiplication by eight on elements of prime order, and on no
/// others. A libsodium without the fix of CVE-2025-69277 lets elements of order 2L pass its own.
bool survives_cofactor(ByteView element) {
  Element eightfold{};
  std::copy(element.begin(), element.end(), eightfold.begin());
  for (int doubling = 0; doubling < 3; ++doubling) {
    const Element half = eightfold;
    if (crypto_core_ed25519_add(eightfold.data(), half.data(), half.data()) != 0) return false;
  }
  std::array<std::uint8_t, kScalarSize> eight{8};
  std::array<std::uint8_t, kScalarSize> inverse{};
  if (crypto_core_ed25519_scalar_invert(inverse.data(), eight.data()) != 0) return false;
  const std::optional<Secret> back = multiply(inverse, eightfold);
  return back && equal_secret(back->reveal(), element);
}

bool is_group_element(ByteView element) {
  return crypto_core_ed25519_is_valid_point(element.data()) == 1 && survives_cofactor(element);
}

Bytes sha256(ByteView data) {
  Bytes hash(crypto_hash_sha256_BYTES);
  crypto_hash_sha256(hash.data(), data.data(), data.size());
  return hash;
}

tl::unexpected<Error> refusal(const char* what) {
  return fail(ErrorKind::kConnectionLost,
              std::string("The key exchange message of the other side ") + what +
                  "; make a new code and try again.");
}

}  // namespace

Spake2::Spake2(const Secret& password, ByteView identity, Rng& rng)
    : scalar_(random_scalar(rng)),
      password_hash_(sha256(password.reveal())),
      identity_hash_(sha256(identity)),
      message_(kSpake2MessageSize) {
  // A scalar is zero with probability 2^-252; the identity is then the right product.
  const Secret password_number = password_scalar(password);
  std::optional<Secret> blinding = multiply(password_number.reveal(), kBlindingElement);
  blinding_ = blinding ? std::move(*blinding) : Secret(identity_element());
  Bytes base = identity_element();
  Bytes product(kElementSize);
  if (crypto_scalarmult_ed25519_base_noclamp(product.data(), scalar_.reveal().data()) == 0) {
    base = product;
  }
  message_.front() = kSideOctet;
  // Both operands are elements of the group, so the sum exists.
  static_cast<void>(
      crypto_core_ed25519_add(message_.data() + 1, base.data(), blinding_.reveal().data()));
  wipe(base);
  wipe(product);
}

Result<Secret> Spake2::finish(ByteView peer_message) const {
  if (peer_message.size() != kSpake2MessageSize) return refusal("has the wrong length");
  if (peer_message.front() != kSideOctet) return refusal("is of another kind");
  const ByteView theirs = peer_message.subspan(1);
  if (!is_group_element(theirs)) return refusal("is not an element of the group");
  if (std::equal(peer_message.begin(), peer_message.end(), message_.begin())) {
    return refusal("is a copy of ours");
  }
  Bytes unblinded(kElementSize);
  const int status =
      crypto_core_ed25519_sub(unblinded.data(), theirs.data(), blinding_.reveal().data());
  const Secret element(std::move(unblinded));
  const std::optional<Secret> shared =
      status == 0 ? multiply(scalar_.reveal(), element.reveal()) : std::nullopt;
  if (!shared) return refusal("cancels the shared secret");
  return transcript_hash(theirs, *shared);
}

Secret Spake2::transcript_hash(ByteView theirs, const Secret& shared_element) const {
  ByteView first = ByteView(message_).subspan(1);
  ByteView second = theirs;
  // Neither side is the first one, so the order is that of the octets.
  if (std::lexicographical_compare(second.begin(), second.end(), first.begin(), first.end())) {
    std::swap(first, second);
  }
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const ByteView part : {password_hash_.reveal(), ByteView(identity_hash_), first, second,
                              shared_element.reveal()}) {
    crypto_hash_sha256_update(&state, part.data(), part.size());
  }
  Bytes key(crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&state, key.data());
  sodium_memzero(&state, sizeof state);
  return Secret(std::move(key));
}

}  // namespace peersock::wormhole
