// The first octets of every tunnel stream, written by the side that opens it
// (docs/spec/tunnel.md).
//
//   length u8 | fields (length octets): repeated  type u8 | size u8 | value
//
// Field types below 0x80 may be skipped when unknown, the others refuse the stream.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace peersock::wire {

inline constexpr std::size_t kMaxStreamHeader = 256;

struct StreamHeader {};

/// Version 1 has no fields: one zero octet.
[[nodiscard]] Bytes encode(const StreamHeader& header);

struct ParsedStreamHeader {
  StreamHeader header;
  std::size_t size = 0;  ///< octets of the stream that belong to the header
};
/// Nothing when `prefix` is too short to hold the whole header; an error (kConnectionLost) for a
/// malformed one or an unknown critical field.
[[nodiscard]] Result<std::optional<ParsedStreamHeader>> parse_stream_header(ByteView prefix);

/// Application error codes of RESET_STREAM and STOP_SENDING (RFC 9000 section 20.2).
enum class StreamError : std::uint64_t {
  kNone = 0,
  kAborted = 1,      ///< the local connection was reset
  kRefused = 2,      ///< the target refused
  kUnreachable = 3,  ///< the target could not be reached or resolved
  kBusy = 4,         ///< the acceptor takes no further connection (stdio, --once)
  kProtocol = 5,     ///< malformed stream header
};

/// Application error codes of CONNECTION_CLOSE.
enum class SessionError : std::uint64_t {
  kDone = 0,
  kAuthenticationFailed = 1,
  kProtocol = 2,
  kInterrupted = 3,
  kInternal = 4,
};

}  // namespace peersock::wire
