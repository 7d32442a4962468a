#include "adapters/own_socket.hpp"

#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <sys/socket.h>

#include "adapters/socket_address.hpp"

namespace peersock::adapters {
namespace {

struct DirectoryClose {
  void operator()(DIR* directory) const { closedir(directory); }
};

using Getter = int (*)(int, sockaddr*, socklen_t*);

std::optional<SocketAddress> ask(Getter get, int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (get(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) {
    return std::nullopt;
  }
  return address;
}

bool same(const std::optional<SocketAddress>& a, const std::optional<SocketAddress>& b) {
  return a && b && a->size == b->size && std::memcmp(&a->storage, &b->storage, a->size) == 0;
}

}  // namespace

OwnSocket other_end_of(int accepted) {
  const auto here = ask(getsockname, accepted);
  const auto there = ask(getpeername, accepted);
  const std::unique_ptr<DIR, DirectoryClose> directory(opendir("/proc/self/fd"));
  if (!directory) return {false, std::nullopt};
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (read.ec != std::errc{}) continue;
    if (same(ask(getpeername, fd), here) && same(ask(getsockname, fd), there)) return {true, fd};
  }
  return {};
}

}  // namespace peersock::adapters
