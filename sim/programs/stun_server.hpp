// A STUN server that answers Binding requests (RFC 8489), on a simulated host.
#pragma once

#include <cstdint>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::sim {

class StunServer {
 public:
  StunServer(GMainContext* context, const std::string& address, std::uint16_t port);

 private:
  void answer_all();

  adapters::UniqueFd fd_;
  adapters::FdWatch watch_;
};

}  // namespace peersock::sim
