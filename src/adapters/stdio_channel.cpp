#include "adapters/stdio_channel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace peersock::adapters {
namespace {

/// /dev/null, /dev/full and their like, which never block (Linux's admin-guide/devices.txt).
constexpr unsigned kMemoryDevices = 1;

template <typename Call>
ssize_t uninterrupted(Call&& call) {
  ssize_t result = 0;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

/// EAGAIN in errno when it is not.
bool is_ready(int fd, short events) {
  pollfd item{fd, events, 0};
  if (uninterrupted([&] { return ::poll(&item, 1, 0); }) > 0) return true;
  errno = EAGAIN;
  return false;
}

/// A second open file description of the same pipe or terminal, or none.
UniqueFd open_again(int fd, StdioEnd::Direction direction) {
  const int access = direction == StdioEnd::Direction::kIn ? O_RDONLY : O_WRONLY;
  return UniqueFd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(),
                         access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

void replace_by_null(int fd) {
  // Opened for reading: a write that comes too late is an error, and not lost in silence.
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null) static_cast<void>(::dup2(null.get(), fd));
}

bool is_same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

std::string output_sentence(int error) {
  switch (error) {
    case EPIPE:
    case ECONNRESET:
      return "the program that reads standard output has gone before the end; look there for the "
             "cause";
    case EBADF:
      return "standard output is not open; redirect it to a file or a program";
    case ENOSPC:
    case EDQUOT:
      return fmt::format("standard output can not be written ({}); make room and start again",
                         g_strerror(error));
    default:
      return fmt::format("standard output can not be written ({}); redirect it elsewhere",
                         g_strerror(error));
  }
}

}  // namespace

void prepare_standard_streams() {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is given out first, so that this one is `fd`.
    const int access = fd == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    static_cast<void>(::open("/dev/null", access));
  }
}

StdioEnd::StdioEnd(int fd, Direction direction) : fd_(fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) {
    kind_ = Kind::kSocket;
  } else if (S_ISFIFO(info.st_mode) || ::isatty(fd) == 1) {
    own_ = open_again(fd, direction);
    kind_ = own_ ? Kind::kNonBlocking : Kind::kPolled;
  } else if (S_ISCHR(info.st_mode) && major(info.st_rdev) != kMemoryDevices) {
    kind_ = Kind::kPolled;
  }
}

ssize_t StdioEnd::read(MutableBytes into) const {
  if (kind_ == Kind::kSocket) {
    return uninterrupted([&] { return ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT); });
  }
  if (kind_ == Kind::kPolled && !is_ready(fd(), POLLIN)) return -1;
  return uninterrupted([&] { return ::read(fd(), into.data(), into.size()); });
}

ssize_t StdioEnd::write(ByteView from) const {
  if (kind_ == Kind::kSocket) {
    return uninterrupted(
        [&] { return ::send(fd(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
  }
  if (kind_ == Kind::kPolled) {
    if (!is_ready(fd(), POLLOUT)) return -1;
    // A pipe that is ready takes this much without blocking (pipe(7)).
    from = from.first(std::min<std::size_t>(from.size(), PIPE_BUF));
  }
  return uninterrupted([&] { return ::write(fd(), from.data(), from.size()); });
}

StdioChannel::StdioChannel(GMainContext* context, int in, int out, ReadyHandler ready)
    : out_fd_(out),
      in_(in, StdioEnd::Direction::kIn),
      out_(out, StdioEnd::Direction::kOut),
      same_socket_(out_.is_socket() && is_same_file(in, out)),
      in_watch_(context, in_.fd(), ready) {
  out_watch_.emplace(context, out_.fd(), std::move(ready));
}

tunnel::LocalRead StdioChannel::read(MutableBytes into) {
  const ssize_t size = in_.read(into);
  if (size > 0) return {static_cast<std::size_t>(size), false, {}};
  // Standard input that is not open has nothing to say.
  if (size == 0 || errno == EBADF) return {0, true, {}};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
  return {0, false,
          fmt::format("standard input can not be read ({}); redirect it from elsewhere",
                      g_strerror(errno))};
}

tunnel::LocalWrite StdioChannel::write(ByteView from) {
  const ssize_t size = out_.write(from);
  if (size >= 0) return {static_cast<std::size_t>(size), {}, false};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
  return {0, output_sentence(errno), true};
}

void StdioChannel::finish() {
  out_watch_.reset();
  if (same_socket_) static_cast<void>(::shutdown(out_.fd(), SHUT_WR));
  out_.close();
  replace_by_null(out_fd_);
}

void StdioChannel::abort() {
  in_watch_.watch(false, false);
  if (out_watch_) finish();
}

void StdioChannel::watch(bool readable, bool writable) {
  in_watch_.watch(readable, false);
  if (out_watch_) out_watch_->watch(false, writable);
}

}  // namespace peersock::adapters
