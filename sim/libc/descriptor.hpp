// What a number that a simulated host takes for a file descriptor stands for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "host.hpp"

namespace peersock::sim {

class SocketDescriptor;

/// Everything that can be read, written and polled. Results are those of the system calls, with a
/// negative value of errno for an error.
class Descriptor {
 public:
  explicit Descriptor(Host& host) : host_(host), owner_(host.name()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  virtual ~Descriptor() = default;

  /// What of POLLIN, POLLOUT, POLLERR and POLLHUP holds now.
  [[nodiscard]] virtual short ready() const = 0;
  [[nodiscard]] virtual ssize_t read(std::span<std::uint8_t> into) = 0;
  [[nodiscard]] virtual ssize_t write(std::span<const std::uint8_t> from) = 0;
  /// For a person: `udp`, `tcp`, `epoll`, `event`.
  [[nodiscard]] virtual const char* kind() const = 0;
  /// Null for what is no socket.
  [[nodiscard]] virtual SocketDescriptor* as_socket() { return nullptr; }
  [[nodiscard]] Host& host() const { return host_; }
  /// The host's name, also when the host has gone.
  [[nodiscard]] const std::string& owner() const { return owner_; }

 private:
  Host& host_;
  std::string owner_;
};

/// A flag of poll() as asked for, or an error.
[[nodiscard]] inline short answer(const Descriptor& descriptor, short wanted) {
  return static_cast<short>(descriptor.ready() & (wanted | POLLERR | POLLHUP));
}

/// Gives the object a number, which is a real descriptor that nobody uses: so no real one can get
/// the same. A negative value of errno when there is none left.
[[nodiscard]] int give_number(std::shared_ptr<Descriptor> descriptor, bool close_on_exec = true);
/// Null for real descriptors, and in other threads than the simulation's.
[[nodiscard]] Descriptor* find_descriptor(int number);
[[nodiscard]] std::shared_ptr<Descriptor> share_descriptor(int number);
/// Forgets what the number stands for. False: nothing simulated.
bool drop_descriptor(int number);
/// How many numbers stand for something.
[[nodiscard]] std::size_t open_descriptors();
/// `tcp of listener`, for each of them.
[[nodiscard]] std::vector<std::string> list_descriptors();

/// Sets errno.
template <typename Size>
[[nodiscard]] Size conclude(Size result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace peersock::sim
