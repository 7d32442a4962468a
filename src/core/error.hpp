// Errors are values up to main: a kind, which fixes the exit code, and one sentence for a person.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace peersock {

/// What went wrong, as far as a caller can act on it.
enum class ErrorKind : std::uint8_t {
  kInternal,               ///< a defect of ours
  kUsage,                  ///< arguments, environment or configuration
  kRendezvousUnreachable,  ///< no connection to the mailbox server, or it refused us
  kCodeInUse,              ///< others hold the nameplate or the mailbox ("crowded")
  kAuthentication,         ///< wrong code, or the proof that both know it failed
  kIncompatible,           ///< the peer's mode or protocol version does not fit ours
  kNoPath,                 ///< ICE found no way to the peer
  kPeerNeverCame,          ///< the wait for the peer timed out
  kConnectionLost,         ///< the peer vanished, or broke the protocol
  kLocalEndpoint,          ///< port in use, target refused, standard output full
  kInterrupted,            ///< the user's signal
};

/// Process exit codes (docs/spec/cli.md). `kDone` is not an error.
enum class ExitCode : std::uint8_t {
  kDone = 0,
  kInternal = 1,
  kUsage = 2,
  kRendezvous = 3,
  kCodeInUse = 4,
  kAuthentication = 5,
  kNoPath = 6,
  kPeerNeverCame = 7,
  kConnectionLost = 8,
  kLocalEndpoint = 9,
  kInterrupted = 130,
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  /// One sentence that says what happened and what to do next.
  /// Holds no code, key or password.
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] ExitCode exit_code(ErrorKind kind);
/// Stable snake_case name, used in JSON events (docs/spec/events.md).
[[nodiscard]] std::string_view to_string(ErrorKind kind);

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace peersock
