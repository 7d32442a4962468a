// What a side says of itself in `app_versions` of the encrypted `version` phase
// (docs/spec/rendezvous.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace peersock::wire {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::string_view kAppId = "peersock/tunnel/v1";

enum class Mode : std::uint8_t { kConnect, kListen, kStdioA, kStdioB };
[[nodiscard]] std::string_view to_string(Mode mode);  ///< "connect", "listen", "stdio-a", "stdio-b"
/// The reverse; nothing for any other text.
[[nodiscard]] std::optional<Mode> parse_mode(std::string_view name);

/// The openers start streams (listen, stdio-b), the acceptors answer them (connect, stdio-a).
[[nodiscard]] bool is_opener(Mode mode);
/// Nothing when the pair makes sense; otherwise the one sentence that both sides print.
/// The sentence is the same whichever side asks, apart from naming "this side" first.
[[nodiscard]] std::optional<std::string> mode_conflict(Mode ours, Mode theirs);

/// SHA-256 of a certificate in DER form.
using Fingerprint = std::array<std::uint8_t, 32>;

/// The first message of the proof is never longer (docs/spec/auth.md).
inline constexpr std::size_t kMaxFirstMessage = 2048;

struct Introduction {
  int protocol_version = kProtocolVersion;
  Mode mode = Mode::kListen;
  Fingerprint fingerprint{};
  /// Unknown ones are ignored. Of a peer's, at most 32 of 1 to 64 printable ASCII characters.
  std::vector<std::string> capabilities;
  /// The first message of the proof, which the acceptor makes; empty in an opener's introduction.
  Bytes smp;
};

/// {"peersock":{"version":1,"mode":"connect","fingerprint":"<hex>","capabilities":[…],"smp":"<hex>"}}
[[nodiscard]] nlohmann::json encode(const Introduction& introduction);
/// Errors: kIncompatible when the peer is no peersock or of another major version (the message
/// says which side is to be updated), kConnectionLost when a field is malformed.
[[nodiscard]] Result<Introduction> parse_introduction(const nlohmann::json& app_versions);

}  // namespace peersock::wire
