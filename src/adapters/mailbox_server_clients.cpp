#include "adapters/mailbox_server_clients.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"

namespace peersock::adapters {
namespace {

/// HTTP may bring this much before the handshake is done; libsoup itself takes 64 KiB of headers.
constexpr std::uint64_t kMaxHandshake = 128 * 1024;
/// Beside an unfinished message: its framing, and pings and pongs in between.
constexpr std::uint64_t kMaxFraming = 64 * 1024;
/// A backlog below this is not worth looking at all the others.
constexpr std::uint64_t kSmallBacklog = 1024 * 1024;
constexpr Duration kSweepEvery = 5s;
constexpr const char* kClientKey = "peersock-mailbox-client";
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// RFC 6455 section 5.2: the header of an unmasked frame; clients add a mask of 4 octets.
std::uint64_t header_size(std::uint64_t payload) {
  if (payload < 126) return 2;
  return payload < 65536 ? 4 : 10;
}
constexpr std::uint64_t kMaskSize = 4;

wormhole::ClientAddress client_address(GInetSocketAddress* address) {
  const GCharPtr host(g_inet_address_to_string(g_inet_socket_address_get_address(address)));
  const bool ipv6 = g_socket_address_get_family(G_SOCKET_ADDRESS(address)) == G_SOCKET_FAMILY_IPV6;
  using Family = wormhole::ClientAddress::Family;
  return {ipv6 ? Family::kIpv6 : Family::kIpv4, host.get(),
          g_inet_socket_address_get_port(address)};
}

/// An IPv4 address, or the first 64 bits of an IPv6 address: what one customer usually has.
std::string network_of(GInetSocketAddress* address) {
  GInetAddress* inet = g_inet_socket_address_get_address(address);
  const std::size_t octets = std::min<std::size_t>(g_inet_address_get_native_size(inet), 8);
  return {reinterpret_cast<const char*>(g_inet_address_to_bytes(inet)), octets};
}

}  // namespace

MailboxServerClients::MailboxServerClients(GMainContext* context, const MailboxServerConfig& config,
                                           Callbacks callbacks)
    : config_(config),
      context_(context),
      callbacks_(std::move(callbacks)),
      reaper_(context, [this] { reap(); }),
      sweeper_(context, [this] { sweep(); }) {}

MailboxServerClients::~MailboxServerClients() {
  close_all();
}

void MailboxServerClients::accept(SoupServer* server, GObjectPtr<GSocket> socket) {
  const GObjectPtr<GSocketAddress> remote(g_socket_get_remote_address(socket.get(), nullptr));
  const GObjectPtr<GSocketAddress> local(g_socket_get_local_address(socket.get(), nullptr));
  if (!remote || !local || !G_IS_INET_SOCKET_ADDRESS(remote.get())) return;
  std::string network = network_of(G_INET_SOCKET_ADDRESS(remote.get()));
  if (clients_.size() >= config_.max_connections ||
      per_network_[network] >= config_.max_connections_per_address) {
    if (per_network_[network] == 0) per_network_.erase(network);
    g_socket_send(socket.get(), kTooMany.data(), kTooMany.size(), nullptr, nullptr);
    return;
  }
  ++per_network_[network];
  g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);

  auto client = std::make_unique<Client>();
  client->owner = this;
  client->id = next_id_++;
  client->network = std::move(network);
  client->socket = std::move(socket);
  client->since = client->last_heard = monotonic_now();
  client->meter = std::make_shared<Meter>();
  client->meter->receive_limit = kMaxHandshake;
  client->meter->on_closed = [this] { reaper_.soon(); };
  // libsoup gives this very object back with the finished handshake.
  g_object_set_data(G_OBJECT(remote.get()), kClientKey, GSIZE_TO_POINTER(client->id));

  const GObjectPtr<GSocketConnection> connection(
      g_socket_connection_factory_create_connection(client->socket.get()));
  const auto stream = make_metered_stream(G_IO_STREAM(connection.get()), client->meter);
  clients_.emplace(client->id, std::move(client));
  if (clients_.size() == 1) sweeper_.after(sweep_interval());
  const ThreadDefault scope(context_);
  soup_server_accept_iostream(server, stream.get(), local.get(), remote.get(), nullptr);
}

void MailboxServerClients::upgraded(SoupServerMessage* message,
                                    SoupWebsocketConnection* websocket) {
  GSocketAddress* remote = soup_server_message_get_remote_address(message);
  const auto found =
      clients_.find(GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(remote), kClientKey)));
  if (found == clients_.end() || found->second->websocket) return;
  Client* client = found->second.get();
  const ThreadDefault scope(context_);
  client->websocket = share(websocket);
  client->last_heard = monotonic_now();
  client->queued = client->meter->written;
  client->explained = client->meter->received;
  client->meter->receive_limit = client->meter->received + config_.rules.max_frame + kMaxFraming;
  soup_websocket_connection_set_max_incoming_payload_size(websocket, config_.rules.max_frame);
  soup_websocket_connection_set_keepalive_interval(
      websocket, static_cast<guint>(
                     std::chrono::duration_cast<std::chrono::seconds>(config_.ping_every).count()));
  g_signal_connect(websocket, "message", G_CALLBACK(on_message), client);
  callbacks_.joined(client->id, client_address(G_INET_SOCKET_ADDRESS(remote)));
}

