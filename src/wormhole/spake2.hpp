// SPAKE2, symmetric, over Ed25519, byte-compatible with python-spake2's SPAKE2_Symmetric, which
// is what the magic-wormhole client protocol uses (docs/spec/rendezvous.md).
#pragma once

#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/secret.hpp"

namespace peersock::wormhole {

/// Octets of a message: the side octet and an encoded group element.
inline constexpr std::size_t kSpake2MessageSize = 33;

class Spake2 {
 public:
  /// Draws the private scalar. `password` is the whole code, `identity` the appid, both UTF-8.
  Spake2(const Secret& password, ByteView identity, Rng& rng);

  /// Our message: the side octet 'S' and 32 octets of a group element.
  [[nodiscard]] const Bytes& message() const { return message_; }
  /// The 32-octet shared key. Errors (kConnectionLost): wrong length or side octet, not a point of
  /// the prime-order group, our own message reflected. A wrong password is *not* an error here: it
  /// gives another key.
  [[nodiscard]] Result<Secret> finish(ByteView peer_message) const;

 private:
  [[nodiscard]] Secret transcript_hash(ByteView theirs, const Secret& shared_element) const;

  Secret scalar_;
  Secret blinding_;       ///< the element S times the password's scalar
  Secret password_hash_;  ///< SHA-256
  Bytes identity_hash_;   ///< SHA-256
  Bytes message_;
};

}  // namespace peersock::wormhole
