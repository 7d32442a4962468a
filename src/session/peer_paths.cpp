// The path under the connection: one negotiation a generation of ICE, and which one is in use.
#include <utility>

#include "session/peer_impl.hpp"

namespace peersock::session {

/// What waits for us on a link that is dead without our knowledge is not given up meanwhile.
static_assert(wormhole::kMeetingPingInterval + wormhole::kPingPatience +
                  wormhole::kFirstReconnectDelay <
              ice::kPathTimeout);

void Peer::Impl::post(ice::Generation generation, ice::NegotiationInput input) {
  const auto found = searches_.find(generation);
  if (found != searches_.end()) found->second->runner.post(std::move(input));
}

void Peer::Impl::start_search(ice::Generation generation) {
  ice::NegotiationConfig config = config_.ice;
  config.generation = generation;
  if (generation > 0) config.path_timeout = ice::kRestartTimeout;
  auto& search = searches_[generation];
  search = std::make_unique<Search>(generation, config, *this);
  search->runner.set_trace(trace_);
  // The key of a restart has long been agreed.
  if (generation > 0) search->runner.post(ice::ChannelOpened{});
  host_.start_agent(generation);
}

bool Peer::Impl::step_searches(Instant now) {
  for (const auto& [generation, search] : searches_) {
    if (search->runner.step(now)) return true;
  }
  return false;
}

void Peer::Impl::wake_restarts(Instant now) {
  const auto due = restarts.deadline();
  if (!due || *due > now) return;
  if (transport.connection() != nullptr) {
    if (const auto heard = transport.connection()->statistics().last_heard) {
      restarts.post(ice::PeerHeard{*heard});
    }
  }
  restarts.post(DeadlineReached{});
}

void Peer::Impl::message_received(std::string json) {
  const ice::Generation generation = wire::generation_of(json).value_or(0);
  restarts.post(ice::MessageReceived{generation, std::move(json)});
}

/// A restart goes both ways: the rendezvous server may be as unreachable as the path.
void Peer::Impl::send_ice_message(ice::Generation generation, const std::string& json) {
  wormhole.post(wormhole::PayloadQueued{to_bytes(json)});
  if (generation > 0 && tunnel && json.size() <= wire::kMaxIceBody) {
    transport.send_control(wire::control::Ice{json});
  }
}

void Peer::Impl::perform(ice::Generation generation, ice::NegotiationOutput output) {
  std::visit(Overloaded{
                 [&](ice::SendPeerMessage& o) { send_ice_message(generation, o.json); },
                 [&](ice::SetRemoteCredentials& o) {
                   host_.set_remote_credentials(generation, o.ufrag, o.password);
                   if (generation > 0) return;
                   session.post(PathSought{});
                   restarts.post(ice::ChecksBegan{});
                 },
                 [&](ice::AddRemoteCandidates& o) {
                   host_.add_remote_candidates(generation, o.candidates);
                 },
                 [&](ice::EndRemoteCandidates&) { host_.end_remote_candidates(generation); },
                 [&](ice::PathReady& o) {
                   restarts.post(ice::SearchSucceeded{generation, std::move(o.path)});
                 },
                 [&](ice::PathBroken&) { restarts.post(ice::SearchBroke{generation}); },
                 [&](ice::Warned& o) { session.post(StageWarned{std::move(o.message)}); },
                 [&](ice::Failed& o) {
                   restarts.post(ice::SearchFailed{generation, std::move(o.error)});
                 },
             },
             output);
}

void Peer::Impl::perform(ice::RestartsOutput output, Instant now) {
  std::visit(
      Overloaded{
          [&](ice::StartSearch& o) { start_search(o.generation); },
          [&](ice::DropSearch& o) {
            searches_.erase(o.generation);
            host_.stop_agent(o.generation);
          },
          [&](ice::HandOn& o) { post(o.generation, ice::PeerMessageReceived{std::move(o.json)}); },
          [&](ice::UsePath& o) { use_path(std::move(o), now); },
          [&](ice::AskPeer& o) {
            transport.send_control(wire::control::Ping{});
            if (o.again) transport.path_doubted(now);
          },
          [&](ice::DoubtRendezvous& o) { wormhole.post(wormhole::LinkDoubted{o.moved}); },
          [&](ice::TellRestart& o) { session.post(PathRestarted{o.reason}); },
          [&](ice::PathLost&) {
            ice_path_.reset();
            if (!port_path_) session.post(PathBroken{});
          },
          [&](ice::NoPath& o) { session.post(PathFailed{std::move(o.error)}); },
          [&](ice::PeerSilent& o) { session.post(PeerSilent{std::move(o.error)}); },
      },
      output);
}

void Peer::Impl::use_path(ice::UsePath use, Instant now) {
  host_.use_agent(use.generation);
  host_.path_ready(use.path);
  if (use.replaces) transport.path_replaced(now);
  ice_path_ = std::move(use.path);
  // A path that a search for a port has found tells itself when it is no good any more.
  if (!port_path_) take_path(*ice_path_, now);
}

void Peer::Impl::take_path(PathInfo path, Instant now) {
  path_ = path;
  // Where datagrams may be fragmented on their way, large ones only seem to fit; and a relay adds
  // octets of its own.
  const bool whole = path.split && !path.relayed;
  transport.set_datagram_limit(whole ? quic::kMaxDatagramLimit : quic::kMinDatagramLimit, now);
  session.post(PathReady{std::move(path)});
}

void Peer::Impl::port_offer_made(const wire::PortOffer& offer) {
  if (tunnel) transport.send_control(wire::control::PortOffer{offer});
}

void Peer::Impl::port_path_found(PathInfo path, Instant now) {
  port_path_ = true;
  take_path(std::move(path), now);
  // What waited for the other path can leave on this one.
  transport.path_writable();
}

void Peer::Impl::port_path_lost(Instant now) {
  port_path_ = false;
  transport.path_replaced(now);
  if (ice_path_) {
    take_path(*ice_path_, now);
  } else {
    session.post(PathBroken{});
  }
}

}  // namespace peersock::session
