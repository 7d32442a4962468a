#include "adapters/chosen_path.hpp"

#include <cstring>
#include <utility>

#include "adapters/nice_candidate.hpp"

namespace peersock::adapters {
namespace {

/// Reads of what a retired socket holds: more than fits its buffer.
constexpr int kDrainReads = 64;

SocketAddress address_of(const ::NiceAddress& address) {
  SocketAddress result;
  nice_address_copy_to_sockaddr(&address, reinterpret_cast<sockaddr*>(&result.storage));
  result.size = result.family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return result;
}

bool same(const SocketAddress& a, const SocketAddress& b) {
  return a.size == b.size && std::memcmp(&a.storage, &b.storage, a.size) == 0;
}

bool is_udp(const ::NiceCandidate& candidate) {
  return candidate.transport == NICE_CANDIDATE_TRANSPORT_UDP;
}

}  // namespace

ChosenPath::ChosenPath(::NiceAgent* agent, guint stream, GMainContext* context, PathPolicy policy,
                       ChosenPathCallbacks callbacks)
    : agent_(agent),
      stream_(stream),
      context_(context),
      policy_(policy),
      callbacks_(std::move(callbacks)),
      sender_(agent, stream, context, [this] { callbacks_.writable(); }),
      drain_(context, [this] { drain_retired(); }) {}

void ChosenPath::follow(const ::NiceCandidate& local, const ::NiceCandidate& remote) {
  auto socket = socket_to_share(local, remote);
  if (!socket) return retire();
  const SocketAddress address = address_of(remote.addr);
  if (split_ && split_->shares(socket.get()) && retarget(address)) return;
  retire();
  open_beside(std::move(socket), address);
}

/// libnice's socket of a pair of UDP without a relay of ours; nothing otherwise. Where the peer
/// uses its relay the datagrams of this side are ordinary ones.
GObjectPtr<GSocket> ChosenPath::socket_to_share(const ::NiceCandidate& local,
                                                const ::NiceCandidate& remote) const {
  if (policy_ == PathPolicy::kNice || given_up_ || local.type == NICE_CANDIDATE_TYPE_RELAYED ||
      !is_udp(local) || !is_udp(remote)) {
    return nullptr;
  }
  return GObjectPtr<GSocket>(nice_agent_get_selected_socket(agent_, stream_, kNiceComponent));
}

bool ChosenPath::retarget(const SocketAddress& remote) {
  return same(split_->remote(), remote) || split_->retarget(remote);
}

void ChosenPath::open_beside(GObjectPtr<GSocket> socket, const SocketAddress& remote) {
  // The filter knows the sockets of a port by their order, so there is never a third one.
  std::erase_if(retired_, [&](const auto& path) { return path->shares(socket.get()); });
  split_ = SplitUdpPath::open(std::move(socket), remote);
  if (!split_) return;
  watch_.emplace(context_, split_->fd(),
                 [this](bool readable, bool writable) { on_ready(readable, writable); });
  watch_->watch(/*readable=*/true, owner_waits_);
}

void ChosenPath::retire() {
  if (!split_) return;
  watch_.reset();
  retired_.push_back(std::move(split_));
  drain_.soon();
}

/// The pair is fine and the way to send over it is not.
void ChosenPath::give_up() {
  given_up_ = true;
  retire();
  callbacks_.changed();
}

void ChosenPath::drain_retired() {
  const auto retired = std::exchange(retired_, {});
  const auto arrived = callbacks_.arrived;
  const std::weak_ptr<const bool> alive = alive_;
  if (!split_ && std::exchange(owner_waits_, false)) callbacks_.writable();
  for (const auto& path : retired) {
    for (int i = 0; i < kDrainReads && !alive.expired(); ++i) {
      if (path->receive_batch(arrived, 1) == 0) break;
    }
  }
}

void ChosenPath::on_ready(bool readable, bool writable) {
  if (writable && std::exchange(owner_waits_, false)) {
    watch_->watch(/*readable=*/true, /*writable=*/false);
    callbacks_.writable();
  }
  if (!readable) return;
  // Both outlive whatever the receiver does.
  const auto path = split_;
  const auto arrived = callbacks_.arrived;
  path->receive_batch(arrived, 1);
}

quic::SendOutcome ChosenPath::send(const quic::DatagramTrain& train) {
  if (!split_) return nice_.send_batch(train);
  const quic::SendOutcome outcome = split_->send_batch(train);
  const bool too_narrow =
      outcome == quic::SendOutcome::kTooBig && train.segment <= quic::kMinDatagramLimit;
  if (too_narrow || split_->broken()) {
    // libnice's socket lets the system fragment datagrams.
    give_up();
    return nice_.send_batch(train);
  }
  split_statistics_.count(train, outcome);
  if (outcome == quic::SendOutcome::kWouldBlock) {
    owner_waits_ = true;
    watch_->watch(/*readable=*/true, /*writable=*/true);
  }
  return outcome;
}

SendStatistics ChosenPath::statistics() const {
  SendStatistics sum = sender_.statistics();
  sum.datagrams += split_statistics_.datagrams;
  sum.calls += split_statistics_.calls;
  sum.would_block += split_statistics_.would_block;
  sum.lost += split_statistics_.lost;
  return sum;
}

}  // namespace peersock::adapters
