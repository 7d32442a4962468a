// Collects what has to be stored of one input to the embedded rendezvous server.
#pragma once

#include <utility>
#include <vector>

#include "wormhole/server_state.hpp"

namespace peersock::wormhole::server {

class Journal {
 public:
  /// One that is off keeps nothing.
  explicit Journal(bool on) : on_(on) {}

  /// `make()` gives the change; it is not called when nobody wants it, since it copies bodies.
  template <typename Make>
  void record(Make make) {
    if (on_) changes_.emplace_back(make());
  }
  [[nodiscard]] std::vector<StateChange> take() { return std::exchange(changes_, {}); }

 private:
  bool on_;
  std::vector<StateChange> changes_;
};

}  // namespace peersock::wormhole::server
