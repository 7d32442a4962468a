#include "system_calls.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace peersock::testing {
namespace {

Refusals* refusals = nullptr;

bool refuse(const std::optional<int>& error) {
  if (error) errno = *error;
  return error.has_value();
}

}  // namespace

Refusals::Refusals() {
  refusals = this;
}
Refusals::~Refusals() {
  refusals = nullptr;
}

}  // namespace peersock::testing

extern "C" int setsockopt(int fd, int level, int option, const void* value,
                          socklen_t size) noexcept {
  using namespace peersock::testing;
  if (refusals != nullptr && refusals->setsockopt && refuse(refusals->setsockopt(level, option))) {
    return -1;
  }
  return static_cast<int>(syscall(SYS_setsockopt, fd, level, option, value, size));
}

extern "C" int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  using namespace peersock::testing;
  if (refusals != nullptr && refusals->bind && refuse(refusals->bind())) return -1;
  return static_cast<int>(syscall(SYS_bind, fd, address, size));
}

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  using namespace peersock::testing;
  if (refusals != nullptr && refusals->sendmsg && refuse(refusals->sendmsg(fd))) return -1;
  return syscall(SYS_sendmsg, fd, message, flags);
}
