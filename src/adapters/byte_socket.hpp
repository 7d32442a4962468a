// One accepted connection as a stream of octets that never blocks, in clear or inside TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "adapters/openssl_util.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::adapters {

class ByteSocket {
 public:
  enum class State : std::uint8_t {
    kOk,       ///< there may be more
    kBlocked,  ///< nothing now
    kOver,     ///< the peer has ended its direction, or the connection broke
  };
  struct Outcome {
    std::size_t octets = 0;  ///< only with kOk
    State state = State::kOk;
  };

  /// `fd` is non-blocking. Speaks TLS with `tls`, if that is not null; the handshake is part of the
  /// first reads and writes. Nothing when there is no memory for that.
  [[nodiscard]] static std::optional<ByteSocket> make(UniqueFd fd, SSL_CTX* tls);

  /// `into` takes a whole TLS record (16 KiB), so that nothing stays that makes no descriptor
  /// readable.
  [[nodiscard]] Outcome read(std::span<char> into);
  [[nodiscard]] Outcome write(std::string_view from);
  /// A read waits for room to write, as it does in the middle of a TLS handshake.
  [[nodiscard]] bool reading_wants_write() const { return reading_wants_write_; }
  /// Ends our direction; what was written still arrives.
  void finish();
  /// Closes at once; what was written may be lost.
  void abort();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ByteSocket(UniqueFd fd, SslPtr tls) : fd_(std::move(fd)), tls_(std::move(tls)) {}
  [[nodiscard]] Outcome conclude_tls(int result, std::size_t octets, bool& wants_write);

  UniqueFd fd_;
  SslPtr tls_;
  bool reading_wants_write_ = false;
};

}  // namespace peersock::adapters
