#include "adapters/unix_socket_file.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <glib.h>
#include <sys/stat.h>

#include "adapters/socket_address.hpp"

namespace peersock::adapters {
namespace {

tl::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(ErrorKind::kLocalEndpoint, fmt::format("can not listen on unix:{}: {}", path, why));
}

/// Makes room at `path`, or says why there is none.
Result<void> clear(const std::string& path, const SocketAddress& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return refuse(path,
                  "something that is not a socket is there; remove it or choose another path");
  }
  const UniqueFd probe = open_socket(AF_UNIX);
  if (!probe) return refuse(path, g_strerror(errno));
  if (::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED) {
    // Success, a full queue, no permission, another type of socket: somebody uses it.
    return refuse(path, "another program uses this socket; stop it or choose another path");
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return refuse(path, fmt::format("an old socket is there and can not be removed ({}); choose "
                                    "another path",
                                    g_strerror(errno)));
  }
  return {};
}

}  // namespace

Result<UnixSocketFile::Bound> UnixSocketFile::bind(const std::string& path, mode_t mode) {
  const auto address = unix_address(path);
  if (!address) return refuse(path, "the path is too long; choose a shorter one");
  if (auto cleared = clear(path, *address); !cleared) return tl::unexpected(cleared.error());

  UniqueFd fd = open_socket(AF_UNIX);
  if (!fd) return refuse(path, g_strerror(errno));
  // The file is never there with more rights than it is to have.
  const mode_t before = ::umask(~mode & 0777);
  const int bound = ::bind(fd.get(), address->get(), address->size);
  const int error = errno;
  ::umask(before);
  if (bound != 0) {
    return refuse(path,
                  fmt::format("{}; choose a path in a directory of yours", g_strerror(error)));
  }
  UnixSocketFile file(path, identity_of(path));
  if (::listen(fd.get(), SOMAXCONN) != 0) return refuse(path, g_strerror(errno));
  return Bound{std::move(fd), std::move(file)};
}

std::optional<UnixSocketFile::Identity> UnixSocketFile::identity_of(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

UnixSocketFile::UnixSocketFile(UnixSocketFile&& other) noexcept
    : path_(std::move(other.path_)), identity_(std::exchange(other.identity_, std::nullopt)) {}

UnixSocketFile::~UnixSocketFile() {
  if (identity_ && identity_of(path_) == identity_) ::unlink(path_.c_str());
}

}  // namespace peersock::adapters
