// A session::Host whose mailbox, ICE agent, network and local programs are virtual. QUIC and SMP
// are the real engines, handed in.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "session/peer.hpp"
#include "support/virtual_mailbox.hpp"
#include "support/virtual_world.hpp"

namespace peersock::testing {

class VirtualHost;

/// A local program at the other end of a channel: what it wrote, and what it has read.
struct LocalProgram {
  Bytes to_send;  ///< octets that it will write as they are taken
  std::size_t sent = 0;
  bool finish_after_sending = true;
  bool reset_now = false;  ///< its next read on our side fails
  bool reads = true;       ///< false: it stops reading, so that we must hold back
  Bytes received;
  bool saw_end = false;
  bool saw_reset = false;
  bool closed = false;                     ///< our side let go of the channel
  std::optional<std::string> write_error;  ///< every write of ours fails with this
};

/// Carries datagrams between two hosts, for good or ill.
class VirtualPath {
 public:
  VirtualPath(VirtualWorld& world, LinkProfile link) : world_(world), link_(link) {}

  void join(VirtualHost& a, VirtualHost& b);
  quic::SendOutcome send(const VirtualHost& from, ice::Generation generation,
                         const quic::DatagramTrain& train);
  /// What the agents will report: datagrams are carried whole or not at all.
  void set_split() { split_ = true; }
  /// The system refuses datagrams of more octets.
  void narrow(std::size_t octets) { narrow_ = octets; }
  /// Nothing gets through any more.
  void cut() { cut_ = true; }
  void restore() { cut_ = false; }
  /// The paths that were found so far carry nothing any more; those found from now on do.
  void break_found() { working_from_ = latest_ + 1; }
  /// Sees every datagram; returns false to keep it from being delivered.
  using Intercept = std::function<bool(const VirtualHost& from, ByteView datagram)>;
  void intercept(Intercept fn) { intercept_ = std::move(fn); }
  void inject(VirtualHost& to, Bytes datagram);

  /// Both agents of this generation know each other: connectivity appears.
  void negotiate(ice::Generation generation);
  /// Agents of generations below this one find nothing.
  void forbid_connectivity(ice::Generation below = std::numeric_limits<ice::Generation>::max()) {
    forbidden_below_ = below;
  }

 private:
  VirtualWorld& world_;
  LinkProfile link_;
  VirtualHost* a_ = nullptr;
  VirtualHost* b_ = nullptr;
  bool split_ = false;
  std::size_t narrow_ = 65'535;
  bool cut_ = false;
  ice::Generation forbidden_below_ = 0;
  std::set<ice::Generation> found_;
  ice::Generation latest_ = 0;
  ice::Generation working_from_ = 0;
  Intercept intercept_;
};

struct VirtualHostConfig {
  std::string name;
  session::PeerConfig peer;
  std::function<std::unique_ptr<quic::Engine>()> make_engine;
  std::function<std::unique_ptr<auth::SmpEngine>()> make_smp;
  /// The target of connections; nothing: refused.
  std::function<std::shared_ptr<LocalProgram>()> target;
};

class VirtualHost final : public session::Host {
 public:
  VirtualHost(VirtualWorld& world, VirtualMailbox& mailbox, VirtualPath& path,
              VirtualHostConfig config);
  ~VirtualHost() override;
  VirtualHost(const VirtualHost&) = delete;
  VirtualHost& operator=(const VirtualHost&) = delete;
  VirtualHost(VirtualHost&&) = delete;
  VirtualHost& operator=(VirtualHost&&) = delete;

  void start();
  void interrupt();
  /// A local program connects, as soon as the host accepts connections.
  void connect_locally(std::shared_ptr<LocalProgram> program);
  /// The process dies: no goodbye, nothing more is handled.
  void kill();

