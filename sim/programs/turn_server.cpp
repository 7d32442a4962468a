#include "programs/turn_server.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "programs/sockets.hpp"

namespace peersock::sim {
namespace {

constexpr std::string_view kRealm = "peersock.sim";
constexpr std::string_view kNonce = "simulated-nonce";
constexpr std::chrono::seconds kLongestLifetime{3600};
constexpr std::chrono::seconds kUsualLifetime{600};
constexpr std::chrono::seconds kPermissionLifetime{300};
constexpr std::chrono::seconds kChannelLifetime{600};
constexpr std::uint16_t kFirstChannel = 0x4000;
constexpr std::uint16_t kLastChannel = 0x4fff;

std::uint16_t get16(OctetView octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

struct Arrived {
  Octets octets;
  SocketName from;
};

std::optional<Arrived> receive_from(int fd) {
  std::array<std::uint8_t, 2048> octets{};
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got =
      recvfrom(fd, octets.data(), octets.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  const auto name = from_sockaddr(reinterpret_cast<const sockaddr*>(&from), size);
  if (got < 0 || !name) return std::nullopt;
  return Arrived{Octets(octets.begin(), octets.begin() + got), *name};
}

}  // namespace

struct TurnServer::Allocation {
  Client client;
  adapters::UniqueFd fd;
  SocketName relayed;
  Instant expires;
  std::map<PeerAddress, Instant> permissions;
  struct Channel {
    SocketName peer;
    Instant expires;
  };
  std::map<std::uint16_t, Channel> channels;
  std::optional<adapters::FdWatch> watch;

  void permit(const SocketName& peer) {
    permissions[peer.address] = adapters::monotonic_now() + kPermissionLifetime;
  }
  /// Section 9.2: an IPv6 peer cannot be reached from an IPv4 address.
  [[nodiscard]] bool reaches(const std::vector<SocketName>& peers) const {
    return std::ranges::all_of(
        peers, [this](const SocketName& peer) { return peer.family == relayed.family; });
  }
  [[nodiscard]] bool permits(const SocketName& peer) const {
    const auto known = permissions.find(peer.address);
    return known != permissions.end() && known->second > adapters::monotonic_now();
  }
};

TurnServer::TurnServer(GMainContext* context, const std::string& address, std::uint16_t port,
                       std::string relay_address, Account account)
    : context_(context),
      relay_address_(std::move(relay_address)),
      key_(long_term_key(account.user, kRealm, account.password)),
      fd_(bound_socket(SOCK_DGRAM, address, port)),
      listening_(bound_socket(SOCK_STREAM, address, port)),
      watch_(context, fd_.get(), [this](bool, bool) { receive_all(); }),
      arrivals_(context, listening_.get(), [this](bool, bool) { accept_all(); }) {
  watch_.watch(true, false);
  arrivals_.watch(true, false);
}

TurnServer::~TurnServer() = default;

void TurnServer::accept_all() {
  for (;;) {
    adapters::UniqueFd fd(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    auto key = std::make_shared<TurnStream*>(nullptr);
    auto stream = std::make_unique<TurnStream>(
        context_, std::move(fd),
        TurnStream::Callbacks{[this, key](OctetView message) {
                                receive(message, {(*key)->peer(), *key});
                              },
                              [this, key] { forget(*key); }});
    *key = stream.get();
    streams_[*key] = std::move(stream);
  }
}

/// An allocation does not outlive the connection that it was made over.
void TurnServer::forget(TurnStream* stream) {
  std::erase_if(allocations_,
                [stream](const auto& entry) { return entry.second->client.stream == stream; });
  streams_.erase(stream);
}

void TurnServer::send(OctetView message, const Client& client) {
  if (client.stream != nullptr) return client.stream->send(message);
  send_datagram(fd_.get(), message, client.name);
}

TurnServer::Allocation* TurnServer::find(const Client& client) {
  const auto known = allocations_.find(key_of(client));
  if (known == allocations_.end()) return nullptr;
  if (known->second->expires > adapters::monotonic_now()) return known->second.get();
  allocations_.erase(known);
  return nullptr;
}

void TurnServer::receive_all() {
  while (const auto arrived = receive_from(fd_.get())) receive(arrived->octets, {arrived->from});
}

void TurnServer::receive(OctetView message, const Client& client) {
  if (message.size() >= 4 && message[0] >> 6 == 1) {
    if (auto* allocation = find(client)) receive_channel_data(message, *allocation);
    return;
  }
  const auto view = read_stun(message);
  if (!view) return;
  if (view->kind == StunClass::kRequest) return receive_request(*view, client);
  if (view->kind == StunClass::kIndication && view->method == StunMethod::kSend) {
    if (auto* allocation = find(client)) receive_send(*view, *allocation);
  }
}

void TurnServer::receive_channel_data(OctetView message, Allocation& allocation) {
  const auto channel = allocation.channels.find(get16(message, 0));
  const std::size_t size = get16(message, 2);
  if (channel == allocation.channels.end() || size > message.size() - 4) return;
  if (!allocation.permits(channel->second.peer)) return;
  send_datagram(allocation.fd.get(), message.subspan(4, size), channel->second.peer);
}

void TurnServer::receive_send(const StunView& indication, Allocation& allocation) {
  const auto peers = indication.addresses(StunAttribute::kXorPeerAddress);
  const auto data = indication.find(StunAttribute::kData);
  if (peers.empty() || !data || !allocation.permits(peers.front())) return;
  send_datagram(allocation.fd.get(), *data, peers.front());
}

void TurnServer::receive_request(const StunView& request, const Client& client) {
  if (request.method == StunMethod::kBinding) {
    StunWriter writer(StunClass::kSuccess, request.method, request.id);
    writer.add_mapped(client.name);
    return send(writer.octets(), client);
  }
  if (!is_authentic(request, client)) return;
  if (request.method == StunMethod::kAllocate) return allocate(request, client);
  auto* allocation = find(client);
  if (allocation == nullptr) return refuse(request, client, 437, "Allocation Mismatch");
  switch (request.method) {
    case StunMethod::kRefresh:
      return refresh(request, *allocation);
    case StunMethod::kCreatePermission:
      return create_permission(request, *allocation);
    case StunMethod::kChannelBind:
      return bind_channel(request, *allocation);
    default:
      return refuse(request, client, 400, "Bad Request");
  }
}

bool TurnServer::is_authentic(const StunView& request, const Client& client) {
  if (!request.find(StunAttribute::kMessageIntegrity)) {
    StunWriter writer(StunClass::kError, request.method, request.id);
    writer.add_error(401, "Unauthorized")
        .add_text(StunAttribute::kRealm, kRealm)
        .add_text(StunAttribute::kNonce, kNonce);
    send(writer.octets(), client);
    return false;
  }
  if (request.is_signed_with(key_)) return true;
  refuse(request, client, 401, "Unauthorized");
  return false;
}

void TurnServer::allocate(const StunView& request, const Client& client) {
  const auto transport = request.find(StunAttribute::kRequestedTransport);
  if (!transport || transport->empty() || transport->front() != 17) {
    return refuse(request, client, 442, "Unsupported Transport Protocol");
  }
  auto& allocation = allocations_[key_of(client)];
  // A request that is repeated because its answer was lost is answered again (section 7.2).
  if (!allocation) {
    allocation = std::make_unique<Allocation>();
    allocation->client = client;
    allocation->fd = bound_socket(SOCK_DGRAM, relay_address_, 0);
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    (void)getsockname(allocation->fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
    allocation->relayed = from_sockaddr(reinterpret_cast<sockaddr*>(&name), size).value();
    allocation->watch.emplace(
        context_, allocation->fd.get(),
        [this, relaying = allocation.get()](bool, bool) { relay_all(*relaying); });
    allocation->watch->watch(true, false);
  }
  allocation->expires = adapters::monotonic_now() + kUsualLifetime;
  StunWriter writer(StunClass::kSuccess, request.method, request.id);
  writer.add_address(StunAttribute::kXorRelayedAddress, allocation->relayed)
      .add_number(StunAttribute::kLifetime, kUsualLifetime.count())
      .add_mapped(client.name);
  answer(client, std::move(writer));
}

void TurnServer::refresh(const StunView& request, Allocation& allocation) {
  const Client client = allocation.client;
  const auto wanted = std::chrono::seconds(
      request.find_number(StunAttribute::kLifetime).value_or(kUsualLifetime.count()));
  const auto lifetime = std::min(wanted, kLongestLifetime);
  if (lifetime.count() == 0) {
    allocations_.erase(key_of(client));
  } else {
    allocation.expires = adapters::monotonic_now() + lifetime;
  }
  StunWriter writer(StunClass::kSuccess, request.method, request.id);
  writer.add_number(StunAttribute::kLifetime, static_cast<std::uint32_t>(lifetime.count()));
  answer(client, std::move(writer));
}

void TurnServer::create_permission(const StunView& request, Allocation& allocation) {
  const auto peers = request.addresses(StunAttribute::kXorPeerAddress);
  if (peers.empty()) return refuse(request, allocation.client, 400, "Bad Request");
  if (!allocation.reaches(peers)) {
    return refuse(request, allocation.client, 443, "Peer Address Family Mismatch");
  }
  for (const auto& peer : peers) allocation.permit(peer);
  answer(allocation.client, {StunClass::kSuccess, request.method, request.id});
}

void TurnServer::bind_channel(const StunView& request, Allocation& allocation) {
  const auto number = request.find_number(StunAttribute::kChannelNumber).value_or(0) >> 16;
  const auto peers = request.addresses(StunAttribute::kXorPeerAddress);
  if (peers.empty() || number < kFirstChannel || number > kLastChannel) {
    return refuse(request, allocation.client, 400, "Bad Request");
  }
  if (!allocation.reaches(peers)) {
    return refuse(request, allocation.client, 443, "Peer Address Family Mismatch");
  }
  allocation.permit(peers.front());
  allocation.channels[static_cast<std::uint16_t>(number)] = {
      peers.front(), adapters::monotonic_now() + kChannelLifetime};
  answer(allocation.client, {StunClass::kSuccess, request.method, request.id});
}

void TurnServer::relay_all(Allocation& allocation) {
  while (const auto arrived = receive_from(allocation.fd.get())) {
    if (!allocation.permits(arrived->from)) continue;
    const auto channel = std::ranges::find_if(allocation.channels, [&](const auto& entry) {
      return entry.second.peer == arrived->from && entry.second.expires > adapters::monotonic_now();
    });
    if (channel == allocation.channels.end()) {
      StunWriter writer(StunClass::kIndication, StunMethod::kData, StunId{0x21, 0x12, 0xa4, 0x42});
      writer.add_address(StunAttribute::kXorPeerAddress, arrived->from)
          .add(StunAttribute::kData, arrived->octets);
      send(writer.octets(), allocation.client);
      continue;
    }
    const std::size_t size = arrived->octets.size();
    Octets framed = {static_cast<std::uint8_t>(channel->first >> 8),
                     static_cast<std::uint8_t>(channel->first),
                     static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    framed.insert(framed.end(), arrived->octets.begin(), arrived->octets.end());
    send(framed, allocation.client);
  }
}

void TurnServer::answer(const Client& client, StunWriter writer) {
  writer.sign(key_);
  send(writer.octets(), client);
}

void TurnServer::refuse(const StunView& request, const Client& client, int code,
                        std::string_view reason) {
  StunWriter writer(StunClass::kError, request.method, request.id);
  writer.add_error(code, reason);
  answer(client, std::move(writer));
}

}  // namespace peersock::sim
