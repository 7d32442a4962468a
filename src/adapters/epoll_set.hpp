// Many descriptors as one event source of a main context. GLib looks at every descriptor and every
// source in each turn, so that thousands of idle connections would make the busy ones slow.
#pragma once

#include <cstdint>
#include <functional>

#include <glib.h>

#include "adapters/unique_fd.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class EpollSet {
 public:
  /// Names a descriptor; the owner never gives one out twice, because what is ready in one turn may
  /// be told after the descriptor has been closed.
  using Token = std::uint64_t;
  struct Callbacks {
    /// From the loop, for as long as it is so. A descriptor that broke is readable.
    std::function<void(Token token, bool readable, bool writable)> ready;
    /// After all that was ready in one turn.
    std::function<void()> turn_ended;
  };

  EpollSet(GMainContext* context, Callbacks callbacks);

  /// Watches for octets to read until `fd` is closed. False when the system has no room for that.
  [[nodiscard]] bool add(int fd, Token token);
  /// Whether the room to write counts as well.
  void want_write(int fd, Token token, bool wanted);

 private:
  void turn();

  Callbacks callbacks_;
  UniqueFd epoll_;
  Wakeup ready_;
};

}  // namespace peersock::adapters
