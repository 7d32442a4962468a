#include "adapters/nat_check.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "adapters/server_checks.hpp"
#include "adapters/stun_probe.hpp"

namespace peersock::adapters {

using ice::is_ipv6;

namespace {

std::string problem_of(ice::nat::Trouble trouble) {
  switch (trouble) {
    case ice::nat::Trouble::kNone:
      return {};
    case ice::nat::Trouble::kRefused:
      return "it does not answer as a STUN server does";
    case ice::nat::Trouble::kNoRoute:
      return "the network has no way to it";
    case ice::nat::Trouble::kSilent:
      break;
  }
  return kNoAnswer;
}

}  // namespace

class NatCheck::Impl {
 public:
  Impl(GMainContext* context, Rng& rng, NatCheckConfig config, TraceHook trace, Done done)
      : context_(context),
        rng_(rng),
        config_(std::move(config)),
        trace_(std::move(trace)),
        done_(std::move(done)) {
    findings_.problem = kNoAnswer;
  }

  void start() {
    waiting_ = config_.second ? 2 : 1;
    look_up(0, config_.server.host);
    if (config_.second) look_up(1, config_.second->host);
  }

  void stop() {
    if (probes_.empty()) return finish();
    // Each reports; the last one finishes.
    for (const auto& probe : probes_) probe->stop();
  }

 private:
  void look_up(std::size_t index, const std::string& host) {
    lookups_[index] =
        config_.resolver(host, config_.lookup_timeout, [=, this](ResolveResult found) {
          if (found) {
            addresses_[index] = std::move(*found);
          } else if (index == 0) {
            findings_.problem = std::move(found.error());
          }
          if (--waiting_ == 0) probe();
        });
  }

  void probe() {
    if (addresses_[0].empty()) return finish();
    findings_.problem.clear();
    // All are made before one runs, so that none finishes for all.
    make_probe(findings_.ipv4, false);
    make_probe(findings_.ipv6, true);
    waiting_ = static_cast<int>(probes_.size());
    if (probes_.empty()) return finish();
    for (const auto& probe : probes_) probe->start();
  }

  void make_probe(std::optional<NatFinding>& place, bool ipv6) {
    auto servers = servers_of(ipv6);
    if (servers.empty() || is_ipv6(servers[0].address) != ipv6) return;
    place = NatFinding{servers[0], {}, {}};
    StunProbeConfig config;
    config.server = servers[0];
    config.others.assign(servers.begin() + 1, servers.end());
    auto probe = StunProbe::create(context_, rng_, std::move(config),
                                   [this, &place](const ice::nat::Report& report) {
                                     place->report = report;
                                     place->problem = problem_of(report.trouble);
                                     if (--waiting_ == 0) finish();
                                   });
    if (!probe) {
      place->problem = probe.error().message;
      return;
    }
    if (trace_) (*probe)->set_trace(trace_);
    probes_.push_back(std::move(*probe));
  }

  /// The first one is the server's address of that family; none without it.
  [[nodiscard]] std::vector<wire::StunAddress> servers_of(bool ipv6) const {
    std::vector<wire::StunAddress> servers;
    const auto add = [&](const std::string& address, std::uint16_t port) {
      const wire::StunAddress server{address, port};
      if (is_ipv6(address) != ipv6) return;
      if (std::find(servers.begin(), servers.end(), server) == servers.end()) {
        servers.push_back(server);
      }
    };
    for (const auto& address : addresses_[0]) add(address, config_.server.port);
    if (servers.empty()) return servers;
    // Its further addresses are as likely to be dead as useful, so one is enough.
    if (servers.size() > 2) servers.resize(2);
    if (config_.second) {
      for (const auto& address : addresses_[1]) add(address, config_.second->port);
    }
    add(servers[0].address, kDefaultStunPort);
    return servers;
  }

  void finish() {
    lookups_[0].reset();
    lookups_[1].reset();
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(findings_));
  }

  GMainContext* context_;
  Rng& rng_;
  NatCheckConfig config_;
  TraceHook trace_;
  Done done_;
  int waiting_ = 0;
  std::array<Lookup, 2> lookups_;
  std::array<std::vector<std::string>, 2> addresses_;
  NatFindings findings_;
  std::vector<std::unique_ptr<StunProbe>> probes_;
};

NatCheck::NatCheck(GMainContext* context, Rng& rng, NatCheckConfig config, TraceHook trace,
                   Done done)
    : impl_(std::make_unique<Impl>(context, rng, std::move(config), std::move(trace),
                                   std::move(done))) {}

NatCheck::~NatCheck() = default;

void NatCheck::start() {
  impl_->start();
}

void NatCheck::stop() {
  impl_->stop();
}

}  // namespace peersock::adapters
