#include "wormhole/client_link.hpp"

#include <algorithm>

#include "wormhole/client.hpp"

namespace peersock::wormhole {

void ClientLink::open(Instant now) {
  status_ = Status::kConnecting;
  doubted_ = asked_ = false;
  expecting_ = true;
  since_ = now;
}

bool ClientLink::came_up(Instant now) {
  if (status_ != Status::kConnecting) return false;
  status_ = Status::kUp;
  expecting_ = true;  // the server speaks first
  proved_ = false;
  since_ = now;
  up_since_ = now;
  return true;
}

bool ClientLink::went_down(Instant now) {
  if (!active()) return false;
  if (lasted(now)) start_over();
  status_ = Status::kWaiting;
  expecting_ = false;
  // Half as long again each time.
  delay_ = delay_ ? std::min<Duration>(*delay_ + *delay_ / 2, kLongestReconnectDelay)
                  : Duration(kFirstReconnectDelay);
  since_ = now + *delay_;
  return true;
}

bool ClientLink::lasted(Instant now) const {
  return up() && proved_ && (!delay_ || now - up_since_ >= *delay_);
}

void ClientLink::doubt(Instant now) {
  if (status_ == Status::kWaiting) since_ = std::min(since_, now);
  if (!up()) return;
  since_ = now;
  expecting_ = true;
  doubted_ = true;
}

void ClientLink::expect(bool answer, bool meeting, Instant now) {
  meeting_ = meeting;
  if (!up()) return;
  if (answer && !expecting_) since_ = now;
  expecting_ = answer;
}

ClientLink::Due ClientLink::due(Instant now) const {
  const auto when = deadline();
  if (!when || now < *when) return Due::kNothing;
  if (status_ == Status::kWaiting) return Due::kOpen;
  return expecting_ ? Due::kSilent : Due::kPing;
}

std::optional<Instant> ClientLink::deadline() const {
  if (status_ == Status::kIdle) return std::nullopt;
  if (status_ == Status::kWaiting) return since_;
  if (!expecting_) return since_ + (meeting_ ? kMeetingPingInterval : kPingInterval);
  const Duration patience = doubted_ ? kDoubtTimeout : asked_ ? kPingPatience : answer_timeout_;
  return since_ + std::min(answer_timeout_, patience);
}

}  // namespace peersock::wormhole
