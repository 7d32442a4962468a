#include "meeting.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "programs/sockets.hpp"
#include "wire/code.hpp"

namespace peersock::sim {
namespace {

constexpr std::uint16_t kLocalPort = 5000;
constexpr std::uint16_t kServicePort = 6000;
constexpr std::uint64_t kToService = 1;
constexpr std::uint64_t kFromService = 2;
/// The second user types for a while.
constexpr Nanos kTyping = std::chrono::milliseconds(500);
/// The two programs do not end a silence in one instant: when both ends of a connection send the
/// rest and close at once, ns-3 never acknowledges it (TcpSocketBase::ProcessClosing).
constexpr Nanos kReflection = std::chrono::milliseconds(5);

double in_seconds(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

bool waits_for(const Scenario& scenario, When when) {
  return std::ranges::count(scenario.happenings, when, &Happening::when) > 0;
}

void print_steps_of(Party& party) {
  party.set_trace([&party](const std::string& line) {
    (void)std::fprintf(stderr, "%12.6f %-9s %s\n", in_seconds(now()), party.host().name().c_str(),
                       line.c_str());
  });
}

std::uint16_t numbered(std::uint16_t first, int number) {
  return static_cast<std::uint16_t>(first + number);
}

}  // namespace

Meeting::Meeting(const Scenario& scenario, const Servers& servers, Host& listener, Host& connector,
                 int number, Callbacks callbacks)
    : scenario_(scenario),
      servers_(servers),
      listening_(listener),
      connecting_(connector),
      number_(number),
      callbacks_(std::move(callbacks)),
      listener_(std::make_unique<Party>(listener, callbacks_of(Who::kListener))),
      connector_(std::make_unique<Party>(connector, callbacks_of(Who::kConnector))) {}

Party::Callbacks Meeting::callbacks_of(Who who) {
  Party::Callbacks made;
  made.ended = [this] { look(); };
  if (who == scenario_.first) {
    made.code_made = [this](const Secret& code) { hand_over(code); };
  }
  if (who == Who::kListener) made.listening = [this] { start_client(); };
  if (waits_for(scenario_, When::kStep)) {
    made.entered = [this, who](std::string_view machine, std::string_view state) {
      callbacks_.entered({who, std::string(machine), std::string(state)});
    };
  }
  return made;
}

void Meeting::abandon() {
  over_ = true;
  progress_.cancel();
  listener_.reset();
  connector_.reset();
}

Meeting::~Meeting() {
  abandon();
  listening_.run([this] { client_.reset(); });
  connecting_.run([this] { service_.reset(); });
}

void Meeting::trace() {
  print_steps_of(*listener_);
  print_steps_of(*connector_);
}

void Meeting::start() {
  start(scenario_.first, config(scenario_.first));
}

void Meeting::start(Who who, adapters::GlibHostConfig config) {
  party(who).start(std::move(config));
  callbacks_.reached(who == Who::kListener ? When::kListenerStarted : When::kConnectorStarted);
}

void Meeting::interrupt(Who who) {
  party(who).interrupt();
}

adapters::GlibHostConfig Meeting::config(Who who) const {
  const auto mode = who == Who::kListener ? wire::Mode::kListen : wire::Mode::kConnect;
  auto config = servers_.config(mode);
  const auto port = who == Who::kListener ? kLocalPort : kServicePort;
  const std::string host = who == Who::kListener ? "127.0.0.1" : scenario_.target;
  config.endpoint = TcpEndpoint{host, numbered(port, number_)};
  return config;
}

void Meeting::start_service() {
  connecting_.run([this] {
    TransferPlan answer = plan(kFromService, kToService);
    if (answer.pause.count() > 0) answer.pause += std::chrono::floor<Duration>(kReflection);
    service_ =
        std::make_unique<Service>(connecting_.context(), "127.0.0.1",
                                  numbered(kServicePort, number_), answer, [this] { look(); });
  });
}

void Meeting::hand_over(const Secret& code) {
  auto typed = wire::parse_code(code.reveal_text());
  if (!typed) throw std::runtime_error("the code that was made cannot be read");
  code_told_ = true;
  auto shared = std::make_shared<wire::Code>(std::move(*typed));
  post(kTyping, [this, shared] {
    if (over_) return;
    started_ = now();
    auto typing = config(second());
    typing.peer.code = std::move(*shared);
    start(second(), std::move(typing));
  });
}

// A local program connects as soon as it can.
void Meeting::start_client() {
  callbacks_.reached(When::kAuthenticated);
  if (waits_for(scenario_, When::kHalfWay)) watch_progress();
  client_ = std::make_unique<Transfer>(
      listening_.context(), connecting_socket("127.0.0.1", numbered(kLocalPort, number_)),
      plan(kToService, kFromService), [this] { look(); });
}

TransferPlan Meeting::plan(std::uint64_t send_seed, std::uint64_t expect_seed) const {
  return {scenario_.octets, send_seed, expect_seed,
          std::chrono::duration_cast<Duration>(scenario_.idle)};
}

// A look now and then, which changes nothing.
void Meeting::watch_progress() {
  if (over_) return;
  for (const auto& transfer : service_->transfers()) {
    if (transfer->result().received >= scenario_.octets / 2) {
      return callbacks_.reached(When::kHalfWay);
    }
  }
  progress_.after(std::chrono::milliseconds(5));
}

bool Meeting::has_ended() const {
  return party(scenario_.first).record().exit && (party(second()).record().exit || !code_told_);
}

void Meeting::look() const {
  if (!over_ && has_ended()) callbacks_.ended();
}

std::optional<double> Meeting::connect_seconds() const {
  if (!started_ || !listener_->record().listening) return std::nullopt;
  return in_seconds(*listener_->record().listening - *started_);
}

Evidence Meeting::evidence() const {
  Evidence found{scenario_.octets,
                 {listening_.name(), listener_->record()},
                 {connecting_.name(), connector_->record()},
                 client_ ? &client_->result() : nullptr};
  for (const auto& transfer : service_->transfers()) found.services.push_back(&transfer->result());
  found.says = scenario_.says;
  return found;
}

}  // namespace peersock::sim
