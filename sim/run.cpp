// One simulation, from an empty world to an empty world.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "adapters/mailbox_server.hpp"
#include "judge.hpp"
#include "libc/descriptor.hpp"
#include "party.hpp"
#include "programs/service.hpp"
#include "programs/sockets.hpp"
#include "programs/stun_server.hpp"
#include "programs/turn_server.hpp"
#include "scenario.hpp"
#include "wire/code.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kMailboxAddress = "198.51.100.1";
constexpr const char* kStunAddress = "198.51.100.2";
constexpr const char* kTurnAddress = "198.51.100.3";
constexpr const char* kTurnUser = "simulated";
constexpr const char* kTurnPassword = "not a secret";
constexpr std::uint16_t kMailboxPort = 4000;
constexpr std::uint16_t kLocalPort = 5000;
constexpr std::uint16_t kServicePort = 6000;
constexpr std::uint64_t kToService = 1;
constexpr std::uint64_t kFromService = 2;
/// The servers are there when the first side starts; the second one types for a while.
constexpr Nanos kStart = milliseconds(100);
constexpr Nanos kTyping = milliseconds(500);
constexpr Duration kPeerTimeout = seconds(120);
/// For the local programs to see the end.
constexpr Nanos kGrace = milliseconds(100);
/// For sockets to be closed and allocations to be given back after the end.
constexpr Nanos kSettle = seconds(60);

