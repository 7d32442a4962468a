// The two directions of the trickle: what this side still has to tell the peer, and what the peer
// has told. docs/spec/ice.md.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "ice/policy.hpp"
#include "wire/ice_message.hpp"

namespace peersock::ice {

/// Candidates that appear within this time of each other leave in one message.
inline constexpr Duration kTrickleBatch = 20ms;

struct Credentials {
  std::string ufrag;
  std::string password;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// Collects what leaves. The first message leaves as soon as the channel is open and the
/// credentials are known, with whatever candidates there are; later ones are batched.
class OutgoingTrickle {
 public:
  OutgoingTrickle(RelayPolicy policy, Generation generation)
      : policy_(policy), generation_(generation) {}

  void open() { open_ = true; }
  /// Only the first ones count: they change with an ICE restart alone.
  void set_credentials(Credentials credentials);
  /// Nothing after `end` or beyond kMaxCandidates, no duplicates, only what the policy allows.
  /// False when the limit is what kept it out.
  [[nodiscard]] bool add(wire::Candidate candidate, Instant now);
  void end() { ended_ = true; }

  /// A message that is due; to be called until there is none.
  [[nodiscard]] std::optional<wire::IceMessage> take(Instant now);
  /// When `take` will have a message, if only time is missing.
  [[nodiscard]] std::optional<Instant> deadline() const { return due_; }

  [[nodiscard]] bool has_credentials() const { return credentials_.has_value(); }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::size_t count() const { return seen_.size(); }

 private:
  RelayPolicy policy_;
  Generation generation_;
  std::optional<Credentials> credentials_;
  std::set<std::string> seen_;
  std::vector<wire::Candidate> waiting_;
  std::optional<Instant> due_;
  bool open_ = false;
  bool greeted_ = false;  // the message with the credentials has left
  bool ended_ = false;
  bool end_sent_ = false;
};

/// Collects what the peer sends, until the agent can take it.
class IncomingTrickle {
 public:
  IncomingTrickle(RelayPolicy policy, Generation generation)
      : policy_(policy), generation_(generation) {}

  /// Returns sentences for the user, each of them at most once in a generation.
  [[nodiscard]] std::vector<std::string> accept(const wire::ParsedIceMessage& parsed);

  [[nodiscard]] const std::optional<Credentials>& credentials() const { return credentials_; }
  [[nodiscard]] bool has_candidates() const { return !waiting_.empty(); }
  /// What came since the last call.
  [[nodiscard]] std::vector<wire::Candidate> take_candidates();
  /// True once, after the last candidate.
  [[nodiscard]] bool take_end();

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::size_t count() const { return accepted_; }
  /// Whether the peer has named this endpoint as a relayed one, allowed by the policy or not.
  [[nodiscard]] bool is_relay(std::string_view endpoint) const;

 private:
  void accept_credentials(const wire::IceMessage& message, std::vector<std::string>& warnings);
  void accept_candidates(const wire::IceMessage& message, std::vector<std::string>& warnings);
  void warn_once(std::vector<std::string>& warnings, std::string sentence);

  RelayPolicy policy_;
  Generation generation_;
  std::optional<Credentials> credentials_;
  std::map<std::string, wire::CandidateType, std::less<>> seen_;
  std::vector<wire::Candidate> waiting_;
  std::set<std::string> warned_;
  std::size_t accepted_ = 0;
  bool ended_ = false;
  bool end_taken_ = false;
};

}  // namespace peersock::ice
