#include "ice/negotiation.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace peersock::ice {

static_assert(Machine<Negotiation>);

namespace {

/// After this no answer to a check is awaited. libnice does not always say that it has finished.
constexpr Duration kLongestChecks = 10s;

/// What relays carry is UDP, so that no relay hides behind an address of TCP.
bool may_be_a_relay(const PathInfo& path) {
  return path.remote_type == wire::to_string(wire::CandidateType::kPeerReflexive) &&
         path.transport == "udp";
}

bool is_udp(const wire::Candidate& candidate) {
  return candidate.transport == wire::CandidateTransport::kUdp;
}

}  // namespace

Negotiation::Negotiation(NegotiationConfig config)
    : config_(config),
      outgoing_(config.relay, config.generation),
      incoming_(config.relay, config.generation) {}

std::vector<Negotiation::Output> Negotiation::handle(Input input, Instant now) {
  Outputs out;
  if (std::holds_alternative<GivenUp>(state_)) {
    ignore();
    return out;
  }
  std::visit([&](auto& held) { on(held, now, out); }, input);
  if (std::holds_alternative<GivenUp>(state_)) return out;
  send(now, out);
  start_checks(now, out);
  hand_on(out);
  follow_selection(out);
  shorten_wait(now);
  return out;
}

std::optional<Instant> Negotiation::deadline() const {
  if (std::holds_alternative<GivenUp>(state_)) return std::nullopt;
  std::optional<Instant> give_up;
  if (const auto* exchanging = std::get_if<Exchanging>(&state_)) give_up = exchanging->give_up;
  if (const auto* checking = std::get_if<Checking>(&state_)) give_up = checking->give_up;
  const auto* connected = std::get_if<Connected>(&state_);
  if (connected != nullptr && connected->path.relayed && checks_began_ && !settled_) {
    give_up = *checks_began_ + kLongestChecks;
  }
  return earliest(give_up, outgoing_.deadline());
}

std::string_view Negotiation::state_name() const {
  return name_of(state_);
}

// ---- inputs -------------------------------------------------------------------------------------

void Negotiation::on(LocalCredentialsMade& input, Instant /*now*/, Outputs& /*out*/) {
  outgoing_.set_credentials({std::move(input.ufrag), std::move(input.password)});
}

void Negotiation::on(LocalCandidateFound& input, Instant now, Outputs& out) {
  if (is_udp(input.candidate) && own_candidates_.size() < wire::kMaxCandidates) {
    own_candidates_.push_back(input.candidate);
  }
  if (outgoing_.add(std::move(input.candidate), now) || warned_of_limit_) return;
  warned_of_limit_ = true;
  out.emplace_back(Warned{"This machine has more than " + std::to_string(wire::kMaxCandidates) +
                          " network addresses to offer; the rest are left out"});
}

void Negotiation::on(LocalGatheringDone& /*input*/, Instant /*now*/, Outputs& /*out*/) {
  outgoing_.end();
}

void Negotiation::on(ChannelOpened& /*input*/, Instant now, Outputs& /*out*/) {
  if (!std::holds_alternative<Gathering>(state_)) {
    ignore();
    return;
  }
  outgoing_.open();
  state_ = Exchanging{now + config_.path_timeout};
}

void Negotiation::on(PeerMessageReceived& input, Instant /*now*/, Outputs& out) {
  auto parsed = wire::parse_ice_message(input.json);
  if (!parsed) {
    state_ = GivenUp{};
    out.emplace_back(Failed{std::move(parsed.error())});
    return;
  }
  for (std::string& sentence : incoming_.accept(*parsed)) {
    out.emplace_back(Warned{std::move(sentence)});
  }
  // The agent has something to try again.
  if (auto* checking = std::get_if<Checking>(&state_); checking && incoming_.has_candidates()) {
    checking->agent_failed = false;
  }
}

void Negotiation::on(PairSelected& input, Instant /*now*/, Outputs& /*out*/) {
  if (std::holds_alternative<Gathering>(state_) || std::holds_alternative<Exchanging>(state_)) {
    ignore();
    return;
  }
  selected_ = std::move(input.path);
}

void Negotiation::on(AgentFailed& /*input*/, Instant /*now*/, Outputs& out) {
  selected_.reset();
  std::visit(Overloaded{
                 [](Gathering&) { ignore(); },
                 [](Exchanging&) { ignore(); },
                 [](Checking& checking) { checking.agent_failed = true; },
                 [&](Connected&) {
                   state_ = Broken{};
                   out.emplace_back(PathBroken{});
                 },
                 [](Broken&) { ignore(); },
                 [](GivenUp&) { ignore(); },
             },
             state_);
}

void Negotiation::on(ChecksFinished& input, Instant now, Outputs& /*out*/) {
  seen_ = std::move(input);
  checks_over_ = true;
  settled_ = checks_began_ && now - *checks_began_ >= kSettling;
}

void Negotiation::on(DeadlineReached& /*input*/, Instant now, Outputs& out) {
  std::visit(Overloaded{
                 [](Gathering&) { ignore(); },
                 [&](Exchanging& exchanging) {
                   if (exchanging.give_up <= now) give_up(out);
                 },
                 [&](Checking& checking) {
                   if (checking.give_up <= now) give_up(out);
                 },
                 [&](Connected&) {
                   if (checks_began_ && now - *checks_began_ >= kLongestChecks) {
                     checks_over_ = settled_ = true;
                   }
                 },
                 [](Broken&) { ignore(); },
                 [](GivenUp&) { ignore(); },
             },
             state_);
}

