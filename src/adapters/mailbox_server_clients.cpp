#include "adapters/mailbox_server_clients.hpp"

#include <algorithm>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"

// How connections begin and end; mailbox_server_traffic.cpp has what happens in between.
namespace peersock::adapters {
namespace {

/// One read; a busy client has to wait for the others after it.
constexpr std::size_t kOctetsPerRead = std::size_t{64} * 1024;
/// A request has to fit in here.
constexpr std::uint64_t kMaxHandshake = std::uint64_t{32} * 1024;
constexpr Duration kSweepEvery = 1s;
/// How long somebody who has been told everything may take to close.
constexpr Duration kLeaveTime = 2s;
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

}  // namespace

MailboxServerClients::MailboxServerClients(GMainContext* context, const MailboxServerConfig& config,
                                           MailboxTotals& totals, Callbacks callbacks)
    : config_(config),
      totals_(totals),
      callbacks_(std::move(callbacks)),
      scratch_(kOctetsPerRead),
      sockets_(context,
               {[this](Id id, bool readable, bool writable) { on_ready(id, readable, writable); },
                [this] { end_turn(); }}),
      turn_(context, [this] { end_turn(); }),
      sweeper_(context, [this] { sweep(); }) {}

MailboxServerClients::~MailboxServerClients() {
  close_all();
}

// --- accepting

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

void MailboxServerClients::refuse(const UniqueFd& socket, bool plain, std::uint64_t& total) {
  ++total;
  if (!sweeper_armed_) arm_sweeper();
  // Inside TLS it would cost more to say why than to serve.
  if (plain) (void)::send(socket.get(), kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL);
}

void MailboxServerClients::accept(UniqueFd socket, GSocketAddress* remote, SSL_CTX* tls) {
  const bool is_tcp = G_IS_INET_SOCKET_ADDRESS(remote);
  SSL_CTX* const spoken = is_tcp ? tls : nullptr;
  ClientOrigin origin = origin_of(remote);
  if (!counts_at_once(origin)) origin.key.clear();
  if (clients_.size() >= config_.max_connections) {
    return refuse(socket, spoken == nullptr, totals_.refused_full);
  }
  if (!origin.key.empty() && !count(origin.key)) {
    return refuse(socket, spoken == nullptr, totals_.refused_per_address);
  }
  const int on = 1;
  if (is_tcp) (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const Id id = next_id_++;
  auto connection = ByteSocket::make(std::move(socket), spoken);
  if (!connection || !sockets_.add(connection->fd(), id)) return discount(origin.key);
  auto client =
      std::make_unique<Client>(id, std::move(origin), *std::move(connection), monotonic_now());
  client->receive_limit = kMaxHandshake;
  clients_.emplace(id, std::move(client));
  ++totals_.accepted;
  if (!sweeper_armed_) arm_sweeper();
}

// --- ending

void MailboxServerClients::drop(Id id) {
  Client* client = find(id);
  if (client == nullptr || client->over || client->is_leaving()) return;
  client->end = ClientEnd::kPolicy;
  say_goodbye(*client, wire::WebSocketClose::kPolicyViolation);
}

void MailboxServerClients::close_all() {
  for (auto& [id, client] : clients_) {
    if (client->over) continue;
    if (client->is_open()) say_goodbye(*client, wire::WebSocketClose::kGoingAway);
    client->flush();
  }
  clients_.clear();
  noted_.clear();
  per_origin_.clear();
  backlog_in_all_ = 0;
}

void MailboxServerClients::cut(Client& client, ClientEnd why) {
  if (client.over) return;
  backlog_in_all_ -= client.backlog();
  client.cut(why);
  note(client);
}

// Whoever goes may give the machine something to say to others, and what is sent may find that
// somebody has gone.
void MailboxServerClients::end_turn() {
  turn_.cancel();
  while (!noted_.empty()) {
    for (const Id id : std::exchange(noted_, {})) {
      Client* client = find(id);
      if (client == nullptr) continue;
      client->noted = false;
      flush(*client);
      if ((client->over || client->is_leaving()) && std::exchange(client->known, false)) {
        callbacks_.gone(id);
      }
      if (client->over) forget(id);
    }
  }
}

void MailboxServerClients::forget(Id id) {
  const auto client = std::move(clients_.extract(id).mapped());
  backlog_in_all_ -= client->backlog();
  discount(client->origin.key);
  part(*client);
}

void MailboxServerClients::part(const Client& client) {
  ++totals_.ended.at(static_cast<std::size_t>(client.end));
  totals_.octets_received += client.received;
  totals_.octets_sent += client.written;
  if (!client.joined || !config_.report) return;
  config_.report(MailboxClientDisconnected{client.id, client.origin.network, client.end,
                                           monotonic_now() - client.since, client.received,
                                           client.written});
}

// --- time

// What is due is late by a quarter of its own time at most: so a client is pinged well before it is
// cut for its silence.
Duration MailboxServerClients::sweep_interval() const {
  const Duration shortest =
      std::min({config_.handshake_timeout, config_.max_silence, config_.ping_every});
  return std::min(kSweepEvery, shortest / 4);
}

void MailboxServerClients::arm_sweeper() {
  sweeper_armed_ = true;
  sweeper_.after(sweep_interval());
}

void MailboxServerClients::sweep() {
  sweeper_armed_ = false;
  const Instant now = monotonic_now();
  for (auto& [id, client] : clients_) sweep(*client, now);
  end_turn();
  tell_of_refusals();
  if (!clients_.empty()) arm_sweeper();
}

void MailboxServerClients::sweep(Client& client, Instant now) {
  if (client.over) return;
  if (const auto* leaving = std::get_if<ClientLeaving>(&client.phase)) {
    if (now - leaving->since >= kLeaveTime) cut(client, client.end);
  } else if (!client.is_open() && now - client.since >= config_.handshake_timeout) {
    cut(client, ClientEnd::kHandshake);
  } else if (now - client.last_heard >= config_.max_silence) {
    cut(client, ClientEnd::kSilent);
  } else if (auto* open = std::get_if<ClientOpen>(&client.phase);
             open != nullptr && now - open->pinged >= config_.ping_every) {
    open->pinged = now;
    queue_frame(client, wire::WebSocketOpcode::kPing, {});
  }
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
