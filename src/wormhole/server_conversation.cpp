#include "wormhole/server_conversation.hpp"

#include <array>
#include <utility>

#include "wire/json_reader.hpp"

namespace peersock::wormhole::server {
namespace {

using nlohmann::json;

/// Application ids, sides, mailbox ids and phases; the reference server has no such limit.
constexpr std::size_t kMaxName = 512;
/// A longer request is not repeated in the error that answers it.
constexpr std::size_t kMaxOriginal = std::size_t{16} * 1024;
/// Requests are flat; what a client adds to them is ignored, but has to be read.
constexpr wire::JsonLimits kRequestLimits{.octets = 0, .depth = 32, .values = 1024};

bool is_scalar(const json& value) {
  return !value.is_structured();
}

/// The string `key`, or nothing when it is of another type or too long. It must exist.
std::optional<std::string> name_at(const json& message, const char* key) {
  const auto* text = wire::string_member(message, key);
  if (text == nullptr || text->size() > kMaxName) return std::nullopt;
  return *text;
}

json value_at(const json& message, const char* key) {
  const auto found = message.find(key);
  return found == message.end() ? json(nullptr) : *found;
}

std::optional<wire::Mood> mood_of(const json& message) {
  const auto* text = wire::string_member(message, "mood");
  if (text == nullptr) return std::nullopt;
  for (const auto mood :
       {wire::Mood::kHappy, wire::Mood::kLonely, wire::Mood::kScary, wire::Mood::kErrory}) {
    if (wire::to_string(mood) == *text) return mood;
  }
  return std::nullopt;
}

json to_json(const Message& message) {
  return {{"type", "message"},    {"side", message.side},           {"phase", message.phase},
          {"body", message.body}, {"server_rx", message.server_rx}, {"id", message.id}};
}

json error_reply(Refusal refusal, json original) {
  return {{"type", "error"}, {"error", refusal}, {"orig", std::move(original)}};
}

}  // namespace

void Replies::send(ConnectionId to, json reply) {
  reply["server_tx"] = wall_time_;
  outputs_.emplace_back(SendToClient{to, wire::to_json_text(reply)});
}

void Replies::send(const std::vector<ConnectionId>& to, json reply) {
  reply["server_tx"] = wall_time_;
  const std::string frame = wire::to_json_text(reply);
  for (const ConnectionId connection : to) outputs_.emplace_back(SendToClient{connection, frame});
}

void Replies::drop(ConnectionId connection) {
  outputs_.emplace_back(DropClient{connection});
  dropped_.push_back(connection);
}

void Conversation::welcome(const ServerConfig& config, const std::optional<ClientAddress>& address,
                           Replies& replies) const {
  json content = json::object();
  if (config.motd) content["motd"] = *config.motd;
  if (config.welcome_error) content["error"] = *config.welcome_error;
  if (config.advertised_version) content["current_cli_version"] = *config.advertised_version;
  if (address) {
    const bool ipv4 = address->family == ClientAddress::Family::kIpv4;
    content["your-address"] = {{ipv4 ? "ipv4" : "ipv6", address->host}, {"port", address->port}};
  }
  replies.send(connection_, {{"type", "welcome"}, {"welcome", std::move(content)}});
}

void Conversation::receive(const std::string& frame, const ServerConfig& config, Board& board,
                           Replies& replies, Instant now) {
  wire::JsonLimits limits = kRequestLimits;
  limits.octets = config.max_frame;
  const auto message = wire::parse_json(frame, limits);
  if (!message) {
    replies.send(connection_, error_reply("the message is not JSON", json::object()));
    return;
  }
  if (!message->is_object()) {
    replies.send(connection_, error_reply("the message is not a JSON object", json::object()));
    return;
  }
  Desk desk{board, replies, now};
  const auto done = dispatch(*message, desk);
  if (done) return;
  // The original is a courtesy to whoever debugs a client; a long one is not worth its traffic.
  replies.send(connection_,
               error_reply(done.error(), frame.size() <= kMaxOriginal ? *message : json::object()));
}

void Conversation::end(Board& board) {
  if (open_) board.mailboxes().ignore(open_->mailbox, connection_);
}

Conversation::Handler Conversation::handler_of(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, Handler>, 7> kHandlers{{
      {"list", &Conversation::on_list},
      {"allocate", &Conversation::on_allocate},
      {"claim", &Conversation::on_claim},
      {"release", &Conversation::on_release},
      {"open", &Conversation::on_open},
      {"add", &Conversation::on_add},
      {"close", &Conversation::on_close},
  }};
  for (const auto& [name, handler] : kHandlers) {
    if (name == type) return handler;
  }
  return nullptr;
}

Answer<void> Conversation::dispatch(const json& message, Desk& desk) {
  if (!message.contains("type")) return tl::unexpected<Refusal>("missing 'type'");
  desk.replies.send(connection_, {{"type", "ack"}, {"id", value_at(message, "id")}});
  const auto* type = wire::string_member(message, "type");
  if (type != nullptr && *type == "ping") return on_ping(message, desk);
  if (type != nullptr && *type == "bind") return on_bind(message, desk);
  if (!speaker_) return tl::unexpected<Refusal>("must bind first");
  const Handler handler = type == nullptr ? nullptr : handler_of(*type);
  if (handler == nullptr) return tl::unexpected<Refusal>("unknown type");
  return (this->*handler)(message, desk);
}

Answer<void> Conversation::on_ping(const json& message, Desk& desk) const {
  if (!message.contains("ping")) return tl::unexpected<Refusal>("ping requires 'ping'");
  desk.replies.send(connection_, {{"type", "pong"}, {"pong", value_at(message, "ping")}});
  return {};
}

Answer<void> Conversation::on_bind(const json& message, Desk& /*desk*/) {
  if (speaker_) return tl::unexpected<Refusal>("already bound");
  if (!message.contains("appid")) return tl::unexpected<Refusal>("bind requires 'appid'");
  if (!message.contains("side")) return tl::unexpected<Refusal>("bind requires 'side'");
  auto appid = name_at(message, "appid");
  if (!appid) return tl::unexpected<Refusal>("'appid' must be a string of at most 512 octets");
  auto side = name_at(message, "side");
  if (!side) return tl::unexpected<Refusal>("'side' must be a string of at most 512 octets");
  speaker_ = Speaker{*std::move(appid), *std::move(side), origin_};
  return {};
}

Answer<void> Conversation::on_list(const json& /*message*/, Desk& desk) {
  json nameplates = json::array();
  for (auto& name : desk.board.list(*speaker_)) nameplates.push_back({{"id", std::move(name)}});
  desk.replies.send(connection_, {{"type", "nameplates"}, {"nameplates", std::move(nameplates)}});
  return {};
}

Answer<void> Conversation::on_allocate(const json& /*message*/, Desk& desk) {
  if (did_allocate_) {
    return tl::unexpected<Refusal>("you already allocated one, don't be greedy");
  }
  const auto nameplate = desk.board.allocate(*speaker_, desk.now);
  if (!nameplate) return tl::unexpected(nameplate.error());
  did_allocate_ = true;
  desk.replies.send(connection_, {{"type", "allocated"}, {"nameplate", *nameplate}});
  return {};
}

Answer<void> Conversation::on_claim(const json& message, Desk& desk) {
  if (!message.contains("nameplate")) return tl::unexpected<Refusal>("claim requires 'nameplate'");
  if (did_claim_) return tl::unexpected<Refusal>("only one claim per connection");
  did_claim_ = true;
  const auto* name = wire::string_member(message, "nameplate");
  if (name == nullptr || !is_nameplate(*name)) {
    return tl::unexpected<Refusal>("'nameplate' must be a string of 1 to 40 digits");
  }
  nameplate_ = *name;
  const auto mailbox = desk.board.claim(*speaker_, *name, desk.now);
  if (!mailbox) return tl::unexpected(mailbox.error());
  desk.replies.send(connection_, {{"type", "claimed"}, {"mailbox", *mailbox}});
  return {};
}

Answer<void> Conversation::on_release(const json& message, Desk& desk) {
  if (did_release_) return tl::unexpected<Refusal>("only one release per connection");
  std::string nameplate;
  if (message.contains("nameplate")) {
    const auto* name = wire::string_member(message, "nameplate");
    if (nameplate_ && (name == nullptr || *name != *nameplate_)) {
      return tl::unexpected<Refusal>("release and claim must use same nameplate");
    }
    if (name == nullptr) {
      return tl::unexpected<Refusal>("'nameplate' must be a string of 1 to 40 digits");
    }
    nameplate = *name;
  } else {
    if (!nameplate_) {
      return tl::unexpected<Refusal>("release without nameplate must follow claim");
    }
    nameplate = *nameplate_;
  }
  did_release_ = true;
  desk.board.release(*speaker_, nameplate);
  desk.replies.send(connection_, {{"type", "released"}});
  return {};
}

Answer<void> Conversation::on_open(const json& message, Desk& desk) {
  if (open_) return tl::unexpected<Refusal>("only one open per connection");
  if (!message.contains("mailbox")) return tl::unexpected<Refusal>("open requires 'mailbox'");
  auto mailbox = name_at(message, "mailbox");
  if (!mailbox) {
    return tl::unexpected<Refusal>("'mailbox' must be a string of at most 512 octets");
  }
  mailbox_ = *std::move(mailbox);
  const auto tenancy = desk.board.open(*speaker_, *mailbox_, desk.now);
  if (!tenancy) return tl::unexpected(tenancy.error());
  open_ = *tenancy;
  Mailboxes& mailboxes = desk.board.mailboxes();
  if (const auto evicted = mailboxes.listen(*open_, connection_)) desk.replies.drop(*evicted);
  if (const auto* history = mailboxes.history(*open_)) {
    for (const Message& old : *history) desk.replies.send(connection_, to_json(old));
  }
  return {};
}

Answer<void> Conversation::on_add(const json& message, Desk& desk) {
  if (!open_) return tl::unexpected<Refusal>("must open mailbox before adding");
  if (!message.contains("phase")) return tl::unexpected<Refusal>("missing 'phase'");
  if (!message.contains("body")) return tl::unexpected<Refusal>("missing 'body'");
  auto phase = name_at(message, "phase");
  if (!phase) return tl::unexpected<Refusal>("'phase' must be a string of at most 512 octets");
  const auto* body = wire::string_member(message, "body");
  if (body == nullptr) return tl::unexpected<Refusal>("'body' must be a string");
  json id = value_at(message, "id");
  if (!is_scalar(id)) return tl::unexpected<Refusal>("'id' must be a string or a number");

  Message added{speaker_->side, *std::move(phase), *body, std::move(id), desk.replies.wall_time()};
  json reply = to_json(added);
  Mailboxes& mailboxes = desk.board.mailboxes();
  const auto kept = mailboxes.add(*open_, std::move(added), desk.now);
  if (!kept) return kept;
  if (const auto* listeners = mailboxes.listeners(*open_)) {
    desk.replies.send(*listeners, std::move(reply));
  }
  return {};
}

Answer<std::string> Conversation::mailbox_to_close(const json& message) const {
  if (!message.contains("mailbox")) {
    if (mailbox_) return *mailbox_;
    return tl::unexpected<Refusal>("close without mailbox must follow open");
  }
  auto mailbox = name_at(message, "mailbox");
  if (mailbox_ && mailbox != mailbox_) {
    return tl::unexpected<Refusal>("open and close must use same mailbox");
  }
  if (!mailbox) {
    return tl::unexpected<Refusal>("'mailbox' must be a string of at most 512 octets");
  }
  return *std::move(mailbox);
}

Answer<void> Conversation::on_close(const json& message, Desk& desk) {
  if (did_close_) return tl::unexpected<Refusal>("only one close per connection");
  const auto mailbox = mailbox_to_close(message);
  if (!mailbox) return tl::unexpected(mailbox.error());
  const bool entered = open_.has_value();
  if (entered) desk.board.mailboxes().ignore(*mailbox, connection_);
  const auto closed = desk.board.close(*speaker_, *mailbox, entered, mood_of(message), desk.now);
  if (!closed) return closed;
  did_close_ = true;
  open_.reset();
  desk.replies.send(connection_, {{"type", "closed"}});
  return {};
}

}  // namespace peersock::wormhole::server
