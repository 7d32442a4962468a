// Looks up STUN servers and finds out about the NAT of each address family that they have.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <glib.h>

#include "adapters/nice_agent.hpp"
#include "core/rng.hpp"
#include "core/runner.hpp"
#include "ice/nat_report.hpp"

namespace peersock::adapters {

struct NatCheckConfig {
  StunServer server;
  /// Another one that answers Binding, for a server that has one address only.
  std::optional<StunServer> second;
  Resolver resolver;
  Duration lookup_timeout = 2s;
};

/// Of one address family.
struct NatFinding {
  wire::StunAddress asked;  ///< the server
  ice::nat::Report report;
  std::string problem;  ///< why nothing is known, as the end of a sentence; empty: an answer came
  [[nodiscard]] bool server_answered() const { return report.server == asked; }
};
struct NatFindings {
  std::string problem;             ///< the server's name has no address; empty: it has
  std::optional<NatFinding> ipv4;  ///< absent: the server has no address of this family
  std::optional<NatFinding> ipv6;
};

class NatCheck {
 public:
  /// Runs once, from `context` or from `stop`.
  using Done = std::function<void(NatFindings)>;

  /// `context` and `rng` outlive the check.
  NatCheck(GMainContext* context, Rng& rng, NatCheckConfig config, TraceHook trace, Done done);
  NatCheck(const NatCheck&) = delete;
  NatCheck& operator=(const NatCheck&) = delete;
  NatCheck(NatCheck&&) = delete;
  NatCheck& operator=(NatCheck&&) = delete;
  ~NatCheck();

  /// Takes the lookup's time-out and ice::nat::kProbeLimit at most.
  void start();
  /// Reports what is known by now, if it has not reported yet.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace peersock::adapters
