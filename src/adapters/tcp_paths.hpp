// Paths over TCP beside libnice's agent: candidates of RFC 6544, for networks that let no UDP
// through. docs/spec/ice.md, TCP.
//
// libnice 0.1.21 has ICE-TCP of its own, which is of no use here: it keeps one buffer for the
// frames of all connections of a component, so that two octets of a stranger, or half a frame on a
// second connection, garble the path in use for good.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glib.h>

#include "adapters/entropy.hpp"
#include "adapters/nice_sender.hpp"
#include "adapters/tcp_connection.hpp"
#include "adapters/train_collector.hpp"
#include "adapters/wakeup.hpp"
#include "core/event.hpp"
#include "core/time.hpp"
#include "ice/policy.hpp"
#include "wire/ice_message.hpp"
#include "wire/stun.hpp"

namespace peersock::adapters {

/// From the peer's credentials to the first connection: UDP is better, and seldom takes as long.
inline constexpr Duration kTcpHeadStart = 200ms;
/// From then to the end of the search, and between two attempts to connect to one candidate.
inline constexpr Duration kTcpSearch = 10s;
inline constexpr Duration kTcpRetry = 500ms;
/// How long a connection has to show that the peer is at its other end.
inline constexpr Duration kTcpProofLimit = 5s;
/// Connections of whom nothing is known, and of the peer's; of the first the oldest goes, more of
/// the others are refused.
inline constexpr std::size_t kMaxTcpStrangers = 8;
inline constexpr std::size_t kMaxTcpOfPeer = 4;

struct TcpPathsConfig {
  bool controlling = false;
  /// Private addresses as well, ours and the peer's (choose_tcp_interfaces).
  bool anywhere = false;
};

/// They run from the main context, never from inside a call, `candidate` and `writable` apart.
struct TcpPathsCallbacks {
  std::function<void(wire::Candidate)> candidate;
  /// `path` or `searching` is another.
  std::function<void()> changed;
  /// May destroy the paths.
  quic::TrainsHandler arrived;
  /// `send` may be tried again after kWouldBlock.
  std::function<void()> writable;
};

class TcpPaths {
 public:
  TcpPaths(GMainContext* context, TcpPathsConfig config, TcpPathsCallbacks callbacks);
  ~TcpPaths();
  TcpPaths(const TcpPaths&) = delete;
  TcpPaths& operator=(const TcpPaths&) = delete;
  TcpPaths(TcpPaths&&) = delete;
  TcpPaths& operator=(TcpPaths&&) = delete;

  /// Reserves a port on those of `chosen` (choose_local_interfaces') that may let the peer in, and
  /// tells the candidates. Nobody can connect before the search.
  void offer(const std::vector<ice::LocalInterface>& chosen);
  void set_local_credentials(const std::string& ufrag, const std::string& password);
  /// The search begins kTcpHeadStart later, unless there is a direct path by then.
  void set_remote_credentials(const std::string& ufrag, const std::string& password);
  /// Those that are not for TCP are skipped.
  void add_remote_candidates(const std::vector<wire::Candidate>& candidates);
  /// Whether UDP has a direct path: there is nothing to be searched for as long as it has.
  void set_direct(bool direct);

  [[nodiscard]] std::optional<PathInfo> path() const;
  /// More may come.
  [[nodiscard]] bool searching() const;
  /// Over `path`; kError while there is none.
  [[nodiscard]] quic::SendOutcome send(const quic::DatagramTrain& train);
  [[nodiscard]] const SendStatistics& statistics() const { return statistics_; }

 private:
  struct Listener;
  struct Target;
  struct Link;
  enum class Stage : std::uint8_t;

  void step();
  void search(Instant now);
  void pause();
  void end_search();
  void arm(Instant now);

  void listen(Listener& listener);
  void accept(Listener& listener);
  void accepted(UniqueFd fd, const SocketAddress& remote);
  void connect(Target& target, Instant now);
  [[nodiscard]] Link& add_link(Stage stage, Instant now);
  void close(Link& link);

  void on_ready(Link& link, bool readable, bool writable);
  void read(Link& link);
  [[nodiscard]] bool take(Link& link, ByteView frame);
  void deliver();
  [[nodiscard]] bool take_check(Link& link, ByteView message);
  void send_check(Link& link, bool nominates);
  void choose(Link& link);

  [[nodiscard]] static bool is_provisional(Stage stage);
  [[nodiscard]] std::size_t count(Stage stage) const;
  [[nodiscard]] Link* best() const;

  GMainContext* context_;
  TcpPathsConfig config_;
  TcpPathsCallbacks callbacks_;
  SystemRng rng_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::list<std::unique_ptr<Link>> links_;  ///< oldest first
  std::optional<wire::CheckKey> own_key_;
  std::optional<wire::CheckKey> peer_key_;
  std::optional<Instant> begins_;  ///< the search, once the peer's credentials are known
  bool over_ = false;              ///< the search has ended
  bool direct_ = false;
  TrainCollector trains_;
  SendStatistics statistics_;
  Wakeup step_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace peersock::adapters
