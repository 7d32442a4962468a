// The machine that finds out about a NAT, on two UDP sockets of one family.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <glib.h>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "core/runner.hpp"
#include "ice/nat_probe.hpp"

namespace peersock::adapters {

struct StunProbeConfig {
  wire::StunAddress server;               ///< numeric; its family is the sockets'
  std::vector<wire::StunAddress> others;  ///< of the same family
};

class StunProbe {
 public:
  /// Runs once, from `context` or from `stop`, and may destroy the probe in the first case.
  using Done = std::function<void(const ice::nat::Report&)>;

  /// `context` and `rng` outlive the probe. Errors (kInternal): the system has no such sockets.
  [[nodiscard]] static Result<std::unique_ptr<StunProbe>> create(GMainContext* context, Rng& rng,
                                                                 StunProbeConfig config, Done done);
  StunProbe(const StunProbe&) = delete;
  StunProbe& operator=(const StunProbe&) = delete;
  StunProbe(StunProbe&&) = delete;
  StunProbe& operator=(StunProbe&&) = delete;
  ~StunProbe();

  /// Takes ice::nat::kProbeLimit at most.
  void start();
  /// Reports what is known by now, if it has not reported yet.
  void stop();
  void set_trace(TraceHook hook);

 private:
  class Impl;
  explicit StunProbe(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // lives on while its callback runs
};

}  // namespace peersock::adapters
