// WebSocket servers on loopback that do what a test says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/glib_loop.hpp"
#include "support/tcp_peer.hpp"
#include "support/websocket_octets.hpp"

namespace peersock::testing {

inline std::string url_of(std::uint16_t port, const std::string& scheme = "ws") {
  return scheme + "://127.0.0.1:" + std::to_string(port) + "/v1";
}
inline std::string name_of(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// A server that does the handshake, and then `then` with the client.
class ScriptedServer {
 public:
  ScriptedServer(GlibLoop& loop, std::function<void(TcpPeer&)> then)
      : listener_(loop.context(), [then = std::move(then)](TcpPeer& peer) {
          peer.on_input = [&peer, then] {
            if (const auto head = take_http_head(peer.received())) {
              peer.send(upgrade_response(*head));
              then(peer);
            }
          };
        }) {}
  [[nodiscard]] std::string url() const { return url_of(listener_.port()); }
  [[nodiscard]] std::vector<std::unique_ptr<TcpPeer>>& peers() { return listener_.peers(); }

 private:
  TcpListener listener_;
};

}  // namespace peersock::testing
