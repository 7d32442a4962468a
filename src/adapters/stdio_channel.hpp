// Standard input and output as one local channel, whatever they are: files, pipes, terminals,
// sockets, devices.
//
// O_NONBLOCK belongs to the open file description, which other processes share: a shell that gets
// its terminal back non-blocking is broken. So it is never set on a descriptor that we were given.
// Pipes and terminals are opened a second time through /proc, which makes a description of our
// own; sockets are asked call by call; where neither is possible each call is preceded by poll(2).
#pragma once

#include <optional>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "tunnel/channel.hpp"

namespace peersock::adapters {

/// To be called first thing in main: puts something harmless in the place of standard streams that
/// are not open, so that no socket takes their numbers (reading gives end-of-file, writing to
/// standard output an error), and ignores SIGPIPE, so that writing gives an error instead.
void prepare_standard_streams();

/// One direction of standard streams: a descriptor, and how to use it without blocking.
class StdioEnd {
 public:
  enum class Direction { kIn, kOut };

  /// `fd` stays the caller's, open or not.
  StdioEnd(int fd, Direction direction);

  /// As read(2) and write(2), but EAGAIN instead of blocking, and never EINTR.
  [[nodiscard]] ssize_t read(MutableBytes into) const;
  [[nodiscard]] ssize_t write(ByteView from) const;

  /// The descriptor to poll and to use.
  [[nodiscard]] int fd() const { return own_ ? own_.get() : fd_; }
  [[nodiscard]] bool is_socket() const { return kind_ == Kind::kSocket; }
  /// Lets go of a second opening.
  void close() { own_.reset(); }

 private:
  enum class Kind {
    kNonBlocking,  ///< our own description
    kSocket,
    kPolled,  ///< ask poll(2) first, write little
    kPlain,   ///< files and memory devices, which are always ready
  };

  int fd_;
  UniqueFd own_;
  Kind kind_ = Kind::kPlain;
};

class StdioChannel final : public tunnel::LocalChannel {
 public:
  /// `in` and `out` are standard input's and output's descriptors; they stay open, except that
  /// finish() and abort() put /dev/null in the place of `out`.
  StdioChannel(GMainContext* context, int in, int out, ReadyHandler ready);

  [[nodiscard]] tunnel::LocalRead read(MutableBytes into) override;
  [[nodiscard]] tunnel::LocalWrite write(ByteView from) override;
  /// A reader at the other end of a pipe sees end-of-file at once.
  void finish() override;
  void abort() override;
  void watch(bool readable, bool writable) override;

 private:
  int out_fd_;
  StdioEnd in_;
  StdioEnd out_;
  bool same_socket_;
  FdWatch in_watch_;
  std::optional<FdWatch> out_watch_;  ///< not after finish() or abort()
};

}  // namespace peersock::adapters
