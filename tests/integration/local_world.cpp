#include "local_world.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "adapters/fd_watch.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters::testing {

bool Loop::until(const std::function<bool()>& done) const {
  bool late = false;
  Wakeup watchdog(get(), [&] { late = true; });
  watchdog.after(std::chrono::seconds(60));
  while (!done() && !late) g_main_context_iteration(get(), TRUE);
  return !late;
}

int Loop::settle(int turns) const {
  int busy = 0;
  while (busy < turns && g_main_context_iteration(get(), FALSE)) ++busy;
  return busy;
}

SocketPair tcp_pair() {
  const auto any = numeric_address("127.0.0.1", 0);
  const UniqueFd listener = open_socket(AF_INET);
  EXPECT_EQ(::bind(listener.get(), any->get(), any->size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  const SocketAddress address = bound_address(listener.get());
  UniqueFd theirs(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(theirs.get(), address.get(), address.size), 0);
  UniqueFd ours(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(ours);
  return {std::move(ours), std::move(theirs)};
}

SocketPair unix_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Pipe make_pipe() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

void close_with_reset(UniqueFd fd) {
  const linger at_once{1, 0};
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
}

Drained drain(int fd, std::size_t limit) {
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  Drained drained;
  std::vector<char> chunk(1 << 16);
  while (drained.text.size() < limit) {
    const auto want = std::min(chunk.size(), limit - drained.text.size());
    const ssize_t size = ::read(fd, chunk.data(), want);
    if (size <= 0) {
      drained.end = size == 0;
      drained.error = size < 0 && errno != EAGAIN ? errno : 0;
      break;
    }
    drained.text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  ::fcntl(fd, F_SETFL, flags);
  return drained;
}

void put(int fd, std::string_view text) {
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::fcntl(fd, F_SETFL, flags);
}

bool is_non_blocking(int fd) {
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = ::testing::TempDir() + "peersock-XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  path_ = name;
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

NoMoreDescriptors::NoMoreDescriptors() {
  rlimit limit{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  before_ = limit.rlim_cur;
  // The next descriptor would get this number.
  const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  limit.rlim_cur = static_cast<rlim_t>(next.get());
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}
NoMoreDescriptors::~NoMoreDescriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = before_;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& octet : text) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace peersock::adapters::testing
