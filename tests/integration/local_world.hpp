// A main loop and real descriptors for the tests of local endpoints.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <glib.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::adapters::testing {

class Loop {
 public:
  Loop() : context_(g_main_context_new()) {}

  [[nodiscard]] GMainContext* get() const { return context_.get(); }
  /// Runs until `done`; false when nothing has come of it for a very long time.
  [[nodiscard]] bool until(const std::function<bool()>& done) const;
  /// Carries out what is due now. How many turns of the loop had something to do: at most `turns`.
  int settle(int turns = 50) const;

 private:
  ContextPtr context_;
};

/// Two ends of one connection: the tunnel's, and the local program's.
struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};
[[nodiscard]] SocketPair tcp_pair();
[[nodiscard]] SocketPair unix_pair();
struct Pipe {
  UniqueFd out;
  UniqueFd in;
};
[[nodiscard]] Pipe make_pipe();

/// Closes a TCP socket with a reset.
void close_with_reset(UniqueFd fd);

/// Reads what there is, without blocking; stops at `limit`.
struct Drained {
  std::string text;
  bool end = false;
  int error = 0;  ///< 0: it would block, or the limit is reached
};
[[nodiscard]] Drained drain(int fd, std::size_t limit = 1 << 28);
/// Writes all of it, and fails the test where that would block.
void put(int fd, std::string_view text);
/// Whether the open file description is non-blocking.
[[nodiscard]] bool is_non_blocking(int fd);

/// A directory that goes with all its files.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// For as long as it lives, the process can open no further descriptor.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors();
  ~NoMoreDescriptors();
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors(NoMoreDescriptors&&) = delete;
  NoMoreDescriptors& operator=(NoMoreDescriptors&&) = delete;

 private:
  unsigned long before_ = 0;
};

/// Octets that differ from place to place.
[[nodiscard]] std::string pattern(std::size_t size);

}  // namespace peersock::adapters::testing
