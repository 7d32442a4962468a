// A TCP socket of a simulated host. Errors are values of errno.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "stack/socket_name.hpp"

namespace peersock::sim {

class StackTcp {
 public:
  StackTcp() = default;
  StackTcp(const StackTcp&) = delete;
  StackTcp& operator=(const StackTcp&) = delete;
  StackTcp(StackTcp&&) = delete;
  StackTcp& operator=(StackTcp&&) = delete;
  /// Closes as close(2) does: what was sent still goes out; unread octets make it a reset.
  virtual ~StackTcp() = default;

  /// Called when anything that the queries below tell may have changed.
  virtual void set_ready(std::function<void()> ready) = 0;
  [[nodiscard]] virtual int bind(const SocketName& name) = 0;
  [[nodiscard]] virtual int connect(const SocketName& to) = 0;
  [[nodiscard]] virtual int listen() = 0;
  /// Null when nobody waits.
  [[nodiscard]] virtual std::unique_ptr<StackTcp> accept() = 0;
  [[nodiscard]] virtual SocketName local() const = 0;
  [[nodiscard]] virtual SocketName peer() const = 0;

  [[nodiscard]] virtual bool listening() const = 0;
  [[nodiscard]] virtual bool acceptable() const = 0;
  [[nodiscard]] virtual bool connecting() const = 0;
  /// It was connected at some time.
  [[nodiscard]] virtual bool connected() const = 0;
  /// What broke the connection; 0 when nothing has. SO_ERROR: `take` forgets it.
  [[nodiscard]] virtual int error() const = 0;
  virtual int take_error() = 0;

  /// Octets that may be sent now.
  [[nodiscard]] virtual std::size_t room() const = 0;
  /// At most `room()`. Returns 0 or an error.
  [[nodiscard]] virtual int send(std::span<const std::uint8_t> octets) = 0;
  [[nodiscard]] virtual std::size_t available() const = 0;
  /// The peer has ended its direction, and everything has been read.
  [[nodiscard]] virtual bool at_end() const = 0;
  /// Up to the size of `into`; the number of octets.
  virtual std::size_t receive(std::span<std::uint8_t> into, bool peek) = 0;

  virtual void shut_down_sending() = 0;
  /// Ends it with a reset.
  virtual void reset() = 0;
};

}  // namespace peersock::sim