// ---- what follows from any input ----------------------------------------------------------------

void Negotiation::send(Instant now, Outputs& out) {
  while (auto message = outgoing_.take(now)) {
    out.emplace_back(SendPeerMessage{wire::encode(*message)});
  }
}

void Negotiation::start_checks(Instant now, Outputs& out) {
  if (!std::holds_alternative<Exchanging>(state_)) return;
  if (!outgoing_.has_credentials() || !incoming_.credentials()) return;
  const Credentials& peer = *incoming_.credentials();
  out.emplace_back(SetRemoteCredentials{peer.ufrag, peer.password});
  state_ = Checking{now + config_.path_timeout};
  checks_began_ = now;
}

/// What the peer sent waits until the agent has its credentials, and goes straight on afterwards.
void Negotiation::hand_on(Outputs& out) {
  if (std::holds_alternative<Gathering>(state_) || std::holds_alternative<Exchanging>(state_)) {
    return;
  }
  if (incoming_.has_candidates()) {
    std::vector<wire::Candidate> candidates = incoming_.take_candidates();
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(peers_candidates_),
                 is_udp);
    out.emplace_back(AddRemoteCandidates{std::move(candidates)});
  }
  if (incoming_.take_end()) out.emplace_back(EndRemoteCandidates{});
}

/// Reports what the agent selected, as far as it may be used, whenever it or what is known of it
/// has changed.
void Negotiation::follow_selection(Outputs& out) {
  if (!selected_) return;
  PathInfo path = described(*selected_);
  if (!may_be_used(path)) return;
  if (path.relayed) path.reason = reason();
  const auto* connected = std::get_if<Connected>(&state_);
  if (connected != nullptr && connected->path == path) return;
  out.emplace_back(PathReady{path});
  state_ = Connected{std::move(path)};
}

/// A check can arrive from the peer's relay before the candidate that names it.
PathInfo Negotiation::described(PathInfo path) const {
  if (may_be_a_relay(path) && incoming_.is_relay(path.remote_address)) {
    path.remote_type = wire::to_string(wire::CandidateType::kRelayed);
    path.relayed = true;
  }
  return path;
}

bool Negotiation::may_be_used(const PathInfo& path) const {
  // Until the peer has named all of its candidates, an unnamed one may be a relay.
  if (config_.relay == RelayPolicy::kNever && may_be_a_relay(path) && !incoming_.ended()) {
    return false;
  }
  return is_allowed(config_.relay, path.relayed);
}

void Negotiation::shorten_wait(Instant now) {
  auto* checking = std::get_if<Checking>(&state_);
  if (checking == nullptr || !checking->agent_failed) return;
  if (!outgoing_.ended() || !incoming_.ended()) return;
  checking->give_up = std::min(checking->give_up, now + kLastChance);
}

void Negotiation::give_up(Outputs& out) {
  out.emplace_back(Failed{Error{ErrorKind::kNoPath, no_path_sentence()}});
  state_ = GivenUp{};
}

RelayReason Negotiation::reason() const {
  return relay_reason({.policy = config_.relay,
                       .has_stun = config_.has_stun,
                       .own = own_candidates_,
                       .peers = peers_candidates_,
                       .own_seen = seen_.own,
                       .peers_seen = seen_.peers,
                       .own_ended = outgoing_.ended(),
                       .peers_ended = incoming_.ended() || settled_,
                       .checks_over = checks_over_});
}

/// In brackets, when more is known than that nothing has answered.
std::string Negotiation::why_no_direct_path() const {
  const RelayReason why = reason();
  if (why == RelayReason::kStillChecking || why == RelayReason::kChecksUnanswered) return {};
  return " (" + std::string(text_of(why)) + ")";
}

std::string Negotiation::no_path_sentence() const {
  if (!incoming_.credentials()) {
    return "The peer did not send its network addresses in time; start both sides again with a "
           "new code";
  }
  if (config_.relay == RelayPolicy::kOnly) {
    if (!config_.has_relay) {
      return "Only paths through a relay are allowed here, but no TURN server is configured; "
             "configure one, or allow direct paths with --relay auto";
    }
    return "No path through a relay was found; check the address, user name and password of the "
           "TURN server on both sides, or allow direct paths with --relay auto";
  }
  if (outgoing_.count() == 0) {
    return "This machine has no network address to offer; check its network connection";
  }
  if (incoming_.count() == 0) {
    return "The peer offered no network address that can be used; check its network connection "
           "and the --relay settings of both sides";
  }
  if (config_.relay == RelayPolicy::kNever) {
    return "No direct path to the peer was found" + why_no_direct_path() +
           " and relays are not allowed here; allow them with --relay auto, or try another network";
  }
  if (!config_.has_relay) {
    return "No direct path to the peer was found" + why_no_direct_path() +
           " and no relay is configured; configure a TURN server, or try another network";
  }
  return "No path to the peer was found, neither a direct one nor one through the relay; check "
         "the TURN server's address, user name and password, or try another network";
}

}  // namespace peersock::ice
