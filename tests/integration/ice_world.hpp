// Two ICE agents in one process on one explicit main context, each with its negotiation machine,
// and the channel between them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/clock.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/nice_agent.hpp"
#include "adapters/wakeup.hpp"
#include "core/runner.hpp"
#include "ice/negotiation.hpp"

namespace peersock::testing {

/// The loopback addresses of this machine: 127.0.0.1, and ::1 where there is IPv6.
[[nodiscard]] std::vector<std::string> loopback_addresses();
[[nodiscard]] std::vector<ice::LocalInterface> only(const std::string& address);
/// Descriptors that this process has open.
[[nodiscard]] std::size_t open_descriptors();

/// A main context that nobody has pushed, and a bounded way to run it.
class Loop {
 public:
  Loop();
  [[nodiscard]] GMainContext* context() const { return context_.get(); }
  /// Runs the loop until `done` holds. False when that takes absurdly long.
  [[nodiscard]] bool until(const std::function<bool()>& done);
  /// Runs the loop this many turns.
  void turns(int count);

 private:
  adapters::ContextPtr context_;
};

struct SideOptions {
  adapters::IceAgentConfig agent;
  ice::NegotiationConfig negotiation;
};

class Side {
 public:
  Side(Loop& loop, SideOptions options);

  void introduce(Side& other) { other_ = &other; }
  void start();         ///< gather
  void open_channel();  ///< what has been gathered may leave
  void run_machine();
  /// Lets the machine, and only the machine, believe that time has gone by.
  void advance(Duration span) { skipped_ += span; }

  // As Runner's host.
  void perform(ice::NegotiationOutput output, Instant now);

  [[nodiscard]] std::string_view state() const { return machine_.machine().state_name(); }
  [[nodiscard]] bool connected() const { return state() == "Connected"; }

  std::unique_ptr<adapters::IceAgent> agent;
  std::function<void()> on_pair;
  /// Changes or drops what leaves to the peer.
  std::function<bool(wire::IceMessage&)> filter;
  std::vector<wire::IceMessage> withheld;
  std::vector<wire::Candidate> local_candidates;
  std::vector<PathInfo> paths;
  std::vector<std::string> warnings;
  std::vector<std::string> story;  ///< names of what happened, in order
  std::optional<Error> failure;
  Bytes received;
  std::vector<std::size_t> train_sizes;  ///< datagrams of each train
  std::size_t deliveries = 0;
  bool writable = false;
  std::optional<Instant> credentials_at;
  std::optional<Instant> connected_at;

  void send_to_peer(const wire::IceMessage& message);
  void take_trains();

 private:
  Loop& loop_;
  Side* other_ = nullptr;
  Duration skipped_{};
  Runner<ice::Negotiation, Side> machine_;
  adapters::Wakeup turn_;
};

/// Two sides that know each other. By default on 127.0.0.1 alone.
struct Pair {
  explicit Pair(SideOptions a_options = on("127.0.0.1", true),
                SideOptions b_options = on("127.0.0.1", false));
  [[nodiscard]] static SideOptions on(const std::string& address, bool controlling);
  void start();
  void open_channels();
  [[nodiscard]] bool connect();
  [[nodiscard]] bool until(const std::function<bool()>& done) { return loop.until(done); }

  Loop loop;
  Side a;
  Side b;
};

}  // namespace peersock::testing
