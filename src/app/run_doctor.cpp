#include "app/run_doctor.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/entropy.hpp"
#include "adapters/interfaces.hpp"
#include "adapters/nat_check.hpp"
#include "adapters/resolver.hpp"
#include "adapters/server_checks.hpp"
#include "adapters/wakeup.hpp"
#include "app/doctor_facts.hpp"
#include "app/event_printer.hpp"
#include "app/ice_config.hpp"
#include "app/loop.hpp"

namespace peersock::app {
namespace {

constexpr Duration kDefaultLimit = 10s;

bool has_network() {
  const auto interfaces = adapters::list_interfaces();
  return std::any_of(interfaces.begin(), interfaces.end(),
                     [](const auto& found) { return found.up && !found.loopback; });
}

/// Everything at once; each answer goes into the diagnosis, and is shown in a fixed order.
class Doctor {
 public:
  Doctor(GMainContext* context, Options& options, Settings& settings, EventPrinter& printer)
      : context_(context),
        printer_(printer),
        resolver_(adapters::make_system_resolver(context)),
        limit_(context, [this] { give_up(); }) {
    diagnosis_.relay = options.relay;
    diagnosis_.port_search = settings.port_search;
    diagnosis_.has_network = has_network();
    auto ice = ice_config(options.relay, settings);
    proxies_ = settings.proxies;
    add_proxies(settings.rendezvous_urls, ice);
    for (const auto& url : settings.rendezvous_urls) add_rendezvous(url);
    add_nat(ice);
    for (auto& turn : ice.turn) add_relay(std::move(turn));
    if (options.trace) trace_ = [this](const TraceStep& step) { printer_.show(step); };
    time_ = options.timeout ? std::min(*options.timeout, kDefaultLimit) : kDefaultLimit;
  }

  void start() {
    limit_.after(time_);
    waiting_ = proxy_checks_.size() + rendezvous_.size() + relays_.size() + (nat_config_ ? 1 : 0);
    for (const auto& check : proxy_checks_) check->start();
    for (const auto& check : rendezvous_) check->start();
    for (const auto& check : relays_) check->start();
    if (!nat_config_) return;
    nat_ = std::make_unique<adapters::NatCheck>(
        context_, rng_, *std::move(nat_config_), trace_,
        [this](const adapters::NatFindings& findings) { take(findings); });
    nat_->start();
  }

  [[nodiscard]] bool done() const { return waiting_ == 0 || gave_up_; }

  /// Shows everything; the exit code's reason if there is one.
  std::optional<Error> conclude() {
    for (const DoctorServer& server : diagnosis_.servers) printer_.show(DoctorFact(server));
    for (const DoctorNat& nat : diagnosis_.nats) printer_.show(DoctorFact(nat));
    for (const DoctorPeer& peer : peers_of(diagnosis_)) printer_.show(DoctorFact(peer));
    return verdict_on(diagnosis_);
  }

 private:
  std::size_t add_server(ServerKind kind, std::string name) {
    diagnosis_.servers.push_back({kind, std::move(name), std::nullopt, adapters::kNoAnswer, {}});
    return diagnosis_.servers.size() - 1;
  }

  /// Each proxy once, with the first server that is reached through it.
  void add_proxies(const std::vector<std::string>& urls, const adapters::IceAgentConfig& ice) {
    for (const auto& url : urls) {
      if (const auto target = adapters::stream_target_of(url, proxies_)) add_proxy(*target);
    }
    for (const auto& turn : ice.turn) {
      if (turn.transport == TurnTransport::kUdp) continue;
      adapters::StreamTarget target;
      target.host = turn.host;
      target.port = turn.port;
      target.proxy = proxies_.choose(turn.host, true);
      add_proxy(std::move(target));
    }
  }

  void add_proxy(adapters::StreamTarget target) {
    if (!target.proxy) return;
    const std::string name = ice::endpoint_text(target.proxy->host, target.proxy->port);
    for (const DoctorServer& known : diagnosis_.servers) {
      if (known.name == name) return;
    }
    target.tls = false;
    const std::size_t index = add_server(ServerKind::kProxy, name);
    proxy_checks_.push_back(std::make_unique<adapters::ProxyCheck>(
        context_, std::move(target),
        [this, index](adapters::ServerFinding found) { take(index, std::move(found)); }));
  }

  void add_rendezvous(const std::string& url) {
    const std::size_t index = add_server(ServerKind::kRendezvous, url);
    const auto target = adapters::stream_target_of(url, proxies_);
    diagnosis_.servers[index].shows_open_tcp =
        target && !target->proxy && shows_open_tcp(target->host, target->port);
    rendezvous_.push_back(std::make_unique<adapters::RendezvousCheck>(
        context_, url, proxies_,
        [this, index](adapters::ServerFinding found) { take(index, std::move(found)); }));
  }

