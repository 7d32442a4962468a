// Gathering of one agent: local addresses, names of servers, and when it is over.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nice/agent.h>

#include "adapters/nice_agent.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class NiceGathering {
 public:
  struct Report {
    std::function<void()> done;  ///< once
    std::function<void(std::string)> warning;
  };

  /// `agent` has one stream and outlives this object.
  NiceGathering(IceAgentConfig config, ::NiceAgent* agent, guint stream, GMainContext* context,
                Report report);

  /// Looks up the servers' names; gathers as soon as the STUN server's is known.
  void start();
  /// Gathers now, with what is known. TURN servers join later, a STUN server cannot.
  void begin();

  void on_candidate(NiceCandidateType type);
  /// libnice has tried every server that it knows.
  void on_nice_done();

 private:
  struct Relay {
    std::vector<std::string> addresses;
    bool looked_up = false;
    bool added = false;
  };

  void look_up_stun();
  void give_up_stun();
  void look_up_relay(std::size_t index);
  void look_up(const std::string& host, ResolveHandler handler);
  [[nodiscard]] bool add_local_addresses();
  void widen_socket_buffers();
  void add_relays();
  void add_relay(const TurnServer& server, Relay& relay);
  void next_step();
  void finish_if_done();
  void finish();
  void warn_of_silence();

  IceAgentConfig config_;
  ::NiceAgent* agent_;
  guint stream_;
  Report report_;
  Wakeup step_;
  Wakeup limit_;
  std::vector<Lookup> lookups_;
  std::optional<std::string> stun_address_;
  std::string stun_failure_ = "no answer came in time";
  std::vector<Relay> relays_;
  bool has_ipv4_ = false;
  bool has_ipv6_ = false;
  bool begun_ = false;
  int steps_left_ = 0;
  bool relays_may_join_ = false;
  bool nice_done_ = false;
  bool finished_ = false;
  bool saw_reflexive_ = false;
  bool saw_relay_ = false;
  bool relay_asked_ = false;
  gint64 begun_at_ = 0;  // microseconds, monotonic
};

}  // namespace peersock::adapters
