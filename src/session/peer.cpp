#include "session/peer.hpp"

#include "session/peer_impl.hpp"

namespace peersock::session {

Peer::Peer(PeerConfig config, Host& host, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(config), host, rng)) {}
Peer::~Peer() = default;

void Peer::set_trace(const TraceHook& hook) {
  impl_->set_trace(hook);
}
void Peer::start() {
  impl_->start();
}
void Peer::interrupt() {
  impl_->session.post(InterruptRequested{});
}

void Peer::link_up() {
  impl_->wormhole.post(wormhole::LinkUp{});
}
void Peer::link_lost(std::string reason) {
  impl_->wormhole.post(wormhole::LinkLost{std::move(reason)});
}
void Peer::frame_received(std::string frame) {
  impl_->wormhole.post(wormhole::FrameReceived{std::move(frame)});
}

void Peer::local_credentials(ice::Generation generation, std::string ufrag, std::string password) {
  impl_->post(generation, ice::LocalCredentialsMade{std::move(ufrag), std::move(password)});
}
void Peer::local_candidate(ice::Generation generation, wire::Candidate candidate) {
  impl_->post(generation, ice::LocalCandidateFound{std::move(candidate)});
}
void Peer::gathering_done(ice::Generation generation) {
  impl_->post(generation, ice::LocalGatheringDone{});
}
void Peer::pair_selected(ice::Generation generation, PathInfo path) {
  impl_->post(generation, ice::PairSelected{std::move(path)});
}
void Peer::agent_failed(ice::Generation generation) {
  impl_->post(generation, ice::AgentFailed{});
}
void Peer::network_changed() {
  impl_->restarts.post(ice::NetworkChanged{});
}
void Peer::checks_finished(ice::Generation generation, ice::ChecksFinished seen) {
  impl_->post(generation, std::move(seen));
}

void Peer::port_offer_made(const wire::PortOffer& offer) {
  impl_->port_offer_made(offer);
}
void Peer::port_path_found(PathInfo path, Instant now) {
  impl_->port_path_found(std::move(path), now);
}
void Peer::port_path_lost(Instant now) {
  impl_->port_path_lost(now);
}

void Peer::datagrams_received(const quic::DatagramTrain& train, Instant now) {
  impl_->transport.receive(train, now);
}
void Peer::path_writable() {
  impl_->transport.path_writable();
}

tunnel::ConnectionId Peer::local_accepted(std::unique_ptr<tunnel::LocalChannel> channel) {
  if (!impl_->tunnel) return 0;
  return impl_->tunnel->local_accepted(std::move(channel));
}
void Peer::target_connected(tunnel::ConnectionId connection,
                            std::unique_ptr<tunnel::LocalChannel> channel) {
  if (impl_->tunnel) impl_->tunnel->target_connected(connection, std::move(channel));
}
void Peer::target_failed(tunnel::ConnectionId connection, const tunnel::TargetFailure& failure) {
  if (impl_->tunnel) impl_->tunnel->target_failed(connection, failure);
}
void Peer::local_ready(tunnel::ConnectionId connection, bool readable, bool writable) {
  if (impl_->tunnel) impl_->tunnel->local_ready(connection, readable, writable);
}
void Peer::local_failed(Error error) {
  impl_->session.post(LocalFailed{std::move(error)});
}

void Peer::process(Instant now) {
  impl_->process(now);
}
std::optional<Instant> Peer::deadline() const {
  return impl_->deadline();
}
Peer::Status Peer::status() const {
  return impl_->status();
}
bool Peer::ended() const {
  return impl_->ended;
}

}  // namespace peersock::session
