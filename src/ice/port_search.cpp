#include "ice/port_search.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <arpa/inet.h>

namespace peersock::ice {

static_assert(Machine<PortSearch>);

namespace {

using wire::PortMapping;

/// What is made up for after the loop has been late, at most, so that no burst leaves.
constexpr std::size_t kMostAtOnce = 4;

/// Who may be hard to reach opens, who may be easy to reach probes. When neither knows, both do
/// both: only one of the two can be right, and the other costs some packets.
bool opens(PortMapping own, PortMapping peer) {
  return own != PortMapping::kEndpointIndependent && peer != PortMapping::kEndpointDependent;
}
bool probes(PortMapping own, PortMapping peer) {
  return opens(peer, own);
}

}  // namespace

bool may_be_probed(const std::string& ipv4_address) {
  std::array<std::uint8_t, 4> octets{};
  if (inet_pton(AF_INET, ipv4_address.c_str(), octets.data()) != 1) return false;
  const auto [a, b, c, d] = octets;
  const bool is_private = a == 10 || (a == 172 && (b & 0xf0U) == 16) || (a == 192 && b == 168);
  return a != 0 && a != 127 && a < 224 && !is_private && !(a == 169 && b == 254);
}

PortSearch::PortSearch(PortSearchConfig config, Rng& rng) : config_(std::move(config)), rng_(rng) {}

std::vector<PortSearch::Output> PortSearch::handle(Input input, Instant now) {
  Outputs out;
  std::visit([&](auto& held) { on(held, now, out); }, input);
  return out;
}

std::optional<Instant> PortSearch::deadline() const {
  using Due = std::optional<Instant>;
  return std::visit(
      Overloaded{
          [](const Idle&) { return Due{}; },
          [](const Waiting& held) { return Due{held.due}; },
          [](const Observing& held) { return held.opened ? held.observation.deadline() : Due{}; },
          [](const Spreading&) { return Due{}; },
          [](const Offered& held) { return Due{held.due}; },
          [](const Searching& held) {
            return earliest(held.give_up, earliest(held.next_probe, held.next_open));
          },
          [](const Using& held) {
            return earliest(held.next_check, held.last_answer + kPathLimit);
          },
          [](const Over&) { return Due{}; },
      },
      state_);
}

std::string_view PortSearch::state_name() const {
  return name_of(state_);
}

// ---- inputs -------------------------------------------------------------------------------------

void PortSearch::on(SessionOpened& /*input*/, Instant now, Outputs& out) {
  session_open_ = true;
  wait_or_begin(now, out);
}

void PortSearch::on(PathChanged& input, Instant now, Outputs& out) {
  relayed_ = input.relayed;
  if (relayed_) return wait_or_begin(now, out);
  std::visit(Overloaded{
                 [](Idle&) { ignore(); },
                 [this](Waiting&) { state_ = Idle{}; },
                 [&](Observing&) { give_up(out); },
                 [&](Spreading&) { give_up(out); },
                 [&](Offered&) { give_up(out); },
                 [&](Searching&) { give_up(out); },
                 // The peer would have to leave it as well, and it is as direct.
                 [](Using&) { ignore(); },
                 [](Over&) { ignore(); },
             },
             state_);
}

void PortSearch::on(PeerOffered& input, Instant now, Outputs& out) {
  if (peer_ || std::holds_alternative<Over>(state_)) return ignore();
  peer_ = std::move(input.offer);
  if (std::holds_alternative<Waiting>(state_)) return observe(out);
  if (std::holds_alternative<Offered>(state_)) begin_search(now, out);
}

void PortSearch::on(SocketsOpened& input, Instant now, Outputs& out) {
  ports_.insert(ports_.end(), input.ports.begin(), input.ports.end());
  if (auto* observing = std::get_if<Observing>(&state_);
      observing != nullptr && !observing->opened) {
    if (ports_.empty()) return give_up(out);
    observing->opened = true;
    observing->observation.start(ports_, now);
    return go_on(*observing, now, out);
  }
  if (auto* spreading = std::get_if<Spreading>(&state_)) {
    return make_offer(MappingObservation(std::move(spreading->observation)), now, out);
  }
  ignore();
}

void PortSearch::on(ServerAnswered& input, Instant now, Outputs& out) {
  auto* observing = std::get_if<Observing>(&state_);
  if (observing == nullptr || !observing->opened) return ignore();
  observing->observation.answered(input.socket, input.from, input.mapped, input.other, now);
  go_on(*observing, now, out);
}

void PortSearch::on(CheckReceived& input, Instant now, Outputs& out) {
  const auto* searching = std::get_if<Searching>(&state_);
  const auto* path = std::get_if<Using>(&state_);
  if (searching == nullptr && (path == nullptr || path->socket != input.socket)) return ignore();
  out.emplace_back(SendAnswer{input.socket, input.from, input.transaction});
  if (searching == nullptr) return;
  if (input.nominates) return use(input.socket, std::move(input.from), false, now, out);
  // An opening of the peer's came in: where it came from is where a probe meets it.
  const bool from_opening = searching->plan && input.socket == kMainSocket;
  if (from_opening) check(kMainSocket, input.from, false, out);
}

void PortSearch::on(AnswerReceived& input, Instant now, Outputs& out) {
  if (auto* path = std::get_if<Using>(&state_)) {
    if (path->socket == input.socket && path->remote == input.from) path->last_answer = now;
    return;
  }
  const auto* searching = std::get_if<Searching>(&state_);
  if (searching == nullptr || !searching->plan || input.socket != kMainSocket) return ignore();
  use(kMainSocket, std::move(input.from), true, now, out);
}

void PortSearch::on(DeadlineReached& /*input*/, Instant now, Outputs& out) {
  std::visit(Overloaded{
                 [](Idle&) { ignore(); },
                 [&](Waiting& held) {
                   if (held.due <= now) observe(out);
                 },
                 [&](Observing& held) {
                   if (held.opened) go_on(held, now, out);
                 },
                 [](Spreading&) { ignore(); },
                 [&](Offered& held) {
                   if (held.due <= now) give_up(out);
                 },
                 [&](Searching& held) { work(held, now, out); },
                 [&](Using& held) { keep_up(held, now, out); },
                 [](Over&) { ignore(); },
             },
             state_);
}

// ---- before the search --------------------------------------------------------------------------

void PortSearch::wait_or_begin(Instant now, Outputs& out) {
  if (!std::holds_alternative<Idle>(state_) || !session_open_ || !relayed_) return ignore();
  if (peer_) return observe(out);
  state_ = Waiting{now + kSearchDelay};
}

void PortSearch::observe(Outputs& out) {
  state_ = Observing{MappingObservation(config_.servers, config_.local_addresses)};
  out.emplace_back(OpenSockets{1 + kScouts});
}

void PortSearch::go_on(Observing& observing, Instant now, Outputs& out) {
  if (!observing.observation.done(now)) {
    for (auto& question : observing.observation.take_due(now)) {
      out.emplace_back(AskServer{question.socket, std::move(question.server)});
    }
    return;
  }
  MappingObservation observation = std::move(observing.observation);
  if (!observation.external()) return give_up(out);
  const auto peer = peer_ ? peer_->mapping : PortMapping::kUnknown;
  if (!opens(observation.mapping(), peer)) return make_offer(observation, now, out);
  state_ = Spreading{std::move(observation)};
  out.emplace_back(OpenSockets{kSpreadSockets});
}

void PortSearch::make_offer(const MappingObservation& observation, Instant now, Outputs& out) {
  own_.mapping = observation.mapping();
  own_.external = *observation.external();
  rng_.fill(own_.key);
  if (own_.mapping != PortMapping::kEndpointIndependent) {
    const auto unused = std::span(ports_).subspan(std::min(ports_.size(), 1 + kScouts));
    own_.likely = likely_ports(observation.scouts(), unused);
  }
  out.emplace_back(SendOffer{own_});
  if (peer_) return begin_search(now, out);
  state_ = Offered{now + kOfferLimit};
}

// ---- the search ---------------------------------------------------------------------------------

void PortSearch::begin_search(Instant now, Outputs& out) {
  // Behind one NAT the way would lead through its hairpin, which ICE has tried.
  if (peer_->external.address == own_.external.address) return give_up(out);
  if (!may_be_probed(peer_->external.address)) return give_up(out);
  Searching searching;
  searching.give_up = now + kSearchLimit;
  searching.next_opening = 1 + kScouts;
  const bool has_spread = ports_.size() > searching.next_opening;
  if (opens(own_.mapping, peer_->mapping) && has_spread) searching.next_open = now;
  if (probes(own_.mapping, peer_->mapping)) {
    searching.plan.emplace(peer_->likely, rng_);
    searching.next_probe = now;
  }
  if (!searching.next_open && !searching.next_probe) return give_up(out);
  work(state_.emplace<Searching>(std::move(searching)), now, out);
}

void PortSearch::work(Searching& searching, Instant now, Outputs& out) {
  if (searching.give_up <= now) return give_up(out);
  open(searching, now, out);
  probe(searching, now, out);
}

void PortSearch::probe(Searching& searching, Instant now, Outputs& out) {
  for (std::size_t i = 0; searching.next_probe && *searching.next_probe <= now; ++i) {
    const auto port = searching.probes < kMaxProbes ? searching.plan->next() : std::nullopt;
    if (!port) {
      searching.next_probe.reset();
      return;
    }
    check(kMainSocket, {peer_->external.address, *port}, false, out);
    ++searching.probes;
    const bool late = i + 1 == kMostAtOnce;
    searching.next_probe = (late ? now : *searching.next_probe) + kProbeInterval;
  }
}

void PortSearch::open(Searching& searching, Instant now, Outputs& out) {
  for (std::size_t i = 0; searching.next_open && *searching.next_open <= now; ++i) {
    check(searching.next_opening, peer_->external, false, out);
    const bool late = i + 1 == kMostAtOnce;
    searching.next_open = (late ? now : *searching.next_open) + kOpeningInterval;
    if (++searching.next_opening < ports_.size()) continue;
    // Again, for those that were lost.
    searching.next_opening = 1 + kScouts;
    searching.next_open = now + kOpeningRoundInterval;
    if (++searching.rounds == kOpeningRounds) searching.next_open.reset();
  }
}

void PortSearch::use(SocketIndex socket, wire::StunAddress remote, bool nominates, Instant now,
                     Outputs& out) {
  out.emplace_back(UsePath{socket, remote, nominates});
  Using path;
  path.socket = socket;
  path.remote = std::move(remote);
  path.nominates = nominates;
  path.next_check = now;
  path.last_answer = now;
  keep_up(state_.emplace<Using>(std::move(path)), now, out);
}

void PortSearch::keep_up(Using& path, Instant now, Outputs& out) {
  if (path.last_answer + kPathLimit <= now) {
    state_ = Over{};
    out.emplace_back(LeavePath{});
    return;
  }
  if (path.next_check > now) return;
  check(path.socket, path.remote, path.nominates, out);
  ++path.checks;
  path.next_check = now + (path.checks <= kQuickChecks ? kQuickCheckInterval : kCheckInterval);
}

void PortSearch::give_up(Outputs& out) {
  state_ = Over{};
  out.emplace_back(GiveUp{});
}

void PortSearch::check(SocketIndex socket, const wire::StunAddress& to, bool nominates,
                       Outputs& out) {
  out.emplace_back(SendCheck{socket, to, next_id_++, nominates});
}

}  // namespace peersock::ice
