// Carries octets between two TCP connections, both ways, each until its end.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::sim {

class OctetRelay {
 public:
  /// `over` runs from the context when both ways have ended or one has failed; it may destroy this.
  OctetRelay(GMainContext* context, adapters::UniqueFd first, adapters::UniqueFd second,
             std::function<void()> over);

 private:
  struct Way {
    int from;
    int to;
    std::vector<std::uint8_t> waiting;
    bool ended = false;
  };

  void step();
  /// False: broken.
  [[nodiscard]] static bool carry(Way& way);
  [[nodiscard]] static bool empty(Way& way);

  adapters::UniqueFd first_;
  adapters::UniqueFd second_;
  std::function<void()> over_;
  Way there_;
  Way back_;
  adapters::FdWatch first_watch_;
  adapters::FdWatch second_watch_;
};

}  // namespace peersock::sim