  [[nodiscard]] session::Peer& peer() { return *peer_; }
  [[nodiscard]] std::optional<ExitCode> exit_code() const { return exit_code_; }
  [[nodiscard]] const std::string& name() const { return config_.name; }
  [[nodiscard]] bool accepting() const { return accepting_; }
  [[nodiscard]] std::optional<std::string> code() const { return code_; }
  [[nodiscard]] std::optional<Error> error() const { return error_; }
  /// Event names in order, e.g. "code_made authenticated ended".
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }
  [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }
  [[nodiscard]] bool saw(std::string_view event) const;
  [[nodiscard]] std::optional<Instant> authenticated_at() const { return authenticated_at_; }

  [[nodiscard]] bool session_is_open() const { return session_opened_; }
  [[nodiscard]] const std::vector<PathInfo>& ice_paths() const { return ice_paths_; }
  [[nodiscard]] const std::vector<wire::PortOffer>& port_offers() const { return offers_; }

  void deliver(const quic::DatagramTrain& train);
  [[nodiscard]] bool agent_ready(ice::Generation generation) const;
  [[nodiscard]] bool controlling() const { return controlling_; }
  void agent_connected(ice::Generation generation, PathInfo path);
  /// The agent in use has failed.
  void agent_broke();
  void change_network();
  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  [[nodiscard]] ice::Generation generation() const { return sending_; }
  /// Looks at every program again and runs the peer.
  void wake();

  void open_link(const std::string& url) override;
  void send_frame(std::string frame) override;
  void close_link() override;
  void start_agent(ice::Generation generation) override;
  void set_remote_credentials(ice::Generation generation, const std::string& ufrag,
                              const std::string& password) override;
  void add_remote_candidates(ice::Generation generation,
                             const std::vector<wire::Candidate>& candidates) override;
  void end_remote_candidates(ice::Generation /*generation*/) override {}
  void use_agent(ice::Generation generation) override { sending_ = generation; }
  void stop_agent(ice::Generation generation) override { agents_.erase(generation); }
  void path_ready(const PathInfo& path) override { ice_paths_.push_back(path); }
  void session_opened() override { session_opened_ = true; }
  void port_offer_received(const wire::PortOffer& offer) override { offers_.push_back(offer); }
  quic::SendOutcome send_batch(const quic::DatagramTrain& train) override;
  quic::Engine& engine() override { return *engine_; }
  std::unique_ptr<auth::SmpEngine> make_smp_engine() override { return config_.make_smp(); }
  void start_accepting() override;
  void pause_accepting() override { accepting_ = false; }
  void stop_accepting() override { accepting_ = false; }
  void connect_target(tunnel::ConnectionId connection) override;
  void cancel_target(tunnel::ConnectionId connection) override;
  void emit(Event event) override;
  void ended(ExitCode exit_code) override;

 private:
  class Channel;
  struct Open {
    tunnel::ConnectionId id = 0;
    Channel* channel = nullptr;
  };

  void schedule();
  void arm();
  void run();
  void serve_programs();
  void accept_waiting();

  VirtualWorld& world_;
  VirtualMailbox& mailbox_;
  VirtualPath& path_;
  VirtualHostConfig config_;
  bool controlling_;
  std::unique_ptr<quic::Engine> engine_;
  SeededRng rng_;
  std::unique_ptr<session::Peer> peer_;
  std::optional<wormhole::ConnectionId> link_;
  bool dead_ = false;
  bool scheduled_ = false;
  std::optional<Instant> armed_;
  bool accepting_ = false;
  struct Agent {
    bool has_credentials = false;
    bool ready = false;
    bool connected = false;
  };
  std::map<ice::Generation, Agent> agents_;
  ice::Generation sending_ = 0;
  bool session_opened_ = false;
  std::vector<PathInfo> ice_paths_;
  std::vector<wire::PortOffer> offers_;
  std::deque<std::shared_ptr<LocalProgram>> waiting_;
  std::vector<Open> open_;
  std::optional<ExitCode> exit_code_;
  std::optional<std::string> code_;
  std::optional<Error> error_;
  std::optional<Instant> authenticated_at_;
  std::vector<std::string> events_;
  std::vector<std::string> trace_;
};

}  // namespace peersock::testing
