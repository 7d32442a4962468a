// The client's side of the key exchange, and sealing and opening of messages with its result.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/secret.hpp"
#include "wormhole/spake2.hpp"

namespace peersock::wormhole {

class ClientKey {
 public:
  ClientKey(const Secret& code, std::string_view appid, std::string side, Rng& rng);

  /// Body of our `pake` phase: {"pake_v1": hexadecimal}.
  [[nodiscard]] Bytes pake() const;
  /// The peer's `pake` phase. Error (kConnectionLost): malformed, or not acceptable to SPAKE2.
  [[nodiscard]] std::optional<Error> agree(ByteView peer_pake);
  [[nodiscard]] bool agreed() const { return !shared_.empty(); }

  // After agreement only.

  /// Body of a phase of ours, in hexadecimal.
  [[nodiscard]] std::string seal(std::string_view phase, ByteView plain, Rng& rng) const;
  /// Nothing when the peer has another key or the body was changed.
  [[nodiscard]] std::optional<Bytes> open(std::string_view peer_side, std::string_view phase,
                                          ByteView body) const;
  /// What binds the SMP proof to this rendezvous.
  [[nodiscard]] Secret smp_key() const;

 private:
  std::string side_;
  Spake2 spake_;
  Secret shared_;
};

}  // namespace peersock::wormhole
