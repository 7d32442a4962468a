#include <utility>

#include "adapters/clock.hpp"
#include "adapters/mailbox_server_clients.hpp"
#include "core/machine.hpp"

// What connections bring and what is sent to them.
namespace peersock::adapters {
namespace {

/// Octets that arrive without making a message complete: beside the message, its framing, and pings
/// and pongs in between.
constexpr std::uint64_t kMaxFraming = std::uint64_t{64} * 1024;
/// This much is not kept for the end of the turn.
constexpr std::size_t kFlushAtOnce = std::size_t{64} * 1024;

}  // namespace

MailboxServerClients::Client* MailboxServerClients::find(Id id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

// --- reading

void MailboxServerClients::on_ready(Id id, bool readable, bool writable) {
  Client* client = find(id);
  if (client == nullptr) return;
  // A TLS read may have waited for room to write.
  if (readable || client->wants_write()) read(*client);
  if (writable) client->unblock();
  note(*client);
}

void MailboxServerClients::read(Client& client) {
  const std::string_view octets = client.read(scratch_);
  if (octets.empty()) return;
  client.last_heard = monotonic_now();
  if (client.is_leaving()) return;
  if (client.is_open()) {
    take_frames(client, octets);
  } else {
    take_head(client, octets);
  }
  const bool flooding = !client.is_leaving() && client.received > client.receive_limit;
  if (flooding) cut(client, ClientEnd::kFlooded);
}

void MailboxServerClients::take_head(Client& client, std::string_view octets) {
  std::string& head = std::get<ClientAsking>(client.phase).head;
  const std::size_t known = head.size();
  head += octets;
  // The end of the head may have begun in what was there before.
  const auto found =
      head.find(kHttpHeadEnd, known < kHttpHeadEnd.size() ? 0 : known - kHttpHeadEnd.size());
  if (found == std::string::npos) return;
  const std::string whole = std::move(head);
  const std::size_t end = found + kHttpHeadEnd.size();
  const auto request = parse_http_request(std::string_view(whole).substr(0, end));
  if (request) return answer(client, *request, std::string_view(whole).substr(end));
  queue(client, render_http_answer({.status = SOUP_STATUS_BAD_REQUEST}, {}));
  client.leave(monotonic_now());
}

void MailboxServerClients::answer(Client& client, const HttpRequest& request,
                                  std::string_view rest) {
  HttpAnswer answer = callbacks_.request(request);
  if (is_upgrade(answer) && !admit(client, request)) {
    answer = {.status = SOUP_STATUS_SERVICE_UNAVAILABLE};
  }
  queue(client, render_http_answer(answer, request.method));
  if (is_upgrade(answer)) return upgrade(client, rest);
  client.leave(monotonic_now());
}

// False when the client that a reverse proxy speaks for has too many connections.
bool MailboxServerClients::admit(Client& client, const HttpRequest& request) {
  if (!config_.behind_proxy || !client.origin.is_local) return true;
  const auto field = request.field("X-Forwarded-For");
  if (!field) return true;
  auto forwarded = forwarded_origin(*field);
  if (!forwarded) return true;
  if (!count(forwarded->key)) {
    ++totals_.refused_per_address;
    return false;
  }
  discount(client.origin.key);
  forwarded->is_local = false;  // one address for one connection
  client.origin = *std::move(forwarded);
  return true;
}

void MailboxServerClients::upgrade(Client& client, std::string_view rest) {
  client.phase = ClientOpen{wire::WebSocketReader(config_.rules.max_frame), monotonic_now()};
  expect_message(client);
  client.joined = client.known = true;
  if (config_.report) config_.report(MailboxClientConnected{client.id, client.origin.network});
  callbacks_.joined({client.id, std::exchange(client.origin.address, {}), client.origin.key});
  if (client.is_open()) take_frames(client, rest);
}

void MailboxServerClients::take_frames(Client& client, std::string_view octets) {
  while (!octets.empty() && !client.over) {
    auto* open = std::get_if<ClientOpen>(&client.phase);
    if (open == nullptr) return;
    auto event = open->reader.next(octets);
    if (event) take(client, *std::move(event));
  }
}

void MailboxServerClients::take(Client& client, wire::WebSocketEvent event) {
  std::visit(Overloaded{
                 [&](wire::WebSocketMessage& message) {
                   expect_message(client);
                   ++totals_.frames_received;
                   callbacks_.frame(client.id, std::move(message.payload));
                 },
                 [&](const wire::WebSocketPing& ping) {
                   queue_frame(client, wire::WebSocketOpcode::kPong, ping.payload);
                 },
                 [](const wire::WebSocketPong&) {},
                 [&](const wire::WebSocketClosed& closed) { say_goodbye(client, closed.code); },
                 [&](const wire::WebSocketBroken& broken) {
                   const bool too_big = broken.code == wire::WebSocketClose::kTooBig;
                   if (too_big) client.end = ClientEnd::kFlooded;
                   say_goodbye(client, broken.code);
                 },
             },
             event);
}

void MailboxServerClients::expect_message(Client& client) const {
  client.receive_limit = client.received + config_.rules.max_frame + kMaxFraming;
}

void MailboxServerClients::say_goodbye(Client& client, wire::WebSocketClose code) {
  std::string frame;
  wire::append_websocket_close(frame, code);
  queue(client, frame);
  if (!client.over) client.leave(monotonic_now());
}

// --- writing

void MailboxServerClients::send(Id id, std::string_view frame) {
  Client* client = find(id);
  if (client == nullptr || client->over || !client->is_open()) return;
  ++totals_.frames_sent;
  queue_frame(*client, wire::WebSocketOpcode::kText, frame);
}

void MailboxServerClients::queue(Client& client, std::string_view octets) {
  queued(client, client.queue(octets));
}

void MailboxServerClients::queue_frame(Client& client, wire::WebSocketOpcode opcode,
                                       std::string_view payload) {
  queued(client, client.queue_frame(opcode, payload));
}

void MailboxServerClients::queued(Client& client, std::size_t octets) {
  backlog_in_all_ += octets;
  note(client);
  if (client.backlog() < kFlushAtOnce) return;
  flush(client);
  relieve(client);
}

void MailboxServerClients::note(Client& client) {
  if (std::exchange(client.noted, true)) return;
  if (noted_.empty()) turn_.soon();
  noted_.push_back(client.id);
}

void MailboxServerClients::flush(Client& client) {
  backlog_in_all_ -= client.flush();
  if (client.over) return;
  if (client.wants_write() != client.watches_write) {
    client.watches_write = client.wants_write();
    sockets_.want_write(client.fd(), client.id, client.watches_write);
  }
}

void MailboxServerClients::relieve(Client& client) {
  if (client.backlog() > config_.max_backlog) cut(client, ClientEnd::kSlow);
  if (backlog_in_all_ <= config_.max_backlog_in_all) return;
  Client* slowest = nullptr;
  for (auto& [id, other] : clients_) {
    const bool counts = !other->over && other->is_open();
    if (counts && (slowest == nullptr || other->backlog() > slowest->backlog())) {
      slowest = other.get();
    }
  }
  if (slowest != nullptr) cut(*slowest, ClientEnd::kSlow);
}

}  // namespace peersock::adapters
