// The connection code: `nameplate-word-word-word`, with the number of the rendezvous server in
// front when it is not the first one (docs/spec/code.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/secret.hpp"

namespace peersock::wire {

inline constexpr std::size_t kWordCount = 2048;
inline constexpr std::size_t kWordsPerCode = 3;
/// Longest nameplate that a rendezvous server of version 0.7 or later takes.
inline constexpr std::size_t kMaxNameplateLength = 40;
/// Rendezvous servers that a side has at most: their numbers are single digits, from 1.
inline constexpr std::size_t kMaxServers = 9;
/// Longest text that `parse_code` looks at; anything longer is refused as it stands.
inline constexpr std::size_t kMaxTypedCodeLength = 256;

/// The BIP-39 English list in its own order; `index` is below kWordCount.
[[nodiscard]] std::string_view word_at(std::size_t index);

/// A nameplate as we take it, typed or allocated: 1 to kMaxNameplateLength ASCII digits.
[[nodiscard]] bool is_nameplate(std::string_view text);

/// The words of a code before a nameplate is known, as a maker of a code draws them.
struct CodeWords {
  std::array<std::uint16_t, kWordsPerCode> indices{};
};
[[nodiscard]] CodeWords random_words(Rng& rng);

/// A complete code. Nameplate and server are public (the server sees them); the whole is secret.
class Code {
 public:
  /// `server` is from 1 to kMaxServers.
  Code(std::string nameplate, const CodeWords& words, std::size_t server = 1);

  [[nodiscard]] const std::string& nameplate() const { return nameplate_; }
  /// Which rendezvous server of the list the two sides meet on, counted from 1.
  [[nodiscard]] std::size_t server() const { return server_; }
  /// Canonical form: lower case, full words, single dashes, no server. This is the SPAKE2 password.
  [[nodiscard]] const Secret& canonical() const { return canonical_; }
  /// What is said aloud and typed: the canonical form behind the server's number, which is left out
  /// for the first server.
  [[nodiscard]] Secret spoken() const;
  [[nodiscard]] Code clone() const;

 private:
  Code(std::string nameplate, Secret canonical, std::size_t server);
  std::string nameplate_;
  Secret canonical_;
  std::size_t server_;
};

/// Reads what a person typed: any case, spaces or dashes (also repeated) between the parts, and
/// any prefix of a word that fits only one word and has four letters or more.
/// Errors (ErrorKind::kUsage): wrong number of words, a nameplate that is not 1 to 40 ASCII
/// digits, a server that is not from 1 to kMaxServers, an unknown word, which is reported by its
/// *position* together with the nearest words of the list. The message never repeats the words that
/// were right.
[[nodiscard]] Result<Code> parse_code(std::string_view typed);

}  // namespace peersock::wire
