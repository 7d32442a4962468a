// Brings a session machine into each of its states by the inputs that really lead there.
#pragma once

#include <string>
#include <vector>

#include "session/session.hpp"

namespace peersock::testing {

inline constexpr Instant kStart = Instant{} + 100s;

struct SessionOptions {
  wire::Mode mode = wire::Mode::kListen;
  wire::Mode peer_mode = wire::Mode::kConnect;
  bool once = false;
  bool peer_once = false;
  bool peer_restarts = true;
  std::optional<Duration> peer_timeout = 300s;
};

inline wire::Code sample_code() {
  return {"8", wire::CodeWords{{1, 2, 3}}};
}

inline nlohmann::json introduction_of(const SessionOptions& options) {
  wire::Introduction introduction;
  introduction.mode = options.peer_mode;
  if (!wire::is_opener(options.peer_mode)) introduction.smp = {1};
  if (options.peer_once) introduction.capabilities.emplace_back(session::kOnceCapability);
  if (options.peer_restarts) introduction.capabilities.emplace_back(session::kRestartCapability);
  return wire::encode(introduction);
}

/// A machine and everything that it has put out.
class SessionDriver {
 public:
  explicit SessionDriver(SessionOptions options = {})
      : options_(options),
        machine({options.mode, "peersock test", "an engine", options.peer_timeout, options.once}) {}

  template <typename Input>
  std::vector<session::SessionOutput> give(Input input, Instant now = kStart) {
    auto made = machine.handle(std::move(input), now);
    names.clear();
    for (const auto& output : made)
      names += (names.empty() ? "" : " ") + std::string(name_of(output));
    return made;
  }

  SessionDriver& to_meeting() {
    give(session::Started{});
    give(session::RendezvousJoined{"ws://mailbox.test/v1", {}});
    give(session::CodeReady{sample_code(), true});
    return *this;
  }
  SessionDriver& to_seen() {
    to_meeting();
    give(session::PeerSeen{});
    return *this;
  }
  SessionDriver& to_connecting() {
    to_seen();
    give(session::PeerVerified{introduction_of(options_), Secret(std::string_view("key"))});
    return *this;
  }
  SessionDriver& to_shaking_hands() {
    to_connecting();
    give(session::PathReady{{false, "host", "host", "192.0.2.1:1", "192.0.2.2:2", "udp"}});
    return *this;
  }
  SessionDriver& to_proving() {
    to_shaking_hands();
    give(session::QuicEstablished{Secret(std::string_view("exporter")), 20ms});
    return *this;
  }
  SessionDriver& to_open() {
    to_proving();
    give(session::ProofSucceeded{});
    return *this;
  }
  SessionDriver& to_leaving() {
    to_open();
    give(session::InterruptRequested{});
    return *this;
  }
  SessionDriver& to_closing() {
    to_open();
    give(session::QuicClosed{0, {}, std::nullopt});
    return *this;
  }
  SessionDriver& to_ended() {
    to_closing();
    give(session::RendezvousClosed{});
    return *this;
  }

 private:
  SessionOptions options_;

 public:
  session::Session machine;
  std::string names;  ///< of the last outputs
};

}  // namespace peersock::testing
