// Two tunnels over a pair of fake QUIC connections, with programs at both ends.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_channel.hpp"
#include "support/fake_quic.hpp"
#include "tunnel/tunnel.hpp"

namespace peersock::tunnel::testing {

using peersock::testing::FakeLocal;
using peersock::testing::FakeQuic;
using peersock::testing::FakeQuicLimits;
using Local = std::shared_ptr<FakeLocal>;

/// One tunnel and the loop that drives it.
class Side {
 public:
  Side(TunnelConfig config, FakeQuic& quic) : quic_(quic), tunnel_(config, quic) {}

  /// A local program connects; 0 when it was turned away.
  ConnectionId accept(const Local& local);
  void connect(ConnectionId id, const Local& local);
  /// Hands on every fact of the connection.
  bool facts();
  /// Reports the readiness of one channel, if it is asked for.
  bool ready(ConnectionId id);
  /// All of the above that is due; false when there was nothing.
  bool step();
  /// Takes the commands; `targets` are connected to at once unless `hold` is set.
  void commands();

  Tunnel& tunnel() { return tunnel_; }
  FakeQuic& quic() { return quic_; }
  [[nodiscard]] const event::ConnectionClosed* closed(ConnectionId id) const;
  /// Octets taken from QUIC and not yet by a local program, headers excluded.
  [[nodiscard]] std::uint64_t kept() const;
  /// Complaints of the fakes about how they were used.
  [[nodiscard]] std::string misuse() const;

  std::map<ConnectionId, Local> locals;
  bool hold = false;             ///< leave ConnectTarget unanswered
  std::vector<std::string> log;  ///< commands, e.g. "opened 1"
  std::optional<command::Finished> finished;
  std::size_t target_room = FakeLocal::kNoLimit;  ///< for targets that are connected to

 private:
  void carry_out(const TunnelCommand& command);

  FakeQuic& quic_;
  Tunnel tunnel_;
  std::vector<event::ConnectionClosed> closed_;
  std::uint64_t headers_ = 0;
};

struct RigConfig {
  bool single = false;
  bool acceptor_single = false;
  FakeQuicLimits opener = {};
  FakeQuicLimits acceptor = {};
};

struct Rig {
  explicit Rig(const RigConfig& config = {});
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  Rig(Rig&&) = delete;
  Rig& operator=(Rig&&) = delete;

  /// Lets everything happen that can; fails the test when it does not come to rest.
  void run();
  /// A connection through both tunnels, as the programs at the ends see it.
  struct Connection {
    ConnectionId near_id = 0;
    ConnectionId far_id = 0;
    Local near;
    Local far;
  };
  Connection open();

  peersock::testing::FakeQuicPair pair;
  Side opener;
  Side acceptor;
};

/// `size` octets that differ from place to place and from `seed` to `seed`.
[[nodiscard]] std::string pattern(std::size_t size, std::uint32_t seed = 1);

}  // namespace peersock::tunnel::testing
