// What works on every kind of descriptor, and eventfd.
#undef _FILE_OFFSET_BITS  // or fcntl would be another name of fcntl64, and both are called
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libc/descriptor.hpp"
#include "libc/real.hpp"
#include "libc/socket_descriptor.hpp"

namespace peersock::sim {
namespace {

/// GLib wakes a main context by it.
class EventDescriptor final : public Descriptor {
 public:
  EventDescriptor(Host& host, std::uint64_t value) : Descriptor(host), value_(value) {}

  [[nodiscard]] const char* kind() const override { return "event"; }
  [[nodiscard]] short ready() const override {
    return static_cast<short>(POLLOUT | (value_ > 0 ? POLLIN : 0));
  }
  ssize_t read(std::span<std::uint8_t> into) override {
    if (into.size() < sizeof value_) return -EINVAL;
    if (value_ == 0) return -EAGAIN;
    std::memcpy(into.data(), &value_, sizeof value_);
    value_ = 0;
    return sizeof value_;
  }
  ssize_t write(std::span<const std::uint8_t> from) override {
    std::uint64_t more = 0;
    if (from.size() < sizeof more) return -EINVAL;
    std::memcpy(&more, from.data(), sizeof more);
    value_ += more;
    host().kick();
    return sizeof more;
  }

 private:
  std::uint64_t value_;
};

int duplicate(int number, bool close_on_exec) {
  return conclude(give_number(share_descriptor(number), close_on_exec));
}

}  // namespace
}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

int eventfd(unsigned value, int flags) noexcept {
  Host* host = Host::current();
  if (host == nullptr) return PEERSOCK_REAL(eventfd)(value, flags);
  return conclude(
      give_number(std::make_shared<EventDescriptor>(*host, value), (flags & EFD_CLOEXEC) != 0));
}

ssize_t read(int number, void* into, std::size_t size) {
  auto* descriptor = find_descriptor(number);
  if (descriptor == nullptr) return PEERSOCK_REAL(read)(number, into, size);
  return conclude(descriptor->read({static_cast<std::uint8_t*>(into), size}));
}

ssize_t write(int number, const void* from, std::size_t size) {
  auto* descriptor = find_descriptor(number);
  if (descriptor == nullptr) return PEERSOCK_REAL(write)(number, from, size);
  return conclude(descriptor->write({static_cast<const std::uint8_t*>(from), size}));
}

ssize_t writev(int number, const iovec* parts, int count) {
  auto* descriptor = find_descriptor(number);
  if (descriptor == nullptr) return PEERSOCK_REAL(writev)(number, parts, count);
  std::vector<std::uint8_t> whole;
  for (int i = 0; i < count; ++i) {
    const auto* first = static_cast<const std::uint8_t*>(parts[i].iov_base);
    whole.insert(whole.end(), first, first + parts[i].iov_len);
  }
  return conclude(descriptor->write(whole));
}

int close(int number) {
  return drop_descriptor(number) ? 0 : PEERSOCK_REAL(close)(number);
}

int dup(int number) noexcept {
  if (find_descriptor(number) == nullptr) return PEERSOCK_REAL(dup)(number);
  return duplicate(number, false);
}

// The flags of a number are kept by the real descriptor behind it; only copies concern us.
int fcntl64(int number, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (find_descriptor(number) != nullptr && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) {
    return duplicate(number, command == F_DUPFD_CLOEXEC);
  }
  return PEERSOCK_REAL(fcntl64)(number, command, argument);
}

int fcntl(int number, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  return fcntl64(number, command, argument);
}

int ioctl(int number, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  auto* descriptor = find_descriptor(number);
  if (descriptor == nullptr) return PEERSOCK_REAL(ioctl)(number, request, argument);
  const auto* socket = descriptor->as_socket();
  if (socket == nullptr || request != FIONREAD) return conclude(-ENOTTY);
  *static_cast<int*>(argument) = static_cast<int>(socket->available());
  return 0;
}

}  // extern "C"
