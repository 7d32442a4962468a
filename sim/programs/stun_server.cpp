#include "programs/stun_server.hpp"

#include <array>

#include <sys/socket.h>

#include "programs/sockets.hpp"
#include "programs/stun_message.hpp"

namespace peersock::sim {

StunServer::StunServer(GMainContext* context, const std::string& address, std::uint16_t port)
    : fd_(bound_socket(SOCK_DGRAM, address, port)),
      watch_(context, fd_.get(), [this](bool, bool) { answer_all(); }) {
  watch_.watch(true, false);
}

void StunServer::answer_all() {
  std::array<std::uint8_t, 2048> octets{};
  for (;;) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(fd_.get(), octets.data(), octets.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const auto sender = from_sockaddr(reinterpret_cast<const sockaddr*>(&from), size);
    const auto request = read_stun({octets.data(), static_cast<std::size_t>(got)});
    if (!sender || !request || request->kind != StunClass::kRequest ||
        request->method != StunMethod::kBinding) {
      continue;
    }
    StunWriter answer(StunClass::kSuccess, StunMethod::kBinding, request->id);
    answer.add_mapped(*sender);
    send_datagram(fd_.get(), answer.octets(), *sender);
  }
}

}  // namespace peersock::sim
