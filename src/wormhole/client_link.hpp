// Whether the link to the rendezvous server is up, when to try again, and whether an answer is
// overdue. Knows nothing of what is said over the link.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hpp"

namespace peersock::wormhole {

class ClientLink {
 public:
  /// `answer_timeout` bounds a connection attempt and an unanswered request alike.
  explicit ClientLink(Duration answer_timeout) : answer_timeout_(answer_timeout) {}

  /// A connection attempt starts.
  void open(Instant now);
  /// False when no attempt was going on: the fact is stale.
  [[nodiscard]] bool came_up(Instant now);
  /// The link broke or the attempt failed; the next attempt is planned. False when it was down.
  [[nodiscard]] bool went_down(Instant now);
  /// No more attempts.
  void shut() { status_ = Status::kIdle; }

  [[nodiscard]] bool up() const { return status_ == Status::kUp; }
  /// Up or about to be.
  [[nodiscard]] bool active() const { return up() || status_ == Status::kConnecting; }

  /// The server said something.
  void heard(Instant now) {
    since_ = now;
    doubted_ = asked_ = false;
  }
  /// The server has done something for us on this link.
  void proved() { proved_ = true; }
  /// The link was proved, and lasted for as long as we waited for it: what follows is a new outage,
  /// with the shortest delay. A server that drops us again and again is left alone for longer.
  [[nodiscard]] bool lasted(Instant now) const;
  /// The next attempts go to another server.
  void start_over() { delay_ = std::nullopt; }
  /// An answer, if one is due or asked for now, is awaited for kDoubtTimeout only; a planned
  /// attempt is due at once.
  void doubt(Instant now);
  [[nodiscard]] bool doubted() const { return doubted_; }
  /// A ping is sent: its answer is awaited for kPingPatience only.
  void asked() { asked_ = true; }
  /// Whether an answer is due from now on. `meeting`: nobody else will notice that the link is
  /// dead.
  void expect(bool answer, bool meeting, Instant now);

  enum class Due : std::uint8_t { kNothing, kOpen, kSilent, kPing };
  /// What is due at `now`; a silence is reported until the link is taken down.
  [[nodiscard]] Due due(Instant now) const;
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  enum class Status : std::uint8_t { kIdle, kWaiting, kConnecting, kUp };

  Duration answer_timeout_;
  Status status_ = Status::kIdle;
  bool expecting_ = false;
  bool doubted_ = false;
  bool asked_ = false;
  bool meeting_ = false;
  bool proved_ = false;
  Instant up_since_;
  /// kWaiting: when the next attempt starts. Otherwise: the last sign of life, or the start of the
  /// wait for an answer, whichever is later.
  Instant since_;
  std::optional<Duration> delay_;  ///< before the last attempt of this outage
};

}  // namespace peersock::wormhole
