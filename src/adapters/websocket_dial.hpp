// One attempt to open a WebSocket as a client (RFC 6455 section 4.1): a stream and the handshake.
// What it gives is the bare stream, so that its owner decides how much may be read from it at a
// time: libsoup's own client reads for as long as the server is fast enough.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/stream_dial.hpp"

namespace peersock::adapters {

/// Exactly one is called, from the loop, and never from `start`; each may destroy the attempt.
struct WebsocketDialCallbacks {
  /// The server has agreed; nothing beyond its answer was read.
  std::function<void(GObjectPtr<GIOStream>)> on_open;
  /// A short phrase for the user says why.
  std::function<void(std::string)> on_failed;
};

struct WebsocketDialConfig {
  StreamDialConfig stream;
  /// Which proxy to go through, if any.
  wire::ProxyRules proxies;
};

class WebsocketDial {
 public:
  /// `context` and `config.stream.trusted` must outlive the attempt.
  WebsocketDial(GMainContext* context, WebsocketDialConfig config,
                WebsocketDialCallbacks callbacks);
  WebsocketDial(const WebsocketDial&) = delete;
  WebsocketDial& operator=(const WebsocketDial&) = delete;
  WebsocketDial(WebsocketDial&&) = delete;
  WebsocketDial& operator=(WebsocketDial&&) = delete;
  /// Gives the attempt up; nothing is called any more.
  ~WebsocketDial();

  /// `uri` is ws:// or wss:// with a host. Once only.
  void start(GUri* uri);
  /// Why it is given up now, for the user; only after `start`.
  [[nodiscard]] std::string timeout_reason(Duration after) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // lives on while one of its callbacks runs
};

/// Where the server of a ws:// or wss:// address with a host is, and through which proxy.
[[nodiscard]] StreamTarget stream_target(GUri* uri, const wire::ProxyRules& proxies);

/// Whether a path or query can stand in a request as it is: no blank, no control character, ASCII.
[[nodiscard]] bool fits_request_line(const char* text);

}  // namespace peersock::adapters
