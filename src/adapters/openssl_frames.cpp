#include "adapters/openssl_frames.hpp"

#include <exception>
#include <optional>

#include <openssl/ssl3.h>

namespace peersock::adapters {
namespace {

// RFC 9000 section 19.
constexpr std::uint8_t kAck = 0x02;
constexpr std::uint8_t kAckEcn = 0x03;
constexpr std::uint8_t kResetStream = 0x04;
constexpr std::uint8_t kStopSending = 0x05;
constexpr std::uint8_t kStreamFirst = 0x08;
constexpr std::uint8_t kStreamLast = 0x0f;
constexpr std::uint8_t kMaxStreamData = 0x11;
constexpr std::uint8_t kMaxStreamsBidi = 0x12;

/// Variable-length integer (RFC 9000 section 16).
std::optional<std::uint64_t> take_integer(ByteView& bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::size_t size = std::size_t{1} << (bytes[0] >> 6);
  if (bytes.size() < size) return std::nullopt;
  std::uint64_t value = bytes[0] & 0x3f;
  for (std::size_t i = 1; i < size; ++i) value = value << 8 | bytes[i];
  bytes = bytes.subspan(size);
  return value;
}

}  // namespace

void FrameNotes::attach(SSL* connection) {
  SSL_set_msg_callback(connection, on_message);
  SSL_set_msg_callback_arg(connection, this);
}

void FrameNotes::clear() {
  readable.clear();
  stopped.clear();
  credits.clear();
  acknowledged = streams_allowed = heard = false;
}

void FrameNotes::on_message(int sent, int /*version*/, int kind, const void* data,
                            std::size_t size, SSL* /*ssl*/, void* self) noexcept {
  if (sent != 0 || (kind != SSL3_RT_QUIC_FRAME_FULL && kind != SSL3_RT_QUIC_FRAME_HEADER)) return;
  // Only memory can run out here, and there is no way to report it through OpenSSL.
  static_cast<FrameNotes*>(self)->note({static_cast<const std::uint8_t*>(data), size});
}

void FrameNotes::note(ByteView frame) {
  if (frame.empty()) return;
  heard = true;
  const std::uint8_t type = frame[0];
  if (type == kAck || type == kAckEcn) {
    acknowledged = true;
    return;
  }
  if (type == kMaxStreamsBidi) {
    streams_allowed = true;
    return;
  }
  const bool stream_data = type >= kStreamFirst && type <= kStreamLast;
  if (!stream_data && type != kResetStream && type != kStopSending && type != kMaxStreamData) {
    return;
  }
  frame = frame.subspan(1);
  const auto stream = take_integer(frame);
  if (!stream) return;
  if (type == kStopSending || type == kMaxStreamData) {
    const auto value = take_integer(frame);
    if (!value) return;
    if (type == kStopSending) stopped.push_back({*stream, *value});
    if (type == kMaxStreamData) credits.push_back({*stream, *value});
    return;
  }
  // A batch is mostly one stream's data.
  if (readable.empty() || readable.back() != *stream) readable.push_back(*stream);
}

}  // namespace peersock::adapters
