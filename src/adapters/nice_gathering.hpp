// Gathering of one agent: local addresses, names of servers, and when it is over.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nice/agent.h>

#include "adapters/nice_agent.hpp"
#include "adapters/nice_relays.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class NiceGathering {
 public:
  struct Report {
    std::function<void()> begun;  ///< libnice gathers; once, perhaps from inside a call
    std::function<void()> done;   ///< once
    std::function<void(std::string)> warning;
  };

  /// `agent` has one stream and outlives this object.
  NiceGathering(IceAgentConfig config, ::NiceAgent* agent, guint stream, GMainContext* context,
                Report report);

  /// Looks up the servers' names; gathers as soon as the STUN server's is known, or is not to be
  /// had. TURN servers join later, which a STUN server cannot.
  void start();

  void on_candidate(NiceCandidateType type);
  /// libnice has tried every server that it knows.
  void on_nice_done();
  /// NiceRelays::transport_of; empty when `local` is no relay.
  [[nodiscard]] std::string relay_transport_of(const ::NiceCandidate& local) const;

  /// NiceRelays::take_way.
  [[nodiscard]] std::shared_ptr<void> take_way() { return relays_.take_way(); }

 private:
  void begin();
  void look_up_stun();
  void give_up_stun();
  void look_up(const std::string& host, ResolveHandler handler);
  /// Which families of addresses there are to ask servers from.
  struct Families {
    bool any = false;  ///< also such as no server can be asked from
    bool ipv4 = false;
    bool ipv6 = false;
  };
  [[nodiscard]] Families add_local_addresses();
  void widen_socket_buffers();
  void next_step();
  void join_relays();
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
  std::string stun_failure_;
  NiceRelays relays_;
  bool begun_ = false;
  int steps_left_ = 0;
  bool relays_joined_ = false;
  bool nice_done_ = false;
  bool finished_ = false;
  bool saw_reflexive_ = false;
  gint64 begun_at_ = 0;  // microseconds, monotonic
};

}  // namespace peersock::adapters
