// The TURN servers of one agent: their names, the ways to them, and what to say when none gives a
// relay.
//
// All that are not `later` are asked at once. The others follow when those have given no relay
// within kTurnHeadStart, or have failed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nice/agent.h>

#include "adapters/nice_agent.hpp"
#include "adapters/turn_bridge.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class NiceRelays {
 public:
  struct Report {
    std::function<void()> asked;    ///< libnice is about to ask one
    std::function<void()> changed;  ///< `settled` may have become true
    std::function<void(std::string)> warning;
  };

  /// Takes the servers out of `config`, which outlives this object as `agent` does.
  NiceRelays(IceAgentConfig& config, ::NiceAgent* agent, guint stream, GMainContext* context,
             Report report);

  /// Looks names up and connects.
  void start();
  /// The agent has addresses of these families, and gathers.
  void begin(bool ipv4, bool ipv6);
  /// From now on libnice may be told.
  void join();
  /// libnice has a relay.
  void on_relay();

  /// Whether libnice was told of one.
  [[nodiscard]] bool any_asked() const;
  /// Nothing more will be asked.
  [[nodiscard]] bool settled() const;
  /// Gathering is over. `silent`: it took so long that somebody did not answer.
  void conclude(bool silent);
  /// How this side talks to the relay of a candidate: `udp`, `tcp` or `tls`.
  [[nodiscard]] std::string transport_of(const ::NiceCandidate& relayed) const;
  /// The connection under the selected pair, to be kept for as long as libnice may use it; null
  /// when there is none of ours. Nothing is reported of it any more.
  [[nodiscard]] std::shared_ptr<void> take_way();

 private:
  enum class State : std::uint8_t {
    kHeldBack,  ///< others come first
    kStarting,  ///< its name is looked up, or it is connected to
    kReady,     ///< libnice can be told
    kAsked,
    kFailed,
  };
  struct Relay {
    TurnServer server;
    State state = State::kHeldBack;
    std::vector<std::string> addresses;  ///< to ask over UDP
    std::unique_ptr<TurnBridge> bridge;  ///< otherwise
    std::string failure;                 ///< with kFailed: why, as the end of a sentence
  };

  void open(Relay& relay);
  void open_udp(Relay& relay);
  void open_bridge(Relay& relay);
  void on_ended(Relay& relay);
  void start_later();
  void fail(Relay& relay, std::string why);
  void ask(Relay& relay);
  bool ask_udp(const Relay& relay);
  bool ask_bridge(const Relay& relay);
  [[nodiscard]] bool carries(const Relay& relay, const ::NiceCandidate& relayed) const;
  void tell(const Relay& relay, const char* address, std::uint16_t port, NiceRelayType type);
  /// Where libnice finds a bridge.
  [[nodiscard]] const char* loopback() const { return has_ipv4_ ? "127.0.0.1" : "::1"; }
  [[nodiscard]] std::string failure_of(const Relay& relay, bool silent) const;

  IceAgentConfig& config_;
  ::NiceAgent* agent_;
  guint stream_;
  GMainContext* context_;
  Report report_;
  std::vector<Relay> relays_;  // of a fixed size
  std::vector<Lookup> lookups_;
  Wakeup head_start_;
  bool has_ipv4_ = false;
  bool has_ipv6_ = false;
  bool may_join_ = false;
  bool has_relay_ = false;
};

}  // namespace peersock::adapters
