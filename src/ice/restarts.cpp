#include "ice/restarts.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace peersock::ice {

static_assert(Machine<Restarts>);

std::vector<Restarts::Output> Restarts::handle(Input input, Instant now) {
  if (in<Lost>()) {
    ignore();
    return {};
  }
  std::visit([&](auto& held) { on(held, now); }, input);
  return std::exchange(outputs_, {});
}

std::optional<Instant> Restarts::deadline() const {
  std::optional<Instant> due;
  for (const Retired& retired : retired_) due = earliest(due, retired.until);
  if (!watching()) return earliest(due, second_search_due());
  due = earliest(due, probe_due());
  due = earliest(due, give_up_due());
  return earliest(due, restart_due());
}

std::string_view Restarts::state_name() const {
  return name_of(state_);
}

// ---- the clock ----------------------------------------------------------------------------------

Instant Restarts::probe_due() const {
  return std::max(heard_, probed_) + kProbeAfter;
}

/// A peer that speaks by way of the rendezvous server is worth a longer wait.
Instant Restarts::give_up_due() const {
  return std::min(std::max(heard_, alive_) + kSilenceLimit, heard_ + kLongestSilence);
}

bool Restarts::silent(Instant now) const {
  return asked_ && now >= *asked_ + kProbePatience;
}

/// When a restart of ours begins, as far as only time is missing.
std::optional<Instant> Restarts::restart_due() const {
  const Instant earliest_start = begun_ ? *begun_ + pause_ : heard_;
  if (in<Pausing>()) return earliest_start;
  if (const auto* searching = std::get_if<Searching>(&state_)) {
    if (searching->outdated) return earliest_start;
    return std::nullopt;
  }
  if (in<Steady>() && asked_) return std::max(*asked_ + kProbePatience, earliest_start);
  return std::nullopt;
}

std::optional<Instant> Restarts::second_search_due() const {
  const auto* agreed = std::get_if<Agreed>(&state_);
  return agreed != nullptr ? agreed->again : std::nullopt;
}

// ---- inputs -------------------------------------------------------------------------------------

void Restarts::on(RestartsAgreed& /*input*/, Instant /*now*/) {
  if (!in<Single>()) return ignore();
  state_ = Agreed{};
}

void Restarts::on(ChecksBegan& /*input*/, Instant now) {
  auto* agreed = std::get_if<Agreed>(&state_);
  // The peer may have begun it already.
  if (agreed == nullptr || newest_ > 0) return ignore();
  agreed->again = now + kSecondSearchAfter;
}

void Restarts::on(DataFlows& /*input*/, Instant now) {
  if (!in<Agreed>()) return ignore();
  heard_ = alive_ = now;
  if (pending_) {
    state_ = Searching{RestartReason::kPeer};
  } else {
    state_ = Steady{};
  }
}

void Restarts::on(PeerHeard& input, Instant /*now*/) {
  heard_ = std::max(heard_, input.at);
  if (asked_ && heard_ > *asked_) asked_.reset();
}

void Restarts::on(NetworkChanged& /*input*/, Instant now) {
  if (auto* searching = std::get_if<Searching>(&state_)) {
    searching->outdated = true;
    searching->reason = RestartReason::kNetwork;
  } else if (in<Steady>()) {
    ask_for_restart(RestartReason::kNetwork, now);
  } else {
    ignore();
  }
}

void Restarts::on(MessageReceived& input, Instant now) {
  if (in<Single>()) {
    outputs_.emplace_back(HandOn{active_, std::move(input.json)});
    return;
  }
  if (input.generation > newest_) {
    if (!may_follow(now)) return ignore();
    follow(input.generation, now);
  }
  if (input.generation != newest_ && input.generation != active_) return ignore();
  if (input.generation == newest_) alive_ = now;
  outputs_.emplace_back(HandOn{input.generation, std::move(input.json)});
}

void Restarts::on(SearchSucceeded& input, Instant now) {
  no_second_search();
  if (input.generation == active_) {
    outputs_.emplace_back(UsePath{active_, std::move(input.path), false});
  } else if (pending_ && input.generation == newest_) {
    replace_path(input.generation, std::move(input.path), now);
  } else {
    ignore();
  }
}

void Restarts::on(SearchBroke& input, Instant now) {
  if (input.generation != active_ || in<Searching>() || in<Pausing>()) return ignore();
  if (in<Steady>()) return ask_for_restart(RestartReason::kBroken, now);
  outputs_.emplace_back(PathLost{});
}

void Restarts::on(SearchFailed& input, Instant now) {
  if (input.generation == active_) {
    if (watching()) return ignore();
    return first_search_failed(std::move(input.error));
  }
  if (!pending_ || input.generation != newest_) return ignore();
  drop_pending();
  pending_search_failed(now);
}

