// Two whole sessions and a rendezvous server in one process, in virtual time, with the real QUIC
// engine.
#pragma once

#include <memory>
#include <string>

#include "support/virtual_host.hpp"

namespace peersock::testing {

struct PairOptions {
  std::uint64_t seed = 1;
  wire::Mode mode_a = wire::Mode::kListen;
  wire::Mode mode_b = wire::Mode::kConnect;
  bool once_a = false;
  bool once_b = false;
  LinkProfile mailbox{10ms, 0ms, 0, 0};
  LinkProfile path{10ms, 0ms, 0, 0};
  std::optional<Duration> peer_timeout;
  /// What the second side types wrongly instead of its part of the code that the first one made.
  std::optional<std::string> typed_nameplate;
  std::optional<std::string> typed_words;
  /// The target of the connecting side; absent: an echo-less sink that sends `target_sends`.
  bool target_refuses = false;
  Bytes target_sends;
  /// libotr's SMP instead of the quick one.
  bool real_proof = false;
  std::function<std::unique_ptr<auth::SmpEngine>()> smp_a;
  std::function<std::unique_ptr<auth::SmpEngine>()> smp_b;
};

/// Side A makes the code, side B gets it as soon as it is there.
class SessionPair {
 public:
  explicit SessionPair(PairOptions options);
  ~SessionPair();
  SessionPair(const SessionPair&) = delete;
  SessionPair& operator=(const SessionPair&) = delete;
  SessionPair(SessionPair&&) = delete;
  SessionPair& operator=(SessionPair&&) = delete;

  /// Starts A, and B once A's code is known.
  void start();
  void start_first();
  void start_second();
  [[nodiscard]] bool until_authenticated(Duration limit = 60s);
  [[nodiscard]] bool until_ended(Duration limit = 60s);
  [[nodiscard]] bool until(const std::function<bool()>& done, Duration limit = 60s) {
    return world.run_until(done, limit);
  }

  /// A program that connects to side A's listener.
  std::shared_ptr<LocalProgram> connect(Bytes to_send, bool finish = true);
  /// The programs that side B's target handed out, in order.
  [[nodiscard]] const std::vector<std::shared_ptr<LocalProgram>>& targets() const {
    return targets_;
  }
  /// The last lines of both traces, for a failing test.
  [[nodiscard]] std::string story() const;

  VirtualWorld world;
  VirtualMailbox mailbox;
  VirtualPath path;
  std::unique_ptr<VirtualHost> a;
  std::unique_ptr<VirtualHost> b;

 private:
  [[nodiscard]] VirtualHostConfig host_config(bool first, std::optional<std::string> code);

  PairOptions options_;
  std::vector<std::shared_ptr<LocalProgram>> targets_;
};

/// Octets that differ from place to place, so that a shift or a swap is seen.
[[nodiscard]] Bytes pattern(std::size_t size, std::uint8_t salt = 0);

}  // namespace peersock::testing
