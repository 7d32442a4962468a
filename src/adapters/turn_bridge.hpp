// A way to a TURN server over TCP or TLS (RFC 8656 section 3.1) that libnice can use. libnice
// 0.1.21 connects to numeric addresses, in clear and through no proxy. So the connection is ours;
// libnice is told of a port on loopback, and its octets go to the server and back.
//
// libnice 0.1.21 ends the process ("assertion failed: (priority > 0)") when the connection under
// its selected pair ends while another pair is nominated or checked. So that no server can bring
// that about, libnice does not see the server's end: its own connection stays, and is silent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/stream_dial.hpp"
#include "adapters/stream_pump.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

struct TurnBridgeConfig {
  StreamTarget server;
  StreamDialConfig dial;
  Duration connect_timeout = 5s;
};

/// One of the first two is called, from the loop, never from a call of the bridge's methods; each
/// may destroy the bridge, which closes libnice's connection.
struct TurnBridgeCallbacks {
  /// The server is there: `listen` may be called.
  std::function<void()> on_connected;
  /// A short phrase for the user says why it is not.
  std::function<void(std::string)> on_failed;
  /// The server has ended the connection that libnice uses.
  std::function<void()> on_ended;
};

class TurnBridge {
 public:
  /// `context` outlives the bridge.
  TurnBridge(GMainContext* context, TurnBridgeConfig config, TurnBridgeCallbacks callbacks);
  TurnBridge(const TurnBridge&) = delete;
  TurnBridge& operator=(const TurnBridge&) = delete;
  TurnBridge(TurnBridge&&) = delete;
  TurnBridge& operator=(TurnBridge&&) = delete;
  /// Ends the connections.
  ~TurnBridge();

  void start();

  /// Listens on 127.0.0.1 or ::1 and gives the port; nothing when the system has none. The first
  /// connection that comes from this process is carried, and no other; libnice makes one for each
  /// of its addresses, and the rest would be allocations that nobody needs.
  [[nodiscard]] std::optional<std::uint16_t> listen(bool ipv6);
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void connected(GObjectPtr<GIOStream> stream);
  void failed(std::string reason);
  void accept();

  GMainContext* context_;
  Duration connect_timeout_;
  TurnBridgeCallbacks callbacks_;
  Wakeup timeout_;
  std::optional<StreamDial> dial_;
  GObjectPtr<GIOStream> server_;  // until it is carried
  GObjectPtr<GSocket> listener_;
  std::unique_ptr<FdWatch> arrivals_;
  std::unique_ptr<StreamPump> pump_;
  std::uint16_t port_ = 0;
};

}  // namespace peersock::adapters
