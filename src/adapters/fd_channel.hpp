// A local connection over one stream socket, TCP or Unix.
#pragma once

#include <optional>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "tunnel/channel.hpp"

namespace peersock::adapters {

class FdChannel final : public tunnel::LocalChannel {
 public:
  /// `fd` is a connected stream socket, blocking or not. TCP ones get TCP_NODELAY and keep-alive.
  /// `ready` answers to watch().
  FdChannel(GMainContext* context, UniqueFd fd, ReadyHandler ready);

  [[nodiscard]] tunnel::LocalRead read(MutableBytes into) override;
  [[nodiscard]] tunnel::LocalWrite write(ByteView from) override;
  void finish() override;
  /// TCP: the local program sees a reset. A Unix socket can express no more than a close, which
  /// is a reset for the local program if it had sent something that was not read.
  void abort() override;
  void watch(bool readable, bool writable) override;

 private:
  UniqueFd fd_;
  std::optional<FdWatch> watch_;  ///< goes before the descriptor does
  bool is_reset_ = false;         ///< a write has met a reset; reading would show a plain end
};

}  // namespace peersock::adapters
