// What a connection learns from the frames that it receives, through OpenSSL's message callback.
//
// OpenSSL itself only answers "is this stream readable?", one stream at a time (SSL_poll is a
// loop). With 500 idle streams beside a busy one, asking all of them after every batch cost 43 %
// of the rate (455 to 257 MiB a second of processor time); learning from the frames which streams
// are concerned cost 4 %, and nothing without the idle ones.
#pragma once

#include <cstdint>
#include <vector>

#include <openssl/ssl.h>

#include "adapters/round_trip.hpp"
#include "core/bytes.hpp"
#include "core/time.hpp"
#include "quic/connection.hpp"

namespace peersock::adapters {

/// Filled while OpenSSL handles a batch, read and cleared afterwards. Only frames of packets that
/// were decrypted and found correct get here. Frames may name streams that are long gone.
class FrameNotes {
 public:
  struct Stop {
    quic::StreamId stream = 0;
    std::uint64_t code = 0;
  };
  struct Credit {
    quic::StreamId stream = 0;
    std::uint64_t limit = 0;
  };

  /// Makes `connection` report here; this object must outlive it.
  void attach(SSL* connection);
  /// Before each batch.
  void begin(Instant now);
  [[nodiscard]] const RoundTrip& round_trip() const { return round_trip_; }

  std::vector<quic::StreamId> readable;  ///< STREAM and RESET_STREAM
  std::vector<Stop> stopped;             ///< STOP_SENDING
  std::vector<Credit> credits;           ///< MAX_STREAM_DATA
  bool acknowledged = false;             ///< ACK: send buffers may have room
  bool streams_allowed = false;          ///< MAX_STREAMS for bidirectional streams
  bool heard = false;                    ///< any frame at all
  std::size_t aborts_sent = 0;           ///< RESET_STREAM and STOP_SENDING that left this side

 private:
  static void on_message(int sent, int version, int kind, const void* data, std::size_t size,
                         SSL* ssl, void* self) noexcept;
  void note_received(ByteView frame);
  void note_acknowledgement(ByteView fields);
  void note_sent(std::uint8_t type);
  void note_sent_packet(ByteView header);

  Instant now_;
  RoundTrip round_trip_;
  bool wants_acknowledgement_ = false;  ///< the packet that is being filled does
};

}  // namespace peersock::adapters
