#include "wormhole/keys.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <sodium.h>

namespace peersock::wormhole {
namespace {

constexpr std::size_t kHashSize = crypto_auth_hmacsha256_BYTES;
constexpr std::size_t kNonceSize = crypto_secretbox_NONCEBYTES;
constexpr std::size_t kBoxOverhead = kNonceSize + crypto_secretbox_MACBYTES;

using Hash = std::array<std::uint8_t, kHashSize>;

/// HMAC of up to three parts; the state holds key material and is wiped.
Hash hmac(ByteView key, ByteView first, ByteView second = {}, ByteView third = {}) {
  crypto_auth_hmacsha256_state state;
  // An empty key (HKDF without a salt) has no address, and libsodium copies from it all the same.
  constexpr std::uint8_t kNothing = 0;
  crypto_auth_hmacsha256_init(&state, key.empty() ? &kNothing : key.data(), key.size());
  for (const ByteView part : {first, second, third}) {
    if (!part.empty()) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  }
  Hash out{};
  crypto_auth_hmacsha256_final(&state, out.data());
  sodium_memzero(&state, sizeof state);
  return out;
}

void append_sha256(Bytes& out, std::string_view text) {
  Hash hash{};
  crypto_hash_sha256(hash.data(), as_bytes(text).data(), text.size());
  out.insert(out.end(), hash.begin(), hash.end());
}

}  // namespace

Secret hkdf_sha256(ByteView key, ByteView info, std::size_t length, ByteView salt) {
  if (length > kMaxHkdfLength) return {};
  Hash extracted = hmac(salt, key);
  Bytes out(length);
  Hash block{};
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < length; done += kHashSize) {
    ++counter;
    const ByteView previous = counter == 1 ? ByteView{} : ByteView(block);
    block = hmac(extracted, previous, info, ByteView(&counter, 1));
    const std::size_t count = std::min(kHashSize, length - done);
    std::copy_n(block.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(done));
  }
  wipe(extracted);
  wipe(block);
  return Secret(std::move(out));
}

Secret phase_key(const Secret& shared_key, std::string_view side, std::string_view phase) {
  Bytes purpose = to_bytes("wormhole:phase:");
  append_sha256(purpose, side);
  append_sha256(purpose, phase);
  return hkdf_sha256(shared_key.reveal(), purpose, crypto_secretbox_KEYBYTES);
}

Secret derive_key(const Secret& shared_key, std::string_view purpose, std::size_t length) {
  return hkdf_sha256(shared_key.reveal(), as_bytes(purpose), length);
}

Bytes encrypt(const Secret& key, ByteView plain, Rng& rng) {
  if (key.size() != crypto_secretbox_KEYBYTES) return {};
  Bytes boxed(kBoxOverhead + plain.size());
  const MutableBytes nonce = MutableBytes(boxed).first(kNonceSize);
  rng.fill(nonce);
  crypto_secretbox_easy(boxed.data() + kNonceSize, plain.data(), plain.size(), nonce.data(),
                        key.reveal().data());
  return boxed;
}

std::optional<Bytes> decrypt(const Secret& key, ByteView boxed) {
  if (key.size() != crypto_secretbox_KEYBYTES || boxed.size() < kBoxOverhead) return std::nullopt;
  const ByteView nonce = boxed.first(kNonceSize);
  const ByteView sealed = boxed.subspan(kNonceSize);
  Bytes plain(boxed.size() - kBoxOverhead);
  if (crypto_secretbox_open_easy(plain.data(), sealed.data(), sealed.size(), nonce.data(),
                                 key.reveal().data()) != 0) {
    return std::nullopt;
  }
  return plain;
}

}  // namespace peersock::wormhole
