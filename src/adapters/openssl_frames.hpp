// What a connection learns from the frames that it receives, through OpenSSL's message callback.
//
// OpenSSL itself only answers "is this stream readable?", one stream at a time. Asking for every
// stream after every batch costs about as much as the batch itself once a few hundred are idle
// (docs/performance.md); the frames tell which streams are concerned, at no measurable cost.
#pragma once

#include <cstdint>
#include <vector>

#include <openssl/ssl.h>

#include "core/bytes.hpp"
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
  void clear();

  std::vector<quic::StreamId> readable;  ///< STREAM and RESET_STREAM
  std::vector<Stop> stopped;             ///< STOP_SENDING
  std::vector<Credit> credits;           ///< MAX_STREAM_DATA
  bool acknowledged = false;             ///< ACK: send buffers may have room
  bool streams_allowed = false;          ///< MAX_STREAMS for bidirectional streams
  bool heard = false;                    ///< any frame at all

 private:
  static void on_message(int sent, int version, int kind, const void* data, std::size_t size,
                         SSL* ssl, void* self) noexcept;
  void note(ByteView frame);
};

}  // namespace peersock::adapters