void MailboxServerClients::on_message(SoupWebsocketConnection* /*websocket*/, gint /*type*/,
                                      GBytes* message, gpointer data) noexcept {
  auto& client = *static_cast<Client*>(data);
  gsize size = 0;
  const auto* octets = static_cast<const char*>(g_bytes_get_data(message, &size));
  client.owner->heard(client, size == 0 ? std::string() : std::string(octets, size));
}

void MailboxServerClients::heard(Client& client, std::string frame) {
  if (client.dropped) return;
  client.explained += header_size(frame.size()) + kMaskSize + frame.size();
  client.meter->receive_limit = client.meter->received + config_.rules.max_frame + kMaxFraming;
  // Pings are answered behind our back, and the answers wait for the reader like everything else.
  if (backlog(client) > config_.max_backlog) return kill(client);
  callbacks_.frame(client.id, std::move(frame));
}

void MailboxServerClients::send(Id id, const std::string& frame) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = *found->second;
  if (!client.websocket || client.dropped ||
      soup_websocket_connection_get_state(client.websocket.get()) != SOUP_WEBSOCKET_STATE_OPEN) {
    return;
  }
  client.queued += header_size(frame.size()) + frame.size();
  const ThreadDefault scope(context_);
  soup_websocket_connection_send_text(client.websocket.get(), frame.c_str());
  relieve(client);
}

void MailboxServerClients::drop(Id id) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second->dropped) return;
  found->second->dropped = true;
  if (!found->second->websocket) return kill(*found->second);
  const ThreadDefault scope(context_);
  if (soup_websocket_connection_get_state(found->second->websocket.get()) ==
      SOUP_WEBSOCKET_STATE_OPEN) {
    soup_websocket_connection_close(found->second->websocket.get(),
                                    SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, nullptr);
  }
}

void MailboxServerClients::close_all() {
  const ThreadDefault scope(context_);
  for (auto& [id, client] : clients_) {
    client->meter->on_closed = nullptr;
    if (!client->websocket) {
      kill(*client);
      continue;
    }
    g_signal_handlers_disconnect_by_data(client->websocket.get(), client.get());
    if (soup_websocket_connection_get_state(client->websocket.get()) == SOUP_WEBSOCKET_STATE_OPEN) {
      soup_websocket_connection_close(client->websocket.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY,
                                      nullptr);
    }
  }
  clients_.clear();
  per_network_.clear();
}

// What libsoup was given and what pings made it queue, less what the system took. The octets of an
// unfinished message count as pings until it is complete; the limits leave room for that.
std::uint64_t MailboxServerClients::backlog(const Client& client) const {
  const Meter& meter = *client.meter;
  const std::uint64_t control = meter.received - std::min(meter.received, client.explained);
  const std::uint64_t owed = client.queued + control;
  return owed - std::min(owed, meter.written);
}

void MailboxServerClients::relieve(Client& client) {
  const std::uint64_t mine = backlog(client);
  if (mine > config_.max_backlog) return kill(client);
  if (mine <= kSmallBacklog) return;
  std::uint64_t all = 0;
  Client* slowest = &client;
  for (auto& [id, other] : clients_) {
    if (!other->websocket || other->dropped) continue;
    const std::uint64_t theirs = backlog(*other);
    all += theirs;
    if (theirs > backlog(*slowest)) slowest = other.get();
  }
  if (all > config_.max_backlog_in_all) kill(*slowest);
}

// The end of the stream reaches libsoup through the loop, and what waits for the reader is freed.
void MailboxServerClients::kill(Client& client) {
  client.dropped = true;
  const linger at_once{1, 0};
  (void)setsockopt(g_socket_get_fd(client.socket.get()), SOL_SOCKET, SO_LINGER, &at_once,
                   sizeof at_once);
  g_socket_shutdown(client.socket.get(), TRUE, TRUE, nullptr);
}

void MailboxServerClients::reap() {
  std::vector<Id> gone;
  for (const auto& [id, client] : clients_) {
    if (client->meter->closed) gone.push_back(id);
  }
  for (const Id id : gone) {
    const auto client = std::move(clients_.extract(id).mapped());
    const auto network = per_network_.find(client->network);
    if (network != per_network_.end() && --network->second == 0) per_network_.erase(network);
    if (!client->websocket) continue;
    g_signal_handlers_disconnect_by_data(client->websocket.get(), client.get());
    callbacks_.gone(id);
  }
  if (clients_.empty()) sweeper_.cancel();
}

Duration MailboxServerClients::sweep_interval() const {
  return std::min({kSweepEvery, config_.handshake_timeout, config_.max_silence});
}

void MailboxServerClients::sweep() {
  const Instant now = monotonic_now();
  for (auto& [id, client] : clients_) {
    // Pongs count as life; libsoup shows them as octets only.
    if (client->meter->received != client->received_when_heard) {
      client->received_when_heard = client->meter->received;
      client->last_heard = now;
    }
    const bool late = !client->websocket && now - client->since >= config_.handshake_timeout;
    if (late || now - client->last_heard >= config_.max_silence) kill(*client);
  }
  sweeper_.after(sweep_interval());
}

}  // namespace peersock::adapters
