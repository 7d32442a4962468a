// Refusals of the system on order. An executable that adds system_calls.cpp has its own setsockopt,
// bind and sendmsg, for itself and for the libraries that it uses; they do what the system's do,
// but for what a test has ordered.
#pragma once

#include <functional>
#include <optional>

namespace peersock::testing {

/// What the calls answer in place of the system: an errno, or nothing to let the system answer.
struct Refusals {
  std::function<std::optional<int>(int level, int option)> setsockopt;
  std::function<std::optional<int>()> bind;
  std::function<std::optional<int>(int fd)> sendmsg;

  /// They hold as long as this object.
  Refusals();
  ~Refusals();
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;
  Refusals(Refusals&&) = delete;
  Refusals& operator=(Refusals&&) = delete;
};

}  // namespace peersock::testing
