// Key derivation and message encryption of the magic-wormhole client protocol.
#pragma once

#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/secret.hpp"

namespace peersock::wormhole {

/// RFC 5869 with SHA-256 and an empty salt. `length` is at most 255 * 32 octets.
[[nodiscard]] Secret hkdf_sha256(ByteView key, ByteView info, std::size_t length);
/// Key for one phase of one side: purpose "wormhole:phase:" + SHA256(side) + SHA256(phase).
[[nodiscard]] Secret phase_key(const Secret& shared_key, std::string_view side,
                               std::string_view phase);
/// Any other derived key, e.g. the one that binds the SMP proof to this rendezvous.
[[nodiscard]] Secret derive_key(const Secret& shared_key, std::string_view purpose,
                                std::size_t length = 32);
/// NaCl secretbox with a random nonce of 24 octets in front.
[[nodiscard]] Bytes encrypt(const Secret& key, ByteView plain, Rng& rng);
[[nodiscard]] std::optional<Bytes> decrypt(const Secret& key, ByteView boxed);

}  // namespace peersock::wormhole
