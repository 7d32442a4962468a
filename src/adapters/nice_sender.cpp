#include "adapters/nice_sender.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/nice_candidate.hpp"

namespace peersock::adapters {
namespace {

constexpr std::size_t kBatch = 64;
/// Where the socket under a relayed pair cannot be found, it is simply tried again.
constexpr Duration kRetryDelay = 2ms;

bool is_bound_to(GSocket* socket, const ::NiceAddress& address) {
  const GObjectPtr<GSocketAddress> bound(g_socket_get_local_address(socket, nullptr));
  if (!bound) return false;
  union {
    sockaddr_storage storage;
    sockaddr any;
  } native{};
  if (!g_socket_address_to_native(bound.get(), &native, sizeof native, nullptr)) return false;
  ::NiceAddress local;
  nice_address_init(&local);
  nice_address_set_from_sockaddr(&local, &native.any);
  return nice_address_equal(&local, &address) != FALSE;
}

}  // namespace

void SendStatistics::count(const quic::DatagramTrain& train, quic::SendOutcome outcome) {
  ++calls;
  switch (outcome) {
    case quic::SendOutcome::kSent:
      datagrams += quic::datagrams_in(train);
      break;
    case quic::SendOutcome::kWouldBlock:
      ++would_block;
      break;
    case quic::SendOutcome::kTooBig:
    case quic::SendOutcome::kError:
      lost += quic::datagrams_in(train);
      break;
  }
}

NiceSender::NiceSender(::NiceAgent* agent, guint stream, GMainContext* context,
                       std::function<void()> writable)
    : agent_(agent),
      stream_(stream),
      writable_(std::move(writable)),
      wakeup_(context, [this] { on_ready(); }) {}

quic::SendOutcome NiceSender::send(const quic::DatagramTrain& train) {
  if (!rest_.empty()) {
    owner_waits_ = true;
    return quic::SendOutcome::kWouldBlock;
  }
  const Progress progress = push(train);
  if (progress.refused && progress.octets == 0) return quic::SendOutcome::kError;
  if (!progress.blocked) return quic::SendOutcome::kSent;
  wait_until_writable();
  if (progress.octets == 0) {
    owner_waits_ = true;
    return quic::SendOutcome::kWouldBlock;
  }
  const ByteView rest = train.bytes.subspan(progress.octets);
  rest_.assign(rest.begin(), rest.end());
  rest_segment_ = train.segment;
  return quic::SendOutcome::kSent;
}

NiceSender::Progress NiceSender::push(const quic::DatagramTrain& train) {
  std::array<GOutputVector, kBatch> vectors{};
  std::array<NiceOutputMessage, kBatch> messages{};
  const std::size_t segment = train.segment == 0 ? train.bytes.size() : train.segment;
  Progress progress;
  while (progress.octets < train.bytes.size()) {
    std::size_t count = 0;
    for (std::size_t at = progress.octets; at < train.bytes.size() && count < kBatch; ++count) {
      const std::size_t length = std::min(segment, train.bytes.size() - at);
      vectors[count] = {train.bytes.data() + at, length};
      messages[count] = {&vectors[count], 1};
      at += length;
    }
    GError* raw_error = nullptr;
    ++statistics_.calls;
    const gint sent =
        nice_agent_send_messages_nonblocking(agent_, stream_, kNiceComponent, messages.data(),
                                             static_cast<guint>(count), nullptr, &raw_error);
    const ErrorPtr error(raw_error);
    if (sent <= 0) {
      progress.blocked = g_error_matches(raw_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) != FALSE;
      progress.refused = !progress.blocked;
      break;
    }
    statistics_.datagrams += static_cast<std::uint64_t>(sent);
    for (gint i = 0; i < sent; ++i) progress.octets += vectors[static_cast<std::size_t>(i)].size;
  }
  if (progress.blocked) ++statistics_.would_block;
  if (progress.refused) {
    const std::size_t lost = train.bytes.size() - progress.octets;
    statistics_.lost += (lost + segment - 1) / segment;
  }
  return progress;
}

void NiceSender::wait_until_writable() {
  watched_ = selected_socket();
  if (watched_) {
    wakeup_.watch(g_socket_get_fd(watched_.get()), G_IO_OUT);
  } else {
    wakeup_.after(kRetryDelay);
  }
}

void NiceSender::on_ready() {
  wakeup_.unwatch();
  wakeup_.cancel();
  watched_.reset();
  if (!rest_.empty()) {
    const Bytes rest = std::exchange(rest_, {});
    const Progress progress = push({rest, rest_segment_});
    if (progress.blocked) {
      rest_.assign(rest.begin() + static_cast<std::ptrdiff_t>(progress.octets), rest.end());
      wait_until_writable();
      return;
    }
  }
  if (std::exchange(owner_waits_, false)) writable_();
}

void NiceSender::reset() {
  rest_.clear();
  if (!owner_waits_) {
    wakeup_.unwatch();
    wakeup_.cancel();
    watched_.reset();
  } else {
    // Whoever waits is told, and learns from the next send how things are.
    wakeup_.soon();
  }
}

GObjectPtr<GSocket> NiceSender::selected_socket() const {
  GObjectPtr<GSocket> direct(nice_agent_get_selected_socket(agent_, stream_, kNiceComponent));
  if (direct) return direct;
  // libnice hides the socket under a relayed pair; it is the one that the candidate is based on.
  ::NiceCandidate* local = nullptr;
  ::NiceCandidate* remote = nullptr;
  if (!nice_agent_get_selected_pair(agent_, stream_, kNiceComponent, &local, &remote)) {
    return nullptr;
  }
  GPtrArray* sockets = nice_agent_get_sockets(agent_, stream_, kNiceComponent);
  if (sockets == nullptr) return nullptr;
  GObjectPtr<GSocket> found;
  for (guint i = 0; i < sockets->len && !found; ++i) {
    auto* candidate = G_SOCKET(sockets->pdata[i]);
    if (is_bound_to(candidate, local->base_addr)) found = share(candidate);
  }
  g_ptr_array_unref(sockets);
  return found;
}

}  // namespace peersock::adapters
