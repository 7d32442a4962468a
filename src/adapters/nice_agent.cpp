#include "adapters/nice_agent.hpp"

#include <deque>
#include <utility>

#include <nice/agent.h>

#include "adapters/chosen_path.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/interfaces.hpp"
#include "adapters/nice_candidate.hpp"
#include "adapters/nice_closing.hpp"
#include "adapters/nice_gathering.hpp"
#include "adapters/nice_offers.hpp"
#include "adapters/nice_patience.hpp"
#include "adapters/nice_setup.hpp"
#include "adapters/nice_storm.hpp"
#include "adapters/tcp_paths.hpp"
#include "adapters/train_collector.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class IceAgent::Impl : public std::enable_shared_from_this<IceAgent::Impl> {
 public:
  Impl(IceAgentConfig config, GMainContext* context, IceAgentCallbacks callbacks)
      : callbacks_(std::move(callbacks)),
        context_(context),
        agent_(make_nice_agent(config, context)),
        stream_(nice_agent_add_stream(agent_.get(), kNiceComponent)),
        offers_(agent_.get(), stream_),
        storm_(agent_.get(), stream_, context),
        patience_(agent_.get(), context, kNicePacing),
        outbox_(context, [this] { on_outbox(); }),
        chosen_(agent_.get(), stream_, context, config.path,
                {[this] { queue([this] { callbacks_.writable(); }); },
                 [this](std::span<const quic::DatagramTrain> trains) { take(trains); },
                 [this] { queue([this] { report_path(); }); }}),
        relay_only_(config.relay == ice::RelayPolicy::kOnly),
        interfaces_(config.interfaces),
        tcp_(make_tcp(config)),
        gathering_(std::move(config), agent_.get(), stream_, context,
                   {[this] { offers_.begin(); },
                    [this] { queue([this] { callbacks_.gathering_done(); }); },
                    [this](std::string sentence) { warn(std::move(sentence)); }}) {
    connect_signals();
    nice_agent_attach_recv(agent_.get(), stream_, kNiceComponent, context, &on_receive, this);
  }

  ~Impl() {
    for (const gulong id : signals_) g_signal_handler_disconnect(agent_.get(), id);
    // libnice spaces the requests that give allocations back by Ta.
    patience_.on_decided();
    // libnice spins on a socket that nobody reads.
    nice_agent_attach_recv(agent_.get(), stream_, kNiceComponent, context_, &ignore_datagram,
                           nullptr);
    close_nice_agent(std::move(agent_), stream_, context_, gathering_.take_way());
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  /// The owner has gone; a call of one of its functions may be in progress.
  void abandon() { abandoned_ = true; }

  void start_gathering() {
    if (std::exchange(started_, true)) return;
    gchar* ufrag = nullptr;
    gchar* password = nullptr;
    nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &password);
    const GCharPtr held_ufrag(ufrag), held_password(password);
    queue([this, u = std::string(ufrag), p = std::string(password)]() mutable {
      callbacks_.local_credentials(std::move(u), std::move(p));
    });
    if (tcp_) {
      tcp_->set_local_credentials(ufrag, password);
      // Before the gathering that may be over at once: no candidate follows its end.
      const auto all = interfaces_ ? *interfaces_ : list_interfaces();
      tcp_->offer(ice::choose_local_interfaces(all));
    }
    gathering_.start();
  }

  void set_remote_credentials(const std::string& ufrag, const std::string& password) {
    start_gathering();
    offers_.set_credentials(ufrag, password);
    if (tcp_) tcp_->set_remote_credentials(ufrag, password);
    patience_.on_credentials();
  }

  void add_remote_candidates(const std::vector<wire::Candidate>& candidates) {
    offers_.add(candidates);
    if (!tcp_) return;
    tcp_->add_remote_candidates(candidates);
    // What looked direct may be the peer's relay, as is told only now.
    report_path();
  }

  void end_remote_candidates() {
    offers_.end();
    peer_ended_ = true;
    if (tcp_) report_path();
  }

  void set_trains_handler(quic::TrainsHandler handler) {
    trains_handler_ = std::move(handler);
    if (!arrived_.empty()) outbox_.soon();
  }

  quic::SendOutcome send_batch(const quic::DatagramTrain& train) {
    if (over_tcp_) return tcp_->send(train);
    return connected_ ? chosen_.send(train) : quic::SendOutcome::kError;
  }

  [[nodiscard]] IceAgentStatistics statistics() const {
    IceAgentStatistics result = statistics_;
    const auto count = [&result](const SendStatistics& sent) {
      result.datagrams_sent += sent.datagrams;
      result.send_calls += sent.calls;
      result.would_block += sent.would_block;
      result.send_losses += sent.lost;
    };
    count(chosen_.statistics());
    if (tcp_) count(tcp_->statistics());
    return result;
  }

 private:
  void connect_signals() {
    const auto connect = [this](const char* name, GCallback handler) {
      signals_.push_back(g_signal_connect(agent_.get(), name, handler, this));
    };
    connect("new-candidate-full", G_CALLBACK(&on_new_candidate));
    connect("candidate-gathering-done", G_CALLBACK(&on_gathering_done));
    connect("new-selected-pair-full", G_CALLBACK(&on_selected_pair));
    connect("component-state-changed", G_CALLBACK(&on_state_changed));
    connect("initial-binding-request-received", G_CALLBACK(&on_peers_check));
  }

  static void on_new_candidate(::NiceAgent*, ::NiceCandidate* candidate, gpointer data) noexcept {
    auto* self = static_cast<Impl*>(data);
    self->gathering_.on_candidate(candidate->type);
    self->queue([self, made = from_nice(*candidate)] { self->callbacks_.local_candidate(made); });
  }

  static void on_gathering_done(::NiceAgent*, guint, gpointer data) noexcept {
    static_cast<Impl*>(data)->gathering_.on_nice_done();
  }

  static void on_selected_pair(::NiceAgent*, guint, guint, ::NiceCandidate*, ::NiceCandidate*,
                               gpointer data) noexcept {
    static_cast<Impl*>(data)->report_path();
  }

  static void on_peers_check(::NiceAgent*, guint, gpointer data) noexcept {
    static_cast<Impl*>(data)->patience_.on_peers_check();
  }

  static void on_state_changed(::NiceAgent*, guint, guint, guint raw_state,
                               gpointer data) noexcept {
    auto* self = static_cast<Impl*>(data);
    const auto state = static_cast<NiceComponentState>(raw_state);
    self->connected_ = carries_data(state);
    self->failure_ = state == NICE_COMPONENT_STATE_FAILED;
    if (self->connected_) {
      self->report_path();
      const bool relayed = self->path_ && self->path_->relayed;
      if (state == NICE_COMPONENT_STATE_READY || !relayed) self->patience_.on_decided();
      if (state == NICE_COMPONENT_STATE_READY) {
        self->queue(
            [self, seen = self->offers_.seen()] { self->callbacks_.checks_finished(seen); });
        self->look_for_a_direct_path();
        self->storm_.watch();
      }
      return;
    }
    self->storm_.stop();
    self->chosen_.leave();
    if (self->failure_) self->patience_.on_decided();
    self->report_path();
  }

  static void on_receive(::NiceAgent*, guint, guint, guint length, gchar* octets,
                         gpointer data) noexcept {
    static_cast<Impl*>(data)->receive({reinterpret_cast<const std::uint8_t*>(octets), length});
  }

  static void ignore_datagram(::NiceAgent*, guint, guint, guint, gchar*, gpointer) noexcept {}

  void receive(ByteView datagram) {
    const auto alive = shared_from_this();
    ++statistics_.datagrams_received;
    chosen_.arrived_through_libnice();
    if (!arrived_.add(datagram)) {
      flush();
      if (abandoned_) return;
      if (!arrived_.add(datagram)) ++statistics_.datagrams_dropped;
      pause_reading();
    }
    outbox_.soon();
  }

  /// libnice reads until the socket is empty, under load for ever: timers, its own consent checks
  /// and all other descriptors would wait. Without a callback it goes back to the loop.
  void pause_reading() {
    paused_ = true;
    nice_agent_attach_recv(agent_.get(), stream_, kNiceComponent, context_, nullptr, nullptr);
    outbox_.soon();
  }

  void on_outbox() {
    if (std::exchange(paused_, false)) {
      nice_agent_attach_recv(agent_.get(), stream_, kNiceComponent, context_, &on_receive, this);
    }
    flush();
  }

  /// What the socket beside libnice's has read.
  void take(std::span<const quic::DatagramTrain> trains) {
    const auto alive = shared_from_this();
    // In the order of arrival, and the owner learns of the pair before it hears of its datagrams.
    flush();
    if (abandoned_) return;
    for (const auto& train : trains) statistics_.datagrams_received += datagrams_in(train);
    if (trains_handler_ && !delivering_) return deliver(trains);
    for (const auto& train : trains) {
      quic::for_each_datagram(train, [this](ByteView datagram) {
        if (!arrived_.add(datagram)) ++statistics_.datagrams_dropped;
      });
    }
  }

  void deliver(std::span<const quic::DatagramTrain> trains) {
    delivering_ = true;
    ++statistics_.deliveries;
    trains_handler_(trains);
    delivering_ = false;
  }

  /// A direct path over UDP, else one over TCP, else through a relay.
  void report_path() {
    auto path = path_of_libnice();
    const bool direct = path && !path->relayed;
    if (tcp_) tcp_->set_direct(direct);
    // An address that the peer has not named may be its relay's: nothing to leave a connection for.
    const bool doubtful = direct && path->remote_type == "prflx" && !peer_ended_;
    const bool wanted = tcp_ && (!direct || (over_tcp_ && doubtful));
    const auto over_tcp = wanted ? tcp_->path() : std::nullopt;
    const bool was_over_tcp = std::exchange(over_tcp_, over_tcp.has_value());
    // Who waits for the one waits for nothing when the other has its place.
    if (was_over_tcp != over_tcp_) queue([this] { callbacks_.writable(); });
    if (over_tcp) path = over_tcp;
    if (!path) {
      // libnice tells of its own pairs' end; a connection's end is this.
      if (was_over_tcp) queue([this] { callbacks_.failed(); });
      path_.reset();
      return report_failure();
    }
    if (path_ == path) return;
    path_ = path;
    if (!over_tcp) storm_.watch();
    queue([this, reported = *path] { callbacks_.pair_selected(reported); });
  }

  /// Once libnice has no pair left, unless TCP still tries.
  void report_failure() {
    if (!failure_ || (tcp_ && tcp_->searching())) return;
    failure_ = false;
    queue([this] { callbacks_.failed(); });
  }

  std::optional<PathInfo> path_of_libnice() {
    ::NiceCandidate* local = nullptr;
    ::NiceCandidate* remote = nullptr;
    if (!connected_ ||
        !nice_agent_get_selected_pair(agent_.get(), stream_, kNiceComponent, &local, &remote)) {
      return std::nullopt;
    }
    chosen_.follow(*local, *remote);
    PathInfo path = path_of(*local, *remote);
    path.split = chosen_.split();
    const wire::CandidateType remote_type = offers_.type_of(*remote);
    path.remote_type = wire::to_string(remote_type);
    path.relayed = path.relayed || remote_type == wire::CandidateType::kRelayed;
    path.relay_transport = gathering_.relay_transport_of(*local);
    return path;
  }

  std::unique_ptr<TcpPaths> make_tcp(const IceAgentConfig& config) {
    // Nothing relays TCP.
    if (config.relay == ice::RelayPolicy::kOnly) return nullptr;
    return std::make_unique<TcpPaths>(
        context_, TcpPathsConfig{config.controlling, config.tcp_anywhere},
        TcpPathsCallbacks{[this](wire::Candidate candidate) {
                            queue([this, made = std::move(candidate)] {
                              callbacks_.local_candidate(made);
                            });
                          },
                          [this] { report_path(); },
                          [this](std::span<const quic::DatagramTrain> trains) { take(trains); },
                          [this] { queue([this] { callbacks_.writable(); }); }});
  }

  /// libnice has no more pairs to check, and the best one goes through a relay.
  void look_for_a_direct_path() {
    if (!path_ || !path_->relayed || relay_only_) return;
    queue([this] { offers_.repeat_direct(); });
  }

  void warn(std::string sentence) {
    queue([this, text = std::move(sentence)] { callbacks_.warning(text); });
  }

  /// The owner is never called from inside one of its own calls.
  void queue(std::function<void()> call) {
    calls_.push_back(std::move(call));
    outbox_.soon();
  }

  void flush() {
    const auto alive = shared_from_this();
    while (!calls_.empty() && !abandoned_) {
      const auto call = std::move(calls_.front());
      calls_.pop_front();
      call();
    }
    if (abandoned_ || arrived_.empty() || !trains_handler_ || delivering_) return;
    deliver(arrived_.trains());
    arrived_.clear();
  }

  IceAgentCallbacks callbacks_;
  quic::TrainsHandler trains_handler_;
  GMainContext* context_;
  GObjectPtr<::NiceAgent> agent_;
  guint stream_;
  std::vector<gulong> signals_;
  std::deque<std::function<void()>> calls_;
  TrainCollector arrived_;
  NiceOffers offers_;
  NiceStorm storm_;
  NicePatience patience_;
  Wakeup outbox_;
  ChosenPath chosen_;
  bool relay_only_;
  std::optional<std::vector<ice::LocalInterface>> interfaces_;
  std::unique_ptr<TcpPaths> tcp_;  ///< none when only relays are allowed
  NiceGathering gathering_;
  std::optional<PathInfo> path_;
  IceAgentStatistics statistics_;
  bool started_ = false;
  bool paused_ = false;
  bool connected_ = false;  ///< libnice has a pair
  bool failure_ = false;    ///< it has none left, which is not yet told
  bool over_tcp_ = false;
  bool peer_ended_ = false;  ///< it has named all of its addresses
  bool delivering_ = false;
  bool abandoned_ = false;
};

// ---- the public face ----------------------------------------------------------------------------

IceAgent::IceAgent(IceAgentConfig config, GMainContext* context, IceAgentCallbacks callbacks)
    : impl_(std::make_shared<Impl>(std::move(config), context, std::move(callbacks))) {}

IceAgent::~IceAgent() {
  impl_->abandon();
}

void IceAgent::set_trains_handler(quic::TrainsHandler handler) {
  impl_->set_trains_handler(std::move(handler));
}

void IceAgent::start_gathering() {
  impl_->start_gathering();
}

void IceAgent::set_remote_credentials(const std::string& ufrag, const std::string& password) {
  impl_->set_remote_credentials(ufrag, password);
}

void IceAgent::add_remote_candidates(const std::vector<wire::Candidate>& candidates) {
  impl_->add_remote_candidates(candidates);
}

void IceAgent::end_remote_candidates() {
  impl_->end_remote_candidates();
}

quic::SendOutcome IceAgent::send_batch(const quic::DatagramTrain& train) {
  return impl_->send_batch(train);
}

IceAgentStatistics IceAgent::statistics() const {
  return impl_->statistics();
}

}  // namespace peersock::adapters
