// Two tunnels over a pair of fake QUIC connections, with programs at both ends.
#pragma once

#include <memory>
#include <string>

#include "support/fake_quic.hpp"
#include "support/tunnel_side.hpp"

namespace peersock::tunnel::testing {

using peersock::testing::FakeLocal;
using peersock::testing::FakeQuic;
using peersock::testing::FakeQuicLimits;
using peersock::testing::Local;
using peersock::testing::pattern;

/// A tunnel over FakeQuic.
class Side : public peersock::testing::TunnelSide {
 public:
  Side(TunnelConfig config, FakeQuic& quic) : TunnelSide(config, quic), quic_(quic) {}

  /// Everything that is due at this side; false when there was nothing.
  bool step() {
    const bool any = facts();
    return ready() || any;
  }
  [[nodiscard]] FakeQuic& quic() { return quic_; }
  /// Octets taken from QUIC and not yet by a local program, headers excluded.
  [[nodiscard]] std::uint64_t kept() const { return quic_.octets_read() - headers() - delivered(); }
  /// Complaints of the fakes about how they were used.
  [[nodiscard]] std::string misuse() const { return quic_.misuse() + TunnelSide::misuse(); }

 private:
  FakeQuic& quic_;
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
  /// Credit travels on the control stream, which is not part of the fake.
  static bool carry_credit(Side& from, Side& to);

  peersock::testing::FakeQuicPair pair;
  Side opener;
  Side acceptor;
};

}  // namespace peersock::tunnel::testing
