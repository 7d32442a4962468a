// One tunnel, the programs at its local end, and the loop that drives it: for tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_channel.hpp"
#include "tunnel/tunnel.hpp"

namespace peersock::testing {

using Local = std::shared_ptr<FakeLocal>;

class TunnelSide {
 public:
  /// `quic` must outlive it.
  TunnelSide(tunnel::TunnelConfig config, quic::Connection& quic)
      : quic_(quic), tunnel_(config, quic) {}

  /// A local program connects; 0 when it was turned away.
  tunnel::ConnectionId accept(const Local& local);
  void connect(tunnel::ConnectionId id, const Local& local);
  void fail(tunnel::ConnectionId id, CloseReason reason, const std::string& message);
  void credit(quic::StreamId stream, std::uint32_t octets);
  void shut_down();
  /// Hands on one fact, or every fact that the connection has.
  void fact(const quic::ConnectionFact& fact);
  bool facts();
  /// Reports the readiness of one channel, or of all, where it is asked for.
  bool ready(tunnel::ConnectionId id);
  bool ready();

  [[nodiscard]] tunnel::Tunnel& tunnel() { return tunnel_; }
  [[nodiscard]] const event::ConnectionClosed* closed(tunnel::ConnectionId id) const;
  [[nodiscard]] std::size_t headers() const { return headers_; }
  /// Octets that the programs have received.
  [[nodiscard]] std::uint64_t delivered() const;
  /// Calls of channels that were out of place.
  [[nodiscard]] std::string misuse() const;

  std::map<tunnel::ConnectionId, Local> locals;
  bool hold = false;                                 ///< leave ConnectTarget unanswered
  std::vector<tunnel::command::GrantCredit> grants;  ///< to be handed to the other side
  std::vector<std::string> log;                      ///< commands, e.g. "opened 1"
  std::optional<tunnel::command::Finished> finished;
  std::size_t target_room = FakeLocal::kNoLimit;  ///< for targets that are connected to

 private:
  void commands();
  void carry_out(const tunnel::TunnelCommand& command);

  quic::Connection& quic_;
  tunnel::Tunnel tunnel_;
  std::vector<event::ConnectionClosed> closed_;
  std::size_t headers_ = 0;
};

/// `size` octets that differ from place to place and from `seed` to `seed`.
[[nodiscard]] std::string pattern(std::size_t size, std::uint32_t seed = 1);

}  // namespace peersock::testing
