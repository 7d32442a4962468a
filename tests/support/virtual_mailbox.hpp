// The embedded rendezvous server's machine behind virtual links that can be slow, drop, and be
// told to lose, repeat or reorder what it relays.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "support/virtual_world.hpp"
#include "wormhole/server.hpp"

namespace peersock::testing {

/// The client's end of one link.
struct LinkHandlers {
  std::function<void()> up;
  std::function<void(std::string)> frame;
  std::function<void(std::string)> lost;
};

class VirtualMailbox {
 public:
  VirtualMailbox(VirtualWorld& world, LinkProfile link, wormhole::ServerConfig config = {});

  /// Returns the id of the attempt. Handlers are called later, never from inside.
  wormhole::ConnectionId connect(LinkHandlers handlers);
  void send(wormhole::ConnectionId connection, std::string frame);
  void close(wormhole::ConnectionId connection);

  /// Breaks one link under both ends; frames on their way are lost.
  void cut(wormhole::ConnectionId connection);
  /// Cuts every link now; new attempts are refused for `outage`.
  void drop_all(Duration outage);
  /// Calls drop_all(outage) when this many frames (both directions) have been carried.
  void drop_after_frames(std::size_t frames, Duration outage);
  void refuse_all() { refusing_until_ = Instant::max(); }
  /// Deliver every `message` to clients twice, or hold it back behind the next one.
  void duplicate_messages(bool on) { duplicate_ = on; }
  void reorder_messages(bool on) { reorder_ = on; }
  /// Rewrites or swallows (nothing) frames to clients.
  using Tamper = std::function<std::optional<std::string>(wormhole::ConnectionId, std::string)>;
  void tamper(Tamper fn) { tamper_ = std::move(fn); }

  [[nodiscard]] std::size_t frames_carried() const { return frames_; }
  [[nodiscard]] const wormhole::Server& server() const { return server_; }

 private:
  struct Link {
    LinkHandlers handlers;
    bool up = false;
    bool closing = false;  // by the client, which hears nothing any more
    std::optional<std::string> held_back;
    Instant last_up{};  // frames of one direction stay in order, as over TCP
    Instant last_down{};
  };
  void perform(std::vector<wormhole::ServerOutput> outputs);
  void deliver(wormhole::ConnectionId connection, std::string frame);
  void count_frame();
  [[nodiscard]] Duration in_order(Instant& last);

  VirtualWorld& world_;
  LinkProfile link_;
  wormhole::Server server_;
  std::map<wormhole::ConnectionId, Link> links_;
  wormhole::ConnectionId next_ = 1;
  std::size_t frames_ = 0;
  std::optional<std::size_t> drop_at_;
  Duration drop_outage_{};
  Instant refusing_until_{};
  bool duplicate_ = false;
  bool reorder_ = false;
  Tamper tamper_;
};

}  // namespace peersock::testing
