#include "adapters/glib_host.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "adapters/clock.hpp"
#include "adapters/fd_channel.hpp"
#include "adapters/otr_smp.hpp"
#include "adapters/stdio_channel.hpp"

namespace peersock::adapters {

namespace {

MailboxLinkConfig link_config(const IceAgentConfig& ice) {
  MailboxLinkConfig config;
  config.proxies = ice.proxies;
  return config;
}

}  // namespace

Result<std::unique_ptr<GlibHost>> GlibHost::create(GMainContext* context, GlibHostConfig config,
                                                   GlibHostCallbacks callbacks) {
  auto rng = std::make_unique<SystemRng>();
  auto engine = make_quic_engine(config.engine, config.congestion, *rng);
  if (!engine) return tl::unexpected(engine.error());
  std::unique_ptr<GlibHost> host(new GlibHost(context, std::move(config), std::move(callbacks),
                                              std::move(rng), std::move(*engine)));
  if (auto error = host->bind()) return tl::unexpected(*error);
  return host;
}

GlibHost::GlibHost(GMainContext* context, GlibHostConfig config, GlibHostCallbacks callbacks,
                   std::unique_ptr<SystemRng> rng, std::unique_ptr<quic::Engine> engine)
    : context_(context),
      mode_(config.peer.mode),
      endpoint_(std::move(config.endpoint)),
      ice_config_(std::move(config.ice)),
      callbacks_(std::move(callbacks)),
      rng_(std::move(rng)),
      engine_(std::move(engine)),
      round_(context, [this] { run(); }),
      deadline_(context, [this] { run(); }),
      stdio_start_(context, [this] { start_standard_streams(); }),
      link_(context,
            {[this] {
               peer_->link_up();
               schedule();
             },
             [this](std::string frame) {
               peer_->frame_received(std::move(frame));
               schedule();
             },
             [this](std::string reason) {
               peer_->link_lost(std::move(reason));
               schedule();
             }},
            link_config(ice_config_)),
      bury_(context, [this] { retired_.clear(); }),
      network_(context, [this] {
        peer_->network_changed();
        schedule();
      }) {
  peer_ = std::make_unique<session::Peer>(std::move(config.peer), *this, *rng_);
  make_port_search(config.port_search);
}

GlibHost::~GlibHost() = default;

void GlibHost::set_trace(const TraceHook& hook) {
  peer_->set_trace(hook);
  if (port_search_) port_search_->set_trace(hook);
}

void GlibHost::start() {
  peer_->start();
  schedule();
}

void GlibHost::interrupt() {
  peer_->interrupt();
  schedule();
}

void GlibHost::run() {
  const Instant now = monotonic_now();
  peer_->process(now);
  if (const auto due = peer_->deadline()) {
    deadline_.after(std::max<Duration>(*due - now, Duration{0}));
  } else {
    deadline_.cancel();
  }
}

// ---- rendezvous -------------------------------------------------------------------------------

void GlibHost::open_link(const std::string& url) {
  link_.open(url);
}
void GlibHost::send_frame(std::string frame) {
  link_.send(frame);
}
void GlibHost::close_link() {
  link_.close();
}

// ---- ICE --------------------------------------------------------------------------------------

IceAgentCallbacks GlibHost::agent_callbacks(ice::Generation generation) {
  return {
      [this, generation](std::string ufrag, std::string password) {
        peer_->local_credentials(generation, std::move(ufrag), std::move(password));
        schedule();
      },
      [this, generation](wire::Candidate candidate) {
        peer_->local_candidate(generation, std::move(candidate));
        schedule();
      },
      [this, generation] {
        peer_->gathering_done(generation);
        schedule();
      },
      [this, generation](PathInfo path) {
        peer_->pair_selected(generation, std::move(path));
        schedule();
      },
      [this, generation] {
        peer_->agent_failed(generation);
        schedule();
      },
      [this, generation](ice::ChecksFinished seen) {
        peer_->checks_finished(generation, std::move(seen));
        schedule();
      },
      [this, generation] {
        if (generation == sending_) peer_->path_writable();
        schedule();
      },
      // What a server that does not answer is worth was said the first time.
      [this, generation](std::string warning) {
        if (generation == 0) callbacks_.event(event::Warning{std::move(warning)});
      },
  };
}

void GlibHost::start_agent(ice::Generation generation) {
  auto made =
      std::make_unique<IceAgent>(ice_config_.clone(), context_, agent_callbacks(generation));
  made->set_trains_handler(
      [this](std::span<const quic::DatagramTrain> trains) { receive(trains); });
  made->start_gathering();
  agents_[generation] = std::move(made);
}

void GlibHost::receive(std::span<const quic::DatagramTrain> trains) {
  const Instant now = monotonic_now();
  for (const auto& train : trains) peer_->datagrams_received(train, now);
  // At once: what arrived together is answered together, without another turn of the loop.
  run();
}

IceAgent* GlibHost::agent(ice::Generation generation) const {
  const auto found = agents_.find(generation);
  return found == agents_.end() ? nullptr : found->second.get();
}

void GlibHost::set_remote_credentials(ice::Generation generation, const std::string& ufrag,
                                      const std::string& password) {
  if (auto* found = agent(generation)) found->set_remote_credentials(ufrag, password);
}

void GlibHost::add_remote_candidates(ice::Generation generation,
                                     const std::vector<wire::Candidate>& candidates) {
  if (auto* found = agent(generation)) found->add_remote_candidates(candidates);
}

void GlibHost::end_remote_candidates(ice::Generation generation) {
  if (auto* found = agent(generation)) found->end_remote_candidates();
}

void GlibHost::use_agent(ice::Generation generation) {
  sending_ = generation;
}

void GlibHost::stop_agent(ice::Generation generation) {
  auto node = agents_.extract(generation);
  if (node.empty()) return;
  retired_.push_back(std::move(node.mapped()));
  bury_.soon();
}

quic::SendOutcome GlibHost::send_batch(const quic::DatagramTrain& train) {
  if (port_search_ && port_search_->has_path()) return port_search_->send_batch(train);
  auto* found = agent(sending_);
  return found != nullptr ? found->send_batch(train) : quic::SendOutcome::kError;
}

// ---- a port of an endpoint-dependent NAT ------------------------------------------------------

void GlibHost::make_port_search(bool wanted) {
  if (!wanted || ice_config_.relay != ice::RelayPolicy::kAuto) return;
  PortSearchSocketsConfig config;
  config.resolver = make_system_resolver(context_);
  if (ice_config_.stun) config.servers.push_back({ice_config_.stun->host, ice_config_.stun->port});
  for (const auto& turn : ice_config_.turn) config.servers.push_back({turn.host, turn.port});
  if (config.servers.empty()) return;
  port_search_ = std::make_unique<PortSearchSockets>(
      context_, *rng_, std::move(config),
      PortSearchCallbacks{
          [this](const wire::PortOffer& offer) {
            peer_->port_offer_made(offer);
            schedule();
          },
          [this](PathInfo path) {
            peer_->port_path_found(std::move(path), monotonic_now());
            schedule();
          },
          [this] {
            peer_->port_path_lost(monotonic_now());
            schedule();
          },
          [this](std::span<const quic::DatagramTrain> trains) { receive(trains); },
          [this] {
            peer_->path_writable();
            schedule();
          },
      });
}

void GlibHost::path_ready(const PathInfo& path) {
  if (port_search_) port_search_->path_changed(path.relayed);
}

void GlibHost::session_opened() {
  if (port_search_) port_search_->session_opened();
}

void GlibHost::port_offer_received(const wire::PortOffer& offer) {
  if (port_search_) port_search_->peer_offered(offer);
}

// ---- local endpoints --------------------------------------------------------------------------

std::optional<Error> GlibHost::bind() {
  ice_config_.resolver = make_system_resolver(context_);
  ice_config_.controlling = wire::is_opener(mode_);
  if (!endpoint_) return std::nullopt;
  if (mode_ == wire::Mode::kConnect) {
    connector_ = std::make_unique<LocalConnector>(
        context_, *endpoint_, ice_config_.resolver,
        [this](tunnel::ConnectionId connection, LocalConnector::Outcome outcome) {
          answer_target(connection, std::move(outcome));
        });
    return std::nullopt;
  }
  auto bound = LocalListener::bind(
      context_, *endpoint_,
      {[this](UniqueFd fd) { accepted(std::move(fd)); },
       [this](std::string warning) { callbacks_.event(event::Warning{std::move(warning)}); },
       [this](Error error) {
         peer_->local_failed(std::move(error));
         schedule();
       }});
  if (!bound) return bound.error();
  listener_ = std::move(*bound);
  return std::nullopt;
}

ReadyHandler GlibHost::ready_handler(std::shared_ptr<tunnel::ConnectionId> id) {
  return [this, id = std::move(id)](bool readable, bool writable) {
    peer_->local_ready(*id, readable, writable);
    schedule();
  };
}

void GlibHost::accepted(UniqueFd fd) {
  auto id = std::make_shared<tunnel::ConnectionId>(0);
  *id = peer_->local_accepted(
      std::make_unique<FdChannel>(context_, std::move(fd), ready_handler(id)));
  schedule();
}

void GlibHost::start_accepting() {
  if (!listener_) return open_standard_streams();
  listener_->start();
  if (std::exchange(listening_reported_, true)) return;
  for (const auto& address : listener_->addresses()) callbacks_.event(event::Listening{address});
}

void GlibHost::open_standard_streams() {
  if (std::exchange(stdio_used_, true)) return;
  // Not from inside this call: the peer is in the middle of its work.
  stdio_start_.soon();
}

void GlibHost::start_standard_streams() {
  auto id = std::make_shared<tunnel::ConnectionId>(stdio_connection_);
  auto channel =
      std::make_unique<StdioChannel>(context_, STDIN_FILENO, STDOUT_FILENO, ready_handler(id));
  if (wire::is_opener(mode_)) {
    *id = peer_->local_accepted(std::move(channel));
  } else {
    peer_->target_connected(stdio_connection_, std::move(channel));
  }
  schedule();
}

void GlibHost::pause_accepting() {
  if (listener_) listener_->pause();
}

void GlibHost::stop_accepting() {
  if (listener_) listener_->pause();
}

void GlibHost::connect_target(tunnel::ConnectionId connection) {
  if (connector_) return connector_->connect(connection);
  stdio_connection_ = connection;
  open_standard_streams();
}

void GlibHost::cancel_target(tunnel::ConnectionId connection) {
  if (connector_) connector_->cancel(connection);
}

void GlibHost::answer_target(tunnel::ConnectionId connection, LocalConnector::Outcome outcome) {
  if (outcome) {
    auto id = std::make_shared<tunnel::ConnectionId>(connection);
    peer_->target_connected(connection, std::make_unique<FdChannel>(context_, std::move(*outcome),
                                                                    ready_handler(std::move(id))));
  } else {
    peer_->target_failed(connection, outcome.error());
  }
  schedule();
}

// ---- the rest ---------------------------------------------------------------------------------

std::unique_ptr<auth::SmpEngine> GlibHost::make_smp_engine() {
  return make_otr_smp_engine();
}

void GlibHost::emit(Event event) {
  callbacks_.event(event);
}
void GlibHost::ended(ExitCode exit_code) {
  callbacks_.ended(exit_code);
}

}  // namespace peersock::adapters