  void add_nat(const adapters::IceAgentConfig& ice) {
    std::optional<adapters::StunServer> turn;
    if (!ice.turn.empty()) turn = {ice.turn[0].host, ice.turn[0].port};
    if (!ice.stun && !turn) return;
    adapters::NatCheckConfig config;
    config.server = ice.stun ? *ice.stun : *turn;
    if (ice.stun) config.second = turn;
    config.resolver = resolver_;
    nat_config_ = std::move(config);
    if (!ice.stun) return;
    stun_ = add_server(ServerKind::kStun, ice::endpoint_text(ice.stun->host, ice.stun->port));
  }

  void add_relay(adapters::TurnServer server) {
    const std::size_t index =
        add_server(ServerKind::kTurn, ice::endpoint_text(server.host, server.port));
    diagnosis_.servers[index].transport = to_string(server.transport);
    diagnosis_.servers[index].shows_open_tcp = server.transport != TurnTransport::kUdp &&
                                               !proxies_.choose(server.host, true) &&
                                               shows_open_tcp(server.host, server.port);
    server.later = false;
    relays_.push_back(std::make_unique<adapters::RelayCheck>(
        context_, std::move(server), proxies_, resolver_,
        [this, index](adapters::ServerFinding found) { take(index, std::move(found)); }));
  }

  void take(std::size_t index, adapters::ServerFinding found) {
    diagnosis_.servers[index].after = found.after;
    diagnosis_.servers[index].problem = std::move(found.problem);
    --waiting_;
  }

  void take(const adapters::NatFindings& findings) {
    --waiting_;
    bool ipv6 = false;
    for (const auto* finding : {&findings.ipv4, &findings.ipv6}) {
      if (*finding) {
        diagnosis_.nats.push_back({ipv6, (*finding)->report, (*finding)->problem});
        if (stun_) take_stun(**finding);
      } else {
        std::string problem = findings.problem;
        if (problem.empty())
          problem = fmt::format("no STUN server has an {} address", ipv6 ? "IPv6" : "IPv4");
        diagnosis_.nats.push_back({ipv6, {}, std::move(problem)});
      }
      ipv6 = true;
    }
    if (stun_ && !findings.problem.empty()) diagnosis_.servers[*stun_].problem = findings.problem;
  }

  void take_stun(const adapters::NatFinding& finding) {
    DoctorServer& server = diagnosis_.servers[*stun_];
    if (!finding.server_answered() || server.after) return;
    server.after = finding.report.answered_after;
    server.problem.clear();
  }

  void give_up() {
    gave_up_ = true;
    if (nat_) nat_->stop();
  }

  GMainContext* context_;
  EventPrinter& printer_;
  adapters::SystemRng rng_;
  adapters::Resolver resolver_;
  TraceHook trace_;
  Diagnosis diagnosis_;
  std::optional<std::size_t> stun_;  // among the servers
  Duration time_{};
  std::size_t waiting_ = 0;
  bool gave_up_ = false;
  adapters::Wakeup limit_;
  wire::ProxyRules proxies_;
  std::vector<std::unique_ptr<adapters::ProxyCheck>> proxy_checks_;
  std::vector<std::unique_ptr<adapters::RendezvousCheck>> rendezvous_;
  std::vector<std::unique_ptr<adapters::RelayCheck>> relays_;
  std::optional<adapters::NatCheckConfig> nat_config_;
  std::unique_ptr<adapters::NatCheck> nat_;
};

ExitCode end(EventPrinter& printer, const std::optional<Error>& error) {
  const ExitCode code = error ? exit_code(error->kind) : ExitCode::kDone;
  if (error) printer.show(event::Failed{*error});
  printer.show(event::Ended{code});
  return code;
}

}  // namespace

ExitCode run_doctor(Options& options, const Environment& environment) {
  EventPrinter printer(options.json, options.verbosity, false);
  auto loaded = load_settings(std::move(options.settings), options.config_file, environment);
  if (!loaded) return end(printer, loaded.error());
  for (auto& warning : loaded->warnings) printer.show(event::Warning{std::move(warning)});
  Loop loop;
  auto doctor = std::make_unique<Doctor>(loop.context(), options, loaded->settings, printer);
  bool interrupted = false;
  loop.on_interrupt([&] { interrupted = true; });
  doctor->start();
  loop.run_until([&] { return interrupted || doctor->done(); });
  std::optional<Error> error = Error{ErrorKind::kInterrupted, "Interrupted"};
  if (!interrupted) error = doctor->conclude();
  doctor.reset();
  loop.settle();
  return end(printer, error);
}

}  // namespace peersock::app
