// One attempt to reach a server over TCP, perhaps through an HTTP proxy, perhaps in TLS: name, TCP,
// CONNECT, handshake.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gio/gio.h>

#include "adapters/dial_reason.hpp"
#include "adapters/glib_ptr.hpp"
#include "core/time.hpp"
#include "wire/http_proxy.hpp"

namespace peersock::adapters {

struct StreamTarget {
  std::string host;  ///< a name or a numeric address, IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;  ///< and then the certificate must be for `host`
  /// Null: straight there. With one, the name is looked up by the proxy.
  std::shared_ptr<const wire::HttpProxy> proxy;
  /// What to try when the server has no TLS, for the user: "try ws://".
  std::string without_tls;
};

struct StreamDialConfig {
  /// Whose signature makes a certificate good; null: the system's authorities.
  GTlsDatabase* trusted = nullptr;
  /// The connection is lost when the other machine acknowledges nothing for this long.
  Duration max_unacknowledged = 20s;
};

/// Exactly one is called, from the loop, and never from `start`; each may destroy the attempt.
struct StreamDialCallbacks {
  /// Both directions are pollable; nothing has been read or written that is the server's.
  std::function<void(GObjectPtr<GIOStream>)> on_open;
  /// A short phrase for the user says why.
  std::function<void(std::string)> on_failed;
};

class StreamDial {
 public:
  /// `context` and `config.trusted` must outlive the attempt.
  StreamDial(GMainContext* context, StreamTarget target, StreamDialConfig config,
             StreamDialCallbacks callbacks);
  StreamDial(const StreamDial&) = delete;
  StreamDial& operator=(const StreamDial&) = delete;
  StreamDial(StreamDial&&) = delete;
  StreamDial& operator=(StreamDial&&) = delete;
  /// Gives the attempt up; nothing is called any more.
  ~StreamDial();

  /// Once only.
  void start();
  /// kUpgrading once it is open.
  [[nodiscard]] DialPhase phase() const;
  /// Why it is given up now, for the user: nothing has come of the phase that it is in.
  [[nodiscard]] std::string timeout_reason(Duration after) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // lives on while one of its callbacks runs
};

}  // namespace peersock::adapters
