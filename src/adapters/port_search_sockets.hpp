// The search for a port of an endpoint-dependent NAT, on UDP sockets of its own, and the path that
// it finds. docs/spec/port-search.md; the decisions are ice::PortSearch's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <glib.h>

#include "adapters/resolver.hpp"
#include "core/event.hpp"
#include "core/rng.hpp"
#include "core/runner.hpp"
#include "quic/datagram.hpp"
#include "wire/port_offer.hpp"

namespace peersock::adapters {

struct PortSearchServer {
  std::string host;  ///< numeric or a name
  std::uint16_t port = 0;
};

struct PortSearchSocketsConfig {
  /// Whatever answers Binding requests (RFC 8489), TURN servers too. Two at different addresses, or
  /// one with RFC 5780, tell what the NAT does.
  std::vector<PortSearchServer> servers;
  Resolver resolver;
};

/// They run from the main context, never from inside a call, and may not destroy the search.
struct PortSearchCallbacks {
  std::function<void(const wire::PortOffer&)> offer;  ///< to be sent to the peer
  std::function<void(PathInfo)> found;                ///< `send_batch` leads there from now on
  std::function<void()> lost;                         ///< nothing leads there any more
  std::function<void(std::span<const quic::DatagramTrain>)> trains;
  std::function<void()> writable;  ///< after kWouldBlock
};

class PortSearchSockets {
 public:
  /// `context` and `rng` outlive the search.
  PortSearchSockets(GMainContext* context, Rng& rng, PortSearchSocketsConfig config,
                    PortSearchCallbacks callbacks);
  ~PortSearchSockets();
  PortSearchSockets(const PortSearchSockets&) = delete;
  PortSearchSockets& operator=(const PortSearchSockets&) = delete;
  PortSearchSockets(PortSearchSockets&&) = delete;
  PortSearchSockets& operator=(PortSearchSockets&&) = delete;

  void set_trace(TraceHook hook);
  /// The peer knows the code. Nothing leaves before that.
  void session_opened();
  void path_changed(bool relayed);
  void peer_offered(wire::PortOffer offer);

  [[nodiscard]] bool has_path() const;
  /// kError without a path.
  [[nodiscard]] quic::SendOutcome send_batch(const quic::DatagramTrain& train);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::adapters
