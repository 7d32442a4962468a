#include "adapters/mailbox_server_clients.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "adapters/tls_stream.hpp"

namespace peersock::adapters {
namespace {

/// HTTP may bring this much before the handshake is done; libsoup itself takes 64 KiB of headers.
constexpr std::uint64_t kMaxHandshake = std::uint64_t{128} * 1024;
/// Beside an unfinished message: its framing, and pings and pongs in between.
constexpr std::uint64_t kMaxFraming = std::uint64_t{64} * 1024;
/// A backlog below this is not worth looking at all the others.
constexpr std::uint64_t kSmallBacklog = std::uint64_t{1024} * 1024;
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

}  // namespace

MailboxServerClients::MailboxServerClients(GMainContext* context, const MailboxServerConfig& config,
                                           MailboxTotals& totals, Callbacks callbacks)
    : config_(config),
      totals_(totals),
      context_(context),
      callbacks_(std::move(callbacks)),
      reaper_(context, [this] { reap(); }),
      sweeper_(context, [this] { sweep(); }) {}

MailboxServerClients::~MailboxServerClients() {
  close_all();
}

// A proxy's own address says nothing; whom it speaks for comes with the request.
bool MailboxServerClients::counts_at_once(const ClientOrigin& origin) const {
  return !origin.key.empty() && !(config_.behind_proxy && origin.is_local);
}

bool MailboxServerClients::count(const std::string& key) {
  const auto entry = per_origin_.try_emplace(key, 0).first;
  if (entry->second < config_.max_connections_per_address) {
    ++entry->second;
    return true;
  }
  if (entry->second == 0) per_origin_.erase(entry);
  return false;
}

void MailboxServerClients::discount(const std::string& key) {
  const auto entry = per_origin_.find(key);
  if (entry != per_origin_.end() && --entry->second == 0) per_origin_.erase(entry);
}

void MailboxServerClients::refuse(GSocket* socket, bool plain, std::uint64_t& total) {
  ++total;
  if (!sweeper_armed_) arm_sweeper();
  // Inside TLS it would cost more to say why than to serve.
  if (plain) g_socket_send(socket, kTooMany.data(), kTooMany.size(), nullptr, nullptr);
}

void MailboxServerClients::accept(SoupServer* server, GObjectPtr<GSocket> socket, SSL_CTX* tls) {
  const GObjectPtr<GSocketAddress> remote(g_socket_get_remote_address(socket.get(), nullptr));
  if (!remote) return;  // it has gone again
  const bool is_tcp = G_IS_INET_SOCKET_ADDRESS(remote.get());
  SSL_CTX* const spoken = is_tcp ? tls : nullptr;
  ClientOrigin origin = origin_of(remote.get());
  if (!counts_at_once(origin)) origin.key.clear();
  if (clients_.size() >= config_.max_connections) {
    return refuse(socket.get(), spoken == nullptr, totals_.refused_full);
  }
  if (!origin.key.empty() && !count(origin.key)) {
    return refuse(socket.get(), spoken == nullptr, totals_.refused_per_address);
  }
  if (is_tcp) g_socket_set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, nullptr);

  auto client = std::make_unique<Client>();
  client->owner = this;
  client->id = next_id_++;
  client->origin = std::move(origin);
  client->socket = std::move(socket);
  client->since = client->last_heard = monotonic_now();
  client->meter = std::make_shared<Meter>();
  client->meter->receive_limit = kMaxHandshake;
  client->meter->on_closed = [this] { reaper_.soon(); };
  start(server, std::move(client), spoken);
}

void MailboxServerClients::start(SoupServer* server, std::unique_ptr<Client> client, SSL_CTX* tls) {
  const GObjectPtr<GSocketConnection> connection(
      g_socket_connection_factory_create_connection(client->socket.get()));
  GObjectPtr<GIOStream> base(share(G_IO_STREAM(connection.get())));
  if (tls != nullptr) base = make_tls_stream(connection.get(), tls);
  if (!base) return discount(client->origin.key);
  ++totals_.accepted;
  // libsoup wants Internet addresses, and gives the remote one back with the finished handshake:
  // this very object. It looks at neither.
  const GObjectPtr<GSocketAddress> local(g_inet_socket_address_new_from_string("127.0.0.1", 0));
  const GObjectPtr<GSocketAddress> remote(g_inet_socket_address_new_from_string("127.0.0.1", 0));
  g_object_set_data(G_OBJECT(remote.get()), kClientKey, GSIZE_TO_POINTER(client->id));
  const auto stream = make_metered_stream(base.get(), client->meter);
  clients_.emplace(client->id, std::move(client));
  if (!sweeper_armed_) arm_sweeper();
  const ThreadDefault scope(context_);
  soup_server_accept_iostream(server, stream.get(), local.get(), remote.get(), nullptr);
}

MailboxServerClients::Client* MailboxServerClients::behind(SoupServerMessage* message) {
  GSocketAddress* remote = soup_server_message_get_remote_address(message);
  const auto found =
      clients_.find(GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(remote), kClientKey)));
  return found == clients_.end() ? nullptr : found->second.get();
}

