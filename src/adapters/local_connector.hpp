// Connections to the local service that a tunnel leads to.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include <glib.h>
#include <tl/expected.hpp>

#include "adapters/resolver.hpp"
#include "adapters/unique_fd.hpp"
#include "core/endpoint.hpp"
#include "core/time.hpp"
#include "tunnel/tunnel.hpp"

namespace peersock::adapters {

/// From the request to the connection, the look-up of the name included.
inline constexpr Duration kConnectTimeout = 20s;
/// An address that does not answer for so long is tried together with the next one (RFC 8305
/// section 5, "Connection Attempt Delay").
inline constexpr Duration kAttemptDelay = 250ms;

class LocalConnector {
 public:
  using Outcome = tl::expected<UniqueFd, tunnel::TargetFailure>;
  using Handler = std::function<void(tunnel::ConnectionId, Outcome)>;

  /// `resolver` and `handler` work on `context`, which outlives the connector.
  LocalConnector(GMainContext* context, Endpoint target, Resolver resolver, Handler handler);
  ~LocalConnector();
  LocalConnector(const LocalConnector&) = delete;
  LocalConnector& operator=(const LocalConnector&) = delete;
  LocalConnector(LocalConnector&&) = delete;
  LocalConnector& operator=(LocalConnector&&) = delete;

  /// The handler runs once, later, unless the attempt is cancelled or the connector destroyed.
  /// It may call any method of the connector.
  void connect(tunnel::ConnectionId id);
  void cancel(tunnel::ConnectionId id);
  [[nodiscard]] std::size_t pending() const { return attempts_.size(); }

 private:
  class Attempt;
  void finish(tunnel::ConnectionId id, Outcome outcome);

  GMainContext* context_;
  Endpoint target_;
  Resolver resolver_;
  std::shared_ptr<const Handler> handler_;
  std::unordered_map<tunnel::ConnectionId, std::unique_ptr<Attempt>> attempts_;
};

}  // namespace peersock::adapters
