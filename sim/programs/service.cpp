#include "programs/service.hpp"

#include <utility>

#include <sys/socket.h>

#include "programs/sockets.hpp"

namespace peersock::sim {

Service::Service(GMainContext* context, const std::string& address, std::uint16_t port,
                 TransferPlan plan, std::function<void()> over)
    : context_(context),
      plan_(plan),
      over_(std::move(over)),
      listening_(bound_socket(SOCK_STREAM, address, port)),
      watch_(context, listening_.get(), [this](bool, bool) { accept_all(); }) {
  watch_.watch(true, false);
}

void Service::accept_all() {
  for (;;) {
    adapters::UniqueFd fd(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    transfers_.push_back(std::make_unique<Transfer>(context_, std::move(fd), plan_, over_));
  }
}

}  // namespace peersock::sim
