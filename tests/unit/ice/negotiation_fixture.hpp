// Messages, candidates and paths that the tests of the ICE negotiation share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ice/negotiation.hpp"

namespace peersock::testing {

inline constexpr Instant kNow = Instant{} + std::chrono::hours{1};

inline wire::Candidate candidate(std::string address,
                                 wire::CandidateType type = wire::CandidateType::kHost) {
  wire::Candidate made;
  made.foundation = "1";
  made.priority = 1000;
  made.address = std::move(address);
  made.port = 4000;
  made.type = type;
  return made;
}

inline ice::LocalCandidateFound found(std::string address,
                                      wire::CandidateType type = wire::CandidateType::kHost) {
  return {candidate(std::move(address), type)};
}

inline ice::LocalCredentialsMade local_credentials() {
  return {"ours", "ourpasswordourpassword"};
}

inline ice::PeerMessageReceived peer_message(const wire::IceMessage& message) {
  return {wire::encode(message)};
}

inline ice::PeerMessageReceived peer_credentials() {
  wire::IceMessage message;
  message.ufrag = "theirs";
  message.password = "theirpasswordtheirpassword";
  return peer_message(message);
}

inline ice::PeerMessageReceived peer_candidates(std::vector<wire::Candidate> candidates) {
  wire::IceMessage message;
  message.candidates = std::move(candidates);
  return peer_message(message);
}

inline ice::PeerMessageReceived peer_end() {
  wire::IceMessage message;
  message.end_of_candidates = true;
  return peer_message(message);
}

inline PathInfo direct_path() {
  return {false, "host", "host", "192.0.2.1:4000", "192.0.2.2:4000", "udp"};
}

inline PathInfo relayed_path() {
  return {true, "relay", "host", "198.51.100.1:5000", "192.0.2.2:4000", "udp"};
}

/// A machine with the outputs of all of its inputs so far.
class Script {
 public:
  explicit Script(ice::NegotiationConfig config = {}) : machine(config) {}

  Script& at(Instant when) {
    now = when;
    return *this;
  }
  Script& feed(ice::Negotiation::Input input) {
    for (auto& output : machine.handle(std::move(input), now)) outputs.push_back(std::move(output));
    return *this;
  }
  /// Advances to the deadline and reports it.
  Script& expire() {
    now = machine.deadline().value();
    return feed(DeadlineReached{});
  }
  Script& opened() { return feed(local_credentials()).feed(ice::ChannelOpened{}); }
  Script& checking() { return opened().feed(peer_credentials()); }

  template <typename T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> picked;
    for (const auto& output : outputs) {
      if (const auto* match = std::get_if<T>(&output)) picked.push_back(*match);
    }
    return picked;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& output : outputs) result.emplace_back(name_of(output));
    return result;
  }
  [[nodiscard]] std::vector<wire::IceMessage> sent() const {
    std::vector<wire::IceMessage> messages;
    for (const auto& output : all<ice::SendPeerMessage>()) {
      messages.push_back(wire::parse_ice_message(output.json).value().message);
    }
    return messages;
  }
  [[nodiscard]] std::vector<std::string> offered() const {
    std::vector<std::string> addresses;
    for (const auto& message : sent()) {
      for (const auto& c : message.candidates) addresses.push_back(c.address);
    }
    return addresses;
  }
  [[nodiscard]] std::vector<std::string> accepted() const {
    std::vector<std::string> addresses;
    for (const auto& output : all<ice::AddRemoteCandidates>()) {
      for (const auto& c : output.candidates) addresses.push_back(c.address);
    }
    return addresses;
  }
  [[nodiscard]] std::string failure() const {
    const auto failed = all<ice::Failed>();
    return failed.size() == 1 ? failed.front().error.message : "";
  }

  ice::Negotiation machine;
  Instant now = kNow;
  std::vector<ice::Negotiation::Output> outputs;
};

inline ice::NegotiationConfig with(ice::RelayPolicy relay, bool has_relay = true) {
  ice::NegotiationConfig config;
  config.relay = relay;
  config.has_relay = has_relay;
  return config;
}

}  // namespace peersock::testing