bool MailboxServerClients::admit(SoupServerMessage* message) {
  Client* client = behind(message);
  if (client == nullptr) return false;
  if (!config_.behind_proxy || !client->origin.is_local) return true;
  const char* header = soup_message_headers_get_list(
      soup_server_message_get_request_headers(message), "X-Forwarded-For");
  if (header == nullptr) return true;
  auto forwarded = forwarded_origin(header);
  if (!forwarded) return true;
  if (!count(forwarded->key)) {
    ++totals_.refused_per_address;
    return false;
  }
  discount(client->origin.key);
  forwarded->is_local = false;  // one address for one connection
  client->origin = *std::move(forwarded);
  return true;
}

void MailboxServerClients::upgraded(SoupServerMessage* message,
                                    SoupWebsocketConnection* websocket) {
  Client* client = behind(message);
  if (client == nullptr || client->websocket) return;
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
  if (config_.report) config_.report(MailboxClientConnected{client->id, client->origin.network});
  callbacks_.joined({client->id, client->origin.address, client->origin.key});
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
  if (backlog(client) > config_.max_backlog) return kill(client, ClientEnd::kSlow);
  ++totals_.frames_received;
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
  ++totals_.frames_sent;
  const ThreadDefault scope(context_);
  soup_websocket_connection_send_text(client.websocket.get(), frame.c_str());
  relieve(client);
}

void MailboxServerClients::drop(Id id) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second->dropped) return;
  found->second->dropped = true;
  found->second->end = ClientEnd::kPolicy;
  if (!found->second->websocket) return kill(*found->second, ClientEnd::kPolicy);
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
      kill(*client, ClientEnd::kClosed);
      continue;
    }
    g_signal_handlers_disconnect_by_data(client->websocket.get(), client.get());
    if (soup_websocket_connection_get_state(client->websocket.get()) == SOUP_WEBSOCKET_STATE_OPEN) {
      soup_websocket_connection_close(client->websocket.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY,
                                      nullptr);
    }
  }
  clients_.clear();
  per_origin_.clear();
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
  if (mine > config_.max_backlog) return kill(client, ClientEnd::kSlow);
  if (mine <= kSmallBacklog) return;
  std::uint64_t all = 0;
  Client* slowest = &client;
  for (auto& [id, other] : clients_) {
    if (!other->websocket || other->dropped) continue;
    const std::uint64_t theirs = backlog(*other);
    all += theirs;
    if (theirs > backlog(*slowest)) slowest = other.get();
  }
  if (all > config_.max_backlog_in_all) kill(*slowest, ClientEnd::kSlow);
}

// The end of the stream reaches libsoup through the loop, and what waits for the reader is freed.
void MailboxServerClients::kill(Client& client, ClientEnd why) {
  if (client.end == ClientEnd::kClosed) client.end = why;
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
    discount(client->origin.key);
    if (client->websocket) {
      g_signal_handlers_disconnect_by_data(client->websocket.get(), client.get());
    }
    part(*client);
    if (client->websocket) callbacks_.gone(id);
  }
}

void MailboxServerClients::part(const Client& client) {
  const Meter& meter = *client.meter;
  const bool flooded = client.end == ClientEnd::kClosed && meter.received >= meter.receive_limit;
  const ClientEnd end = flooded ? ClientEnd::kFlooded : client.end;
  ++totals_.ended.at(static_cast<std::size_t>(end));
  totals_.octets_received += meter.received;
  totals_.octets_sent += meter.written;
  if (!client.websocket || !config_.report) return;
  config_.report(MailboxClientDisconnected{client.id, client.origin.network, end,
                                           monotonic_now() - client.since, meter.received,
                                           meter.written});
}

Duration MailboxServerClients::sweep_interval() const {
  return std::min({kSweepEvery, config_.handshake_timeout, config_.max_silence});
}

void MailboxServerClients::arm_sweeper() {
  sweeper_armed_ = true;
  sweeper_.after(sweep_interval());
}

void MailboxServerClients::sweep() {
  sweeper_armed_ = false;
  const Instant now = monotonic_now();
  for (auto& [id, client] : clients_) {
    // Pongs count as life; libsoup shows them as octets only.
    if (client->meter->received != client->received_when_heard) {
      client->received_when_heard = client->meter->received;
      client->last_heard = now;
    }
    if (!client->websocket && now - client->since >= config_.handshake_timeout) {
      kill(*client, ClientEnd::kHandshake);
    } else if (now - client->last_heard >= config_.max_silence) {
      kill(*client, ClientEnd::kSilent);
    }
  }
  tell_of_refusals();
  if (!clients_.empty()) arm_sweeper();
}

// One for each turn of the sweeper, so that who is refused a thousand times fills no log.
void MailboxServerClients::tell_of_refusals() {
  const MailboxClientsRefused news{totals_.refused_full - told_.full,
                                   totals_.refused_per_address - told_.per_address};
  if (news.full + news.per_address == 0) return;
  told_ = {totals_.refused_full, totals_.refused_per_address};
  if (config_.report) config_.report(news);
}

}  // namespace peersock::adapters