void Restarts::on(DeadlineReached& /*input*/, Instant now) {
  const auto over = [&](const Retired& retired) { return retired.until <= now; };
  for (const Retired& retired : retired_) {
    if (over(retired)) outputs_.emplace_back(DropSearch{retired.generation});
  }
  std::erase_if(retired_, over);
  if (const auto second = second_search_due(); second && *second <= now) {
    no_second_search();
    return begin(RestartReason::kSilent, now);
  }
  if (!watching()) return;
  if (give_up_due() <= now) return give_up(now);
  if (probe_due() <= now) {
    outputs_.emplace_back(AskPeer{.again = asked_ && heard_ < probed_});
    probed_ = now;
    if (!asked_) asked_ = now;
  }
  const auto due = restart_due();
  if (!due || *due > now) return;
  const auto* searching = std::get_if<Searching>(&state_);
  const auto* pausing = std::get_if<Pausing>(&state_);
  begin(searching != nullptr ? searching->reason
        : pausing != nullptr ? pausing->reason
                             : RestartReason::kSilent,
        now);
}

// ---- restarts -----------------------------------------------------------------------------------

bool Restarts::may_follow(Instant now) {
  while (!followed_.empty() && now - followed_.front() >= kCalm) followed_.pop_front();
  if (followed_.size() >= kMostFollowed) return false;
  followed_.push_back(now);
  return true;
}

/// The peer has begun a generation, or both have and it is ahead of us: ours is of no use then.
void Restarts::follow(Generation generation, Instant now) {
  no_second_search();
  drop_pending();
  newest_ = generation;
  start_search(RestartReason::kPeer, now);
}

void Restarts::ask_for_restart(RestartReason reason, Instant now) {
  state_ = Pausing{reason};
  if (*restart_due() <= now) begin(reason, now);
}

void Restarts::begin(RestartReason reason, Instant now) {
  if (newest_ == std::numeric_limits<Generation>::max()) {
    // There are no more numbers; the silence will end the session.
    begun_ = now;
    pause_ = kLongestPause;
    state_ = Steady{};
    return;
  }
  drop_pending();
  const bool first = !begun_ || now - *begun_ >= kCalm;
  pause_ = first ? Duration(kFirstPause) : std::min<Duration>(pause_ * 2, kLongestPause);
  ++newest_;
  start_search(reason, now);
}

void Restarts::drop_pending() {
  if (std::exchange(pending_, false)) outputs_.emplace_back(DropSearch{newest_});
}

void Restarts::start_search(RestartReason reason, Instant now) {
  begun_ = now;
  pending_ = true;
  outputs_.emplace_back(StartSearch{newest_});
  outputs_.emplace_back(DoubtRendezvous{reason == RestartReason::kNetwork});
  if (!watching()) return;
  if (!std::exchange(told_, true)) outputs_.emplace_back(TellRestart{reason});
  state_ = Searching{reason};
}

void Restarts::replace_path(Generation generation, PathInfo path, Instant now) {
  retired_.push_back({active_, now + kLinger});
  active_ = generation;
  pending_ = false;
  outputs_.emplace_back(UsePath{generation, std::move(path), true});
  alive_ = now;  // the peer has answered a check
  told_ = false;
  if (!watching()) return;
  // The peer may take a moment longer to change over.
  probed_ = now;
  asked_ = now + kProbeAfter;
  outputs_.emplace_back(AskPeer{});
  state_ = Steady{};
}

// ---- before the session -------------------------------------------------------------------------

/// There is a path, or a second search has begun: one is enough.
void Restarts::no_second_search() {
  if (auto* agreed = std::get_if<Agreed>(&state_)) agreed->again.reset();
}

void Restarts::first_search_failed(Error error) {
  no_second_search();
  auto* agreed = std::get_if<Agreed>(&state_);
  if (agreed != nullptr && pending_ && error.kind == ErrorKind::kNoPath) {
    agreed->failure = std::move(error);
    return;
  }
  outputs_.emplace_back(NoPath{std::move(error)});
}

void Restarts::pending_search_failed(Instant now) {
  if (auto* agreed = std::get_if<Agreed>(&state_); agreed != nullptr && agreed->failure) {
    outputs_.emplace_back(NoPath{*std::exchange(agreed->failure, std::nullopt)});
    return;
  }
  const auto* searching = std::get_if<Searching>(&state_);
  if (searching == nullptr) return;
  if (!silent(now) && !searching->outdated) {
    // The old path has outlived the search, or has come back.
    told_ = false;
    state_ = Steady{};
    return;
  }
  ask_for_restart(searching->reason, now);
}

// ---- the end ------------------------------------------------------------------------------------

void Restarts::give_up(Instant now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - heard_).count();
  outputs_.emplace_back(PeerSilent{Error{
      ErrorKind::kConnectionLost, "The other side has not answered for " + std::to_string(seconds) +
                                      " s; check both networks and start again with a new code."}});
  state_ = Lost{};
}

}  // namespace peersock::ice
