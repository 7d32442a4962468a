// The file of a listening Unix socket: made private, never in the place of something that others
// use, and removed at the end.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "adapters/unique_fd.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

class UnixSocketFile {
 public:
  struct Bound;
  /// Binds a listening socket to `path` with this mode. A socket file that nobody listens on any
  /// more is replaced. Errors are kLocalEndpoint.
  [[nodiscard]] static Result<Bound> bind(const std::string& path, mode_t mode = 0600);

  UnixSocketFile(UnixSocketFile&& other) noexcept;
  UnixSocketFile& operator=(UnixSocketFile&&) = delete;
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;
  /// Removes the file, unless another one has taken its place.
  ~UnixSocketFile();

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  static std::optional<Identity> identity_of(const std::string& path);

  UnixSocketFile(std::string path, std::optional<Identity> identity)
      : path_(std::move(path)), identity_(identity) {}

  std::string path_;
  std::optional<Identity> identity_;
};

struct UnixSocketFile::Bound {
  UniqueFd fd;
  UnixSocketFile file;
};

}  // namespace peersock::adapters
