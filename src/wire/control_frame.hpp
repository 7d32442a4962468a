// Frames of the control stream: SMP first, everything else after it (docs/spec/control.md).
//
//   length u16 BE | type u8 | body (length octets)
//
// The high bit of `type` marks a frame as critical: an unknown critical type ends the session,
// any other unknown type is skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "wire/introduction.hpp"
#include "wire/port_offer.hpp"

namespace peersock::wire {

inline constexpr std::size_t kControlHeaderSize = 3;
inline constexpr std::size_t kMaxControlBody = 65535;
/// Longer bodies of the types that we know are refused as soon as the header is in.
inline constexpr std::size_t kMaxSmpBody = 8192;
inline constexpr std::size_t kMaxHelloBody = 4096;
inline constexpr std::size_t kMaxIceBody = 32768;
inline constexpr std::size_t kMaxSoftwareLength = 64;
inline constexpr std::size_t kMaxGoodbyeReason = 256;

enum class ControlType : std::uint8_t {
  kSmp = 0x81,
  kHello = 0x82,
  kPing = 0x03,
  kPong = 0x04,
  kIce = 0x08,
  kDrained = 0x85,
  kGoodbye = 0x86,
  kCredit = 0x87,
  kPortOffer = 0x09,
};

namespace control {
/// One message of the Socialist Millionaires' Protocol; only legal before authentication.
struct Smp {
  Bytes body;  ///< at most kMaxSmpBody octets
  friend bool operator==(const Smp&, const Smp&) = default;
};
/// First frame of each side after authentication. JSON: {"mode":"listen","name":"peersock 0.1"}
struct Hello {
  Mode mode = Mode::kListen;
  std::string software;  ///< at most kMaxSoftwareLength printable ASCII characters
  friend bool operator==(const Hello&, const Hello&) = default;
};
struct Ping {
  std::uint64_t token = 0;
  friend bool operator==(const Ping&, const Ping&) = default;
};
struct Pong {
  std::uint64_t token = 0;
  friend bool operator==(const Pong&, const Pong&) = default;
};
/// Everything that the other side sent on all streams has reached the local endpoint.
struct Drained {
  friend bool operator==(const Drained&, const Drained&) = default;
};
/// The receiver of a tunnel stream lets the sender send so many more octets on it. Body: stream id
/// u64 BE, octets u32 BE. For a stream that has ended it means nothing.
struct Credit {
  std::uint64_t stream = 0;
  std::uint32_t octets = 0;

  friend bool operator==(const Credit&, const Credit&) = default;
};
/// A message of ice_message.hpp as JSON text, unread: one of an ICE restart.
struct Ice {
  std::string json;  ///< 1 to kMaxIceBody octets
  friend bool operator==(const Ice&, const Ice&) = default;
};
/// The last frame of a side. `reason` is for a person, at most kMaxGoodbyeReason octets of UTF-8
/// without control characters; a received one is cleaned.
struct Goodbye {
  enum class Cause : std::uint8_t { kDone = 0, kInterrupted = 1, kError = 2 };
  Cause cause = Cause::kDone;
  std::string reason;
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};
/// At most one of each side. Who does not know of it skips it, and there is no search.
struct PortOffer {
  wire::PortOffer offer;
  friend bool operator==(const PortOffer&, const PortOffer&) = default;
};
/// A non-critical type that this version does not know.
struct Unknown {
  std::uint8_t type = 0;
  friend bool operator==(const Unknown&, const Unknown&) = default;
};
}  // namespace control
using ControlFrame = std::variant<control::Smp, control::Hello, control::Ping, control::Pong,
                                  control::Drained, control::Credit, control::Ice, control::Goodbye,
                                  control::PortOffer, control::Unknown>;

/// Texts that are too long are cut, and cleaned of what may not be in them. Unknown frames have an
/// empty body.
[[nodiscard]] Bytes encode(const ControlFrame& frame);

/// Cuts a stream of octets into frames, in time linear in their number. It keeps what was pushed
/// and not yet taken, so at most one incomplete frame as long as the caller takes every frame
/// before it adds more.
class ControlFrameReader {
 public:
  /// Appends received octets; after an error they are dropped.
  void push(ByteView bytes);
  /// The next complete frame, nothing when more octets are needed, or an error
  /// (kConnectionLost) after which the reader stays failed.
  [[nodiscard]] Result<std::optional<ControlFrame>> next();
  /// True when the stream may end here without cutting a frame.
  [[nodiscard]] bool at_boundary() const { return taken_ == buffer_.size(); }

 private:
  [[nodiscard]] ByteView pending() const { return ByteView(buffer_).subspan(taken_); }
  void take(std::size_t octets);
  [[nodiscard]] tl::unexpected<Error> fail_with(Error error);

  Bytes buffer_;
  std::size_t taken_ = 0;  ///< octets at the front of the buffer that were handed out already
  std::optional<Error> failed_;
};

}  // namespace peersock::wire
