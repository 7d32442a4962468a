#include "ice/trickle.hpp"

#include <utility>

namespace peersock::ice {
namespace {

/// What makes two candidates the same: a second one there would only repeat the same checks.
std::string key_of(const wire::Candidate& candidate) {
  std::string key = endpoint_text(candidate.address, candidate.port);
  if (candidate.transport != wire::CandidateTransport::kUdp) {
    key += " tcp" + std::to_string(static_cast<int>(candidate.transport));
  }
  return key;
}

bool is_allowed(RelayPolicy policy, const wire::Candidate& candidate) {
  return is_allowed(policy, candidate.type == wire::CandidateType::kRelayed);
}

}  // namespace

void OutgoingTrickle::set_credentials(Credentials credentials) {
  if (!credentials_) credentials_ = std::move(credentials);
}

bool OutgoingTrickle::add(wire::Candidate candidate, Instant now) {
  if (ended_ || !is_allowed(policy_, candidate)) return true;
  const std::string key = key_of(candidate);
  if (seen_.contains(key)) return true;
  if (seen_.size() >= wire::kMaxCandidates) return false;
  seen_.insert(key);
  if (policy_ == RelayPolicy::kOnly) {
    // Who allows only relays may well want to hide the address behind them.
    candidate.related_address.reset();
    candidate.related_port.reset();
  }
  waiting_.push_back(std::move(candidate));
  if (greeted_ && !due_) due_ = now + kTrickleBatch;
  return true;
}

std::optional<wire::IceMessage> OutgoingTrickle::take(Instant now) {
  if (!open_ || !credentials_) return std::nullopt;
  const bool batch_is_due = ended_ || (due_ && *due_ <= now);
  const bool has_news = !waiting_.empty() || ended_ != end_sent_;
  if (greeted_ && !(batch_is_due && has_news)) return std::nullopt;

  wire::IceMessage message;
  message.generation = generation_;
  if (!greeted_) {
    message.ufrag = credentials_->ufrag;
    message.password = credentials_->password;
  }
  message.candidates = std::exchange(waiting_, {});
  message.end_of_candidates = ended_;
  greeted_ = true;
  end_sent_ = ended_;
  due_.reset();
  return message;
}

std::vector<std::string> IncomingTrickle::accept(const wire::ParsedIceMessage& parsed) {
  std::vector<std::string> warnings;
  const wire::IceMessage& message = parsed.message;
  if (message.generation != generation_) {
    warn_once(warnings,
              "The peer restarted its path search without having said that it can; if the "
              "connection breaks, start both sides again");
    return warnings;
  }
  accept_credentials(message, warnings);
  accept_candidates(message, warnings);
  if (parsed.refused_candidates > 0) {
    warn_once(warnings, "The peer sent network addresses that cannot be used; they are ignored");
  }
  ended_ = ended_ || message.end_of_candidates;
  return warnings;
}

void IncomingTrickle::accept_credentials(const wire::IceMessage& message,
                                         std::vector<std::string>& warnings) {
  if (!message.ufrag || !message.password) return;
  Credentials offered{*message.ufrag, *message.password};
  if (!credentials_) {
    credentials_ = std::move(offered);
  } else if (*credentials_ != offered) {
    warn_once(warnings,
              "The peer changed its ICE credentials in mid-search; the new ones are "
              "ignored");
  }
}

void IncomingTrickle::accept_candidates(const wire::IceMessage& message,
                                        std::vector<std::string>& warnings) {
  if (ended_) return;
  for (const wire::Candidate& candidate : message.candidates) {
    std::string key = key_of(candidate);
    if (seen_.contains(key)) continue;
    if (seen_.size() >= wire::kMaxCandidates) {
      warn_once(warnings, "The peer sent more than " + std::to_string(wire::kMaxCandidates) +
                              " network addresses; the rest are ignored");
      return;
    }
    seen_.emplace(std::move(key), candidate.type);
    if (!is_allowed(policy_, candidate)) continue;
    ++accepted_;
    waiting_.push_back(candidate);
  }
}

void IncomingTrickle::warn_once(std::vector<std::string>& warnings, std::string sentence) {
  if (warned_.insert(sentence).second) warnings.push_back(std::move(sentence));
}

std::vector<wire::Candidate> IncomingTrickle::take_candidates() {
  return std::exchange(waiting_, {});
}

bool IncomingTrickle::take_end() {
  if (!ended_) return false;
  return !std::exchange(end_taken_, true);
}

bool IncomingTrickle::is_relay(std::string_view endpoint) const {
  const auto found = seen_.find(endpoint);
  return found != seen_.end() && found->second == wire::CandidateType::kRelayed;
}

}  // namespace peersock::ice
