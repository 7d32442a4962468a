// Key derivation and message encryption of the magic-wormhole client protocol
// (docs/spec/rendezvous.md; magic-wormhole-protocols, client-protocol.md).
#pragma once

#include <optional>
#include <string_view>

#include "core/rng.hpp"
#include "core/secret.hpp"

namespace peersock::wormhole {

/// Longest output of HKDF-SHA256, in octets.
inline constexpr std::size_t kMaxHkdfLength = std::size_t{255} * 32;

/// RFC 5869 with SHA-256. `length` is at most kMaxHkdfLength; more gives nothing.
[[nodiscard]] Secret hkdf_sha256(ByteView key, ByteView info, std::size_t length,
                                 ByteView salt = {});
/// Key for one phase of one side: purpose "wormhole:phase:" + SHA256(side) + SHA256(phase).
[[nodiscard]] Secret phase_key(const Secret& shared_key, std::string_view side,
                               std::string_view phase);
/// Any other derived key, e.g. the one that binds the SMP proof to this rendezvous.
[[nodiscard]] Secret derive_key(const Secret& shared_key, std::string_view purpose,
                                std::size_t length = 32);
/// NaCl secretbox with a random nonce of 24 octets in front. `key` has 32 octets.
[[nodiscard]] Bytes encrypt(const Secret& key, ByteView plain, Rng& rng);
/// Nothing when `boxed` is too short, was changed, or was made with another key.
[[nodiscard]] std::optional<Bytes> decrypt(const Secret& key, ByteView boxed);

}  // namespace peersock::wormhole
