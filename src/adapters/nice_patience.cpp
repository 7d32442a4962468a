#include "adapters/nice_patience.hpp"

#include <utility>

namespace peersock::adapters {
namespace {

/// The peer's check arrives, so the path works in one direction at least, and ours was sent at once
/// in return. After so long without an answer the path is slow, or two of ours were lost.
constexpr Duration kUsualAnswer = 1s;
/// For so long every check of the peer makes one of ours that is waited for long enough. libnice's
/// timer of checks, whose period is the Ta of the moment in which it is started, runs for longer
/// than both together, because what the peer's check has begun is given up after 4.5 s.
constexpr Duration kPatience = 3s;
/// As Ta, in milliseconds: for each pair that is being checked, so one or more.
constexpr guint kLongestAnswer = 3000;

}  // namespace

void NicePatience::on_credentials() {
  has_credentials_ = true;
  start_if_checking();
}

void NicePatience::on_peers_check() {
  peer_checks_ = true;
  start_if_checking();
}

void NicePatience::start_if_checking() {
  if (has_credentials_ && peer_checks_) turn_.after(kUsualAnswer);
}

void NicePatience::on_decided() {
  turn_.cancel();
  if (std::exchange(patient_, false)) set_pacing(pacing_);
}

void NicePatience::turn() {
  if (patient_) return on_decided();
  patient_ = true;
  set_pacing(kLongestAnswer);
  turn_.after(kPatience);
}

void NicePatience::set_pacing(guint milliseconds) {
  g_object_set(agent_, "stun-pacing-timer", milliseconds, nullptr);
}

}  // namespace peersock::adapters
