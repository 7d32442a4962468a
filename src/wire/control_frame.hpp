// Frames of the control stream: SMP first, everything else after it (docs/spec/control.md).
//
//   length u16 BE | type u8 | body (length octets)
//
// The high bit of `type` marks a frame as critical: an unknown critical type ends the session,
// any other unknown type is skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "wire/introduction.hpp"

namespace peersock::wire {

inline constexpr std::size_t kControlHeaderSize = 3;
inline constexpr std::size_t kMaxControlBody = 65535;

enum class ControlType : std::uint8_t {
  kSmp = 0x81,
  kHello = 0x82,
  kPing = 0x03,
  kPong = 0x04,
  kDrained = 0x85,
  kGoodbye = 0x86,
};

namespace control {
/// One message of the Socialist Millionaires' Protocol; only legal before authentication.
struct Smp {
  Bytes body;
};
/// First frame of each side after authentication. JSON: {"mode":"listen","name":"peersock 0.1"}
struct Hello {
  Mode mode = Mode::kListen;
  std::string software;  ///< at most 64 printable ASCII characters
};
struct Ping {
  std::uint64_t token = 0;
};
struct Pong {
  std::uint64_t token = 0;
};
/// Everything that the other side sent on all streams has reached the local endpoint.
struct Drained {};
/// The last frame of a side. `reason` is for a person, at most 256 octets.
struct Goodbye {
  enum class Cause : std::uint8_t { kDone = 0, kInterrupted = 1, kError = 2 };
  Cause cause = Cause::kDone;
  std::string reason;
};
/// A non-critical type that this version does not know.
struct Unknown {
  std::uint8_t type = 0;
};
}  // namespace control
using ControlFrame = std::variant<control::Smp, control::Hello, control::Ping, control::Pong,
                                  control::Drained, control::Goodbye, control::Unknown>;

[[nodiscard]] Bytes encode(const ControlFrame& frame);

/// Cuts a stream of octets into frames; keeps at most one incomplete frame.
class ControlFrameReader {
 public:
  /// Appends received octets. The caller takes every frame before it adds more.
  void push(ByteView bytes);
  /// The next complete frame, nothing when more octets are needed, or an error
  /// (kConnectionLost) after which the reader stays failed.
  [[nodiscard]] Result<std::optional<ControlFrame>> next();
  /// True when the stream may end here without cutting a frame.
  [[nodiscard]] bool at_boundary() const { return buffer_.empty(); }

 private:
  Bytes buffer_;
  std::optional<Error> failed_;
};

}  // namespace peersock::wire