double in_seconds(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

/// Everything of one simulation. What lives on a host goes before the world does.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const RunOptions& options)
      : scenario_(scenario),
        world_(options.seed, options.pcap_folder),
        mailbox_host_(world_.add_server("mailbox", {kMailboxAddress})),
        stun_host_(world_.add_server("stun", {kStunAddress})),
        turn_host_(world_.add_server("turn", {kTurnAddress})),
        listening_site_(world_.add_site("listener", 1, scenario.listener)),
        connecting_site_(world_.add_site("connector", 2, scenario.connector)),
        listener_(std::make_unique<Party>(
            *listening_site_.host,
            Party::Callbacks{[this](const Secret& code) { hand_over(code); },
                             [this] { start_client(); }, [this] { look(); }})),
        connector_(std::make_unique<Party>(*connecting_site_.host,
                                           Party::Callbacks{{}, {}, [this] { look(); }})) {
    if (options.trace) {
      trace(*listener_);
      trace(*connector_);
    }
    start_servers();
    post(kStart, [this] {
      listener_->start(config(wire::Mode::kListen));
      reached(When::kListenerStarted);
    });
  }

  ~Simulation() {
    over_ = true;
    progress_.cancel();
    listener_.reset();
    connector_.reset();
    run_until(now() + kSettle);
    listening_site_.host->run([this] { client_.reset(); });
    connecting_site_.host->run([this] { service_.reset(); });
    mailbox_host_.run([this] { mailbox_.reset(); });
    stun_host_.run([this] { stun_.reset(); });
    turn_host_.run([this] { turn_.reset(); });
    run_until(now() + kSettle);
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  Simulation(Simulation&&) = delete;
  Simulation& operator=(Simulation&&) = delete;

  Report run() {
    run_until(kStart + scenario_.bound);
    const Nanos ended = now();
    if (both_ended()) run_until(ended + kGrace);
    Report report;
    report.virtual_seconds = in_seconds(ended);
    report.listener = report_of(*listener_);
    report.connector = report_of(*connector_);
    if (started_ && listener_->record().listening) {
      report.connect_seconds = in_seconds(*listener_->record().listening - *started_);
    }
    report.digest = world_.digest().value();
    report.first_octet_seconds = first_octet_seconds(evidence());
    report.octets_per_second = octets_per_second(evidence());
    report.violations = violations(evidence());
    report.outcome = judge(evidence());
    return report;
  }

 private:
  static void trace(Party& party) {
    party.set_trace([&party](const std::string& line) {
      std::fprintf(stderr, "%12.6f %-9s %s\n", in_seconds(now()), party.host().name().c_str(),
                   line.c_str());
    });
  }

  void start_servers() {
    start_mailbox();
    stun_host_.run([this] {
      stun_ = std::make_unique<StunServer>(stun_host_.context(), kStunAddress,
                                           adapters::kDefaultStunPort);
    });
    if (scenario_.relay) {
      turn_host_.run([this] {
        turn_ = std::make_unique<TurnServer>(turn_host_.context(), kTurnAddress,
                                             adapters::kDefaultStunPort,
                                             TurnServer::Account{kTurnUser, kTurnPassword});
      });
    }
    connecting_site_.host->run([this] {
      service_ = std::make_unique<Service>(
          connecting_site_.host->context(), "127.0.0.1", kServicePort,
          TransferPlan{scenario_.octets, kFromService, kToService}, [this] { look(); });
    });
  }

  void start_mailbox() {
    if (over_) return;
    mailbox_host_.run([this] {
      adapters::MailboxServerConfig config;
      config.listen = {TcpEndpoint{kMailboxAddress, kMailboxPort}};
      auto made = adapters::MailboxServer::create(mailbox_host_.context(), config, rng_);
      // After a restart, until the old connections have gone.
      if (!made) return post(milliseconds(250), [this] { start_mailbox(); });
      mailbox_ = std::move(*made);
    });
  }

  adapters::GlibHostConfig config(wire::Mode mode) {
    adapters::GlibHostConfig config;
    config.peer.mode = mode;
    config.peer.rendezvous_servers = {fmt::format("ws://{}:{}/v1", kMailboxAddress, kMailboxPort)};
    config.peer.software = "peersock-sim";
    config.peer.once = true;
    config.peer.peer_timeout = kPeerTimeout;
    config.endpoint =
        TcpEndpoint{"127.0.0.1", mode == wire::Mode::kListen ? kLocalPort : kServicePort};
    config.ice.stun = adapters::StunServer{kStunAddress, adapters::kDefaultStunPort};
    if (scenario_.relay) {
      adapters::TurnServer turn;
      turn.host = kTurnAddress;
      turn.username = kTurnUser;
      turn.password = Secret(std::string_view(kTurnPassword));
      config.ice.turn.push_back(std::move(turn));
      config.peer.ice.has_relay = true;
    }
    config.engine = scenario_.engine;
    return config;
  }

  void hand_over(const Secret& code) {
    auto typed = wire::parse_code(code.reveal_text());
    if (!typed) throw std::runtime_error("the code that was made cannot be read");
    code_told_ = true;
    auto shared = std::make_shared<wire::Code>(std::move(*typed));
    post(kTyping, [this, shared] {
      if (over_) return;
      started_ = now();
      auto connecting = config(wire::Mode::kConnect);
      connecting.peer.code = std::move(*shared);
      connector_->start(std::move(connecting));
      reached(When::kConnectorStarted);
    });
  }

  // A local program connects as soon as it can.
  void start_client() {
    authenticated();
    client_ = std::make_unique<Transfer>(
        listening_site_.host->context(), connecting_socket("127.0.0.1", kLocalPort),
        TransferPlan{scenario_.octets, kToService, kFromService}, [this] { look(); });
  }

  [[nodiscard]] bool both_ended() const {
    return listener_ && connector_ && listener_->record().exit &&
           (connector_->record().exit || !code_told_);
  }
  void look() {
    if (!over_ && both_ended()) {
      over_ = true;
      stop();
    }
  }

  static SideReport report_of(const Party& party) {
    const PartyRecord& record = party.record();
    SideReport report;
    if (record.exit) report.exit = static_cast<int>(*record.exit);
    if (record.authenticated) report.authenticated = in_seconds(*record.authenticated);
    if (record.ended) report.ended = in_seconds(*record.ended);
    if (record.path) report.path = record.path->local_type + "/" + record.path->remote_type;
    if (record.failure) report.failure = record.failure->message;
    return report;
  }

  [[nodiscard]] Evidence evidence() const {
    Evidence found{scenario_, *listener_, *connector_, client_.get()};
    for (const auto& transfer : service_->transfers()) found.services.push_back(transfer.get());
    return found;
  }

  // ---- what happens on the way ----

  void reached(When when) {
    if (!reached_.insert(when).second) return;
    for (const Happening& happening : scenario_.happenings) {
      if (happening.when != when) continue;
      post(happening.delay, [this, &happening] { happen(happening); });
    }
  }

  void happen(const Happening& happening) {
    if (over_) return;
    switch (happening.what) {
      case What::kMailboxDown:
        return unplug(world_.cable_of(mailbox_host_), happening.lasts);
      case What::kMailboxRestarts:
        mailbox_host_.run([this] { mailbox_.reset(); });
        return post(happening.lasts, [this] { start_mailbox(); });
      case What::kListenerUnplugged:
        return unplug(*listening_site_.access, happening.lasts);
      case What::kConnectorUnplugged:
        return unplug(*connecting_site_.access, happening.lasts);
      case What::kListenerNatReboots:
        for (NatBox* nat : listening_site_.nats) nat->reboot();
        return;
      case What::kConnectorNatReboots:
        for (NatBox* nat : connecting_site_.nats) nat->reboot();
        return;
      case What::kListenerInterrupted:
        return listener_->interrupt();
      case What::kConnectorInterrupted:
        return connector_->interrupt();
    }
  }

  static void unplug(Cable& cable, Nanos lasts) {
    cable.set_connected(false);
    if (lasts < kForEver) post(lasts, [&cable] { cable.set_connected(true); });
  }

  void authenticated() {
    reached(When::kAuthenticated);
    watch_progress();
  }
  // A look now and then, which changes nothing.
  void watch_progress() {
    if (over_) return;
    for (const auto& transfer : service_->transfers()) {
      if (transfer->result().received >= scenario_.octets / 2) return reached(When::kHalfWay);
    }
    progress_.after(milliseconds(5));
  }

  const Scenario& scenario_;
  adapters::SystemRng rng_;
  World world_;
  Host& mailbox_host_;
  Host& stun_host_;
  Host& turn_host_;
  Site listening_site_;
  Site connecting_site_;
  std::unique_ptr<adapters::MailboxServer> mailbox_;
  std::unique_ptr<StunServer> stun_;
  std::unique_ptr<TurnServer> turn_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Transfer> client_;
  std::unique_ptr<Party> listener_;
  std::unique_ptr<Party> connector_;
  std::optional<Nanos> started_;
  bool over_ = false;
  bool code_told_ = false;
  std::set<When> reached_;
  Timer progress_{[this] { watch_progress(); }};
};

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDirect:
      return "direct";
    case Outcome::kRelayed:
      return "relayed";
    case Outcome::kNoPath:
      return "no_path";
    case Outcome::kLost:
      return "lost";
    case Outcome::kBroken:
      break;
  }
  return "broken";
}

Report run(const Scenario& scenario, const RunOptions& options) {
  const auto before = list_descriptors();
  Report report;
  {
    Simulation simulation(scenario, options);
    report = simulation.run();
  }
  // What an earlier run has left is not this one's.
  for (const auto& left : list_descriptors()) {
    if (std::ranges::count(before, left) == 0) {
      report.violations.push_back("a descriptor was left open: " + left);
    }
  }
  return report;
}

bool passed(const Scenario& scenario, const Report& report) {
  if (!report.violations.empty() || report.outcome == Outcome::kBroken) return false;
  const auto& expected = scenario.expected;
  return expected.empty() || std::ranges::find(expected, report.outcome) != expected.end();
}

}  // namespace peersock::sim
