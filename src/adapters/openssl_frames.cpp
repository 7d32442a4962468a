#include "adapters/openssl_frames.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <openssl/ssl3.h>

namespace peersock::adapters {
namespace {

// RFC 9000 section 19.
constexpr std::uint8_t kPadding = 0x00;
constexpr std::uint8_t kAck = 0x02;
constexpr std::uint8_t kAckEcn = 0x03;
constexpr std::uint8_t kResetStream = 0x04;
constexpr std::uint8_t kStopSending = 0x05;
constexpr std::uint8_t kStreamFirst = 0x08;
constexpr std::uint8_t kStreamLast = 0x0f;
constexpr std::uint8_t kMaxStreamData = 0x11;
constexpr std::uint8_t kMaxStreamsBidi = 0x12;
constexpr std::uint8_t kConnectionClose = 0x1c;

constexpr std::uint8_t kLongHeader = 0x80;
/// The default of ack_delay_exponent, and of the profile (RFC 9000 section 18.2).
constexpr unsigned kAckDelayExponent = 3;
constexpr Duration kMaxAckDelay = 25ms;

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

void FrameNotes::begin(Instant now) {
  now_ = now;
  readable.clear();
  stopped.clear();
  credits.clear();
  acknowledged = streams_allowed = heard = false;
  aborts_sent = 0;
}

void FrameNotes::on_message(int sent, int /*version*/, int kind, const void* data, std::size_t size,
                            SSL* /*ssl*/, void* self) noexcept {
  const bool frame = kind == SSL3_RT_QUIC_FRAME_FULL || kind == SSL3_RT_QUIC_FRAME_HEADER;
  if (size == 0 || (!frame && kind != SSL3_RT_QUIC_PACKET)) return;
  const auto* octets = static_cast<const std::uint8_t*>(data);
  auto& notes = *static_cast<FrameNotes*>(self);
  // Only memory can run out here, and there is no way to report it through OpenSSL.
  if (sent == 0) {
    if (frame) notes.note_received({octets, size});
  } else if (frame) {
    notes.note_sent(octets[0]);
  } else {
    notes.note_sent_packet({octets, size});
  }
}

/// Comes before the packet that carries the frame.
void FrameNotes::note_sent(std::uint8_t type) {
  if (type == kResetStream || type == kStopSending) ++aborts_sent;
  const bool asks_nothing =
      type == kPadding || type == kAck || type == kAckEcn || type >= kConnectionClose;
  if (!asks_nothing) wants_acknowledgement_ = true;
}

void FrameNotes::note_sent_packet(ByteView header) {
  if (!std::exchange(wants_acknowledgement_, false)) return;
  if ((header[0] & kLongHeader) == 0) round_trip_.on_sent(header, now_);
}

void FrameNotes::note_acknowledgement(ByteView fields) {
  const auto largest = take_integer(fields);
  const auto delay = take_integer(fields);
  if (!largest || !delay) return;
  const auto limit = static_cast<std::uint64_t>(kMaxAckDelay / 1us);
  const auto held = std::min(*delay, limit) << kAckDelayExponent;
  round_trip_.on_acknowledged(*largest, std::min<Duration>(held * 1us, kMaxAckDelay), now_);
}

void FrameNotes::note_received(ByteView frame) {
  heard = true;
  const std::uint8_t type = frame[0];
  if (type == kAck || type == kAckEcn) {
    acknowledged = true;
    note_acknowledgement(frame.subspan(1));
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
