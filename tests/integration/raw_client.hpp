// Clients of the rendezvous server that write their frames octet by octet.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "mailbox_client.hpp"
#include "support/tcp_peer.hpp"
#include "support/websocket_octets.hpp"

namespace peersock::testing {

/// The head of the answer to a request.
inline std::optional<std::string> next_head(GlibLoop& loop, TcpPeer& peer) {
  std::optional<std::string> head;
  EXPECT_TRUE(loop.until([&] {
    head = take_http_head(peer.received());
    return head.has_value() || peer.ended();
  }));
  return head;
}

inline std::optional<WsFrame> next_frame(GlibLoop& loop, TcpPeer& peer) {
  std::optional<WsFrame> frame;
  EXPECT_TRUE(loop.until([&] {
    frame = take_ws_frame(peer.received());
    return frame.has_value() || peer.ended();
  }));
  return frame;
}

/// A client that has done its handshake and read the welcome.
inline std::unique_ptr<TcpPeer> joined(GlibLoop& loop, const MailboxHouse& house,
                                       int receive_buffer = 0) {
  auto peer = TcpPeer::connect(loop.context(), house.port(), receive_buffer);
  peer->send(upgrade_request());
  EXPECT_TRUE(next_head(loop, *peer));
  const auto welcome = next_frame(loop, *peer);
  EXPECT_TRUE(welcome && welcome->payload.find("welcome") != std::string::npos);
  return peer;
}

inline std::string text(const nlohmann::json& message) {
  return ws_frame(kText, message.dump(), true);
}

inline void bind_and_open(TcpPeer& peer, const std::string& side) {
  peer.send(text({{"type", "bind"}, {"appid", "app"}, {"side", side}}) +
            text({{"type", "open"}, {"mailbox", "m"}}));
}

inline bool ends(GlibLoop& loop, TcpPeer& peer) {
  return loop.until([&] { return peer.ended(); });
}

/// Others are served while something else goes on.
inline bool serves_others(GlibLoop& loop, const MailboxHouse& house) {
  MailboxClient client(loop);
  if (!client.join(house.url(), "other")) return false;
  client.say({{"type", "ping"}, {"ping", 7}});
  return client.hear("pong").is_object();
}

}  // namespace peersock::testing
