// One local byte stream: a TCP or Unix connection, or standard input and output. Non-blocking.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/bytes.hpp"

namespace peersock::tunnel {

/// Exactly one of: octets > 0; end; failed; none of them (would block).
struct LocalRead {
  std::size_t octets = 0;
  bool end = false;  ///< end-of-file
  /// Why no more can be read, as a sentence for a person: reset by the local program, or an input
  /// error. Nothing can be written any more either.
  std::optional<std::string> failed;
};

/// `octets` were taken; `failed` says, as a sentence for a person, why no more ever will be.
struct LocalWrite {
  std::size_t octets = 0;
  std::optional<std::string> failed;
  /// With `failed`: there is no use in reading what the local program may still have to say.
  /// True for standard streams, whose input may well be endless; a socket's soon ends.
  bool input_too = false;
};

/// Implemented by sockets and standard streams in adapters/, and by memory in tests.
/// Destroying it closes whatever is still open, in order, without a reset.
class LocalChannel {
 public:
  LocalChannel() = default;
  LocalChannel(const LocalChannel&) = delete;
  LocalChannel& operator=(const LocalChannel&) = delete;
  LocalChannel(LocalChannel&&) = delete;
  LocalChannel& operator=(LocalChannel&&) = delete;
  virtual ~LocalChannel() = default;

  [[nodiscard]] virtual LocalRead read(MutableBytes into) = 0;
  [[nodiscard]] virtual LocalWrite write(ByteView from) = 0;
  /// Ends our direction: the local program reads end-of-file after what was written.
  virtual void finish() = 0;
  /// Ends both directions at once, so that the local program sees a reset where the kind of
  /// channel can express one.
  virtual void abort() = 0;
  /// Asks the owner's loop to report readiness (level-triggered) until told otherwise.
  virtual void watch(bool readable, bool writable) = 0;
};

}  // namespace peersock::tunnel
