#include "wire/mailbox_message.hpp"

#include <utility>

#include <fmt/format.h>

#include "wire/code.hpp"
#include "wire/json_reader.hpp"
#include "wire/text.hpp"

namespace peersock::wire {
namespace {

using nlohmann::json;

/// Longest text of a server that we show, and longest name of a message type that we keep.
constexpr std::size_t kMaxShownText = 1000;
constexpr std::size_t kMaxTypeName = 64;
/// Long lists of nameplates are the largest thing that a server sends in good faith.
constexpr JsonLimits kReplyLimits{.octets = kMaxMailboxFrame};

// --- requests

json to_json(const request::Bind& r) {
  return {{"type", "bind"}, {"appid", r.appid}, {"side", r.side}};
}
json to_json(const request::List& /*r*/) {
  return {{"type", "list"}};
}
json to_json(const request::Allocate& /*r*/) {
  return {{"type", "allocate"}};
}
json to_json(const request::Claim& r) {
  return {{"type", "claim"}, {"nameplate", r.nameplate}};
}
json to_json(const request::Release& r) {
  json message = {{"type", "release"}};
  if (r.nameplate) message["nameplate"] = *r.nameplate;
  return message;
}
json to_json(const request::Open& r) {
  return {{"type", "open"}, {"mailbox", r.mailbox}};
}
json to_json(const request::Add& r) {
  return {{"type", "add"}, {"phase", r.phase}, {"body", r.body}};
}
json to_json(const request::Close& r) {
  json message = {{"type", "close"}};
  if (r.mailbox) message["mailbox"] = *r.mailbox;
  if (r.mood) message["mood"] = *r.mood;
  return message;
}
json to_json(const request::Ping& r) {
  return {{"type", "ping"}, {"ping", r.ping}};
}

// --- replies

using Parsed = tl::expected<MailboxReply, Malformed>;

tl::unexpected<Malformed> refuse(std::string what) {
  return tl::unexpected(Malformed{std::move(what)});
}

tl::unexpected<Malformed> bad_field(std::string_view type, std::string_view field) {
  return refuse(fmt::format("a message \"{}\" without a usable \"{}\"", type, field));
}

/// An optional text for people. False when it is there and is no string.
bool read_text(const json& object, std::string_view key, std::optional<std::string>& out) {
  const json* value = member(object, key);
  if (value == nullptr) return true;
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) return false;
  out = printable(*text, kMaxShownText);
  return true;
}

Parsed read_welcome(const json& frame) {
  const json* welcome = member(frame, "welcome");
  if (welcome == nullptr || !welcome->is_object()) return bad_field("welcome", "welcome");
  reply::Welcome result;
  if (!read_text(*welcome, "motd", result.motd)) return bad_field("welcome", "motd");
  if (!read_text(*welcome, "error", result.error)) return bad_field("welcome", "error");
  if (const json* methods = member(*welcome, "permission-required")) {
    if (!methods->is_object()) return bad_field("welcome", "permission-required");
    // The method "none" means that a client need not ask.
    result.permission_required = !methods->contains("none");
  }
  return result;
}

Parsed read_nameplates(const json& frame) {
  const json* list = member(frame, "nameplates");
  if (list == nullptr || !list->is_array()) return bad_field("nameplates", "nameplates");
  reply::Nameplates result;
  result.ids.reserve(list->size());
  for (const json& entry : *list) {
    const std::string* id = string_member(entry, "id");
    if (id == nullptr) return bad_field("nameplates", "id");
    result.ids.push_back(*id);
  }
  return result;
}

Parsed read_allocated(const json& frame) {
  const std::string* nameplate = string_member(frame, "nameplate");
  // It becomes part of a code that people read aloud, so nothing but digits will do.
  if (nameplate == nullptr || !is_nameplate(*nameplate)) {
    return bad_field("allocated", "nameplate");
  }
  return reply::Allocated{*nameplate};
}

Parsed read_claimed(const json& frame) {
  const std::string* mailbox = string_member(frame, "mailbox");
  if (mailbox == nullptr) return bad_field("claimed", "mailbox");
  return reply::Claimed{*mailbox};
}

Parsed read_message(const json& frame) {
  const std::string* side = string_member(frame, "side");
  const std::string* phase = string_member(frame, "phase");
  const std::string* body = string_member(frame, "body");
  if (side == nullptr) return bad_field("message", "side");
  if (phase == nullptr) return bad_field("message", "phase");
  if (body == nullptr) return bad_field("message", "body");
  return reply::Message{*side, *phase, *body};
}

Parsed read_error(const json& frame) {
  const std::string* error = string_member(frame, "error");
  if (error == nullptr) return bad_field("error", "error");
  reply::ServerError result{printable(*error, kMaxShownText), std::nullopt};
  // `orig` repeats what we sent, which may have been anything.
  const json* orig = member(frame, "orig");
  const std::string* type = orig == nullptr ? nullptr : string_member(*orig, "type");
  if (type != nullptr) result.orig_type = printable(*type, kMaxTypeName);
  return result;
}

Parsed read_by_type(std::string_view type, const json& frame) {
  if (type == "welcome") return read_welcome(frame);
  if (type == "ack") return reply::Ack{};
  if (type == "nameplates") return read_nameplates(frame);
  if (type == "allocated") return read_allocated(frame);
  if (type == "claimed") return read_claimed(frame);
  if (type == "released") return reply::Released{};
  if (type == "message") return read_message(frame);
  if (type == "closed") return reply::Closed{};
  if (type == "pong") return reply::Pong{};
  if (type == "error") return read_error(frame);
  return reply::Unknown{printable(type, kMaxTypeName)};
}

}  // namespace

std::string_view to_string(Mood mood) {
  switch (mood) {
    case Mood::kHappy:
      return "happy";
    case Mood::kLonely:
      return "lonely";
    case Mood::kScary:
      return "scary";
    case Mood::kErrory:
      return "errory";
  }
  return "errory";
}

std::string encode(const MailboxRequest& request) {
  return to_json_text(std::visit([](const auto& r) { return to_json(r); }, request));
}

Parsed parse_reply(std::string_view frame) {
  if (frame.size() > kMaxMailboxFrame) return refuse("a message that is too long");
  const auto parsed = parse_json(frame, kReplyLimits);
  if (!parsed) return refuse("something that is not JSON, or too deeply nested");
  if (!parsed->is_object()) return refuse("JSON that is not an object");
  const std::string* type = string_member(*parsed, "type");
  if (type == nullptr) return refuse("a message without a type");
  return read_by_type(*type, *parsed);
}

}  // namespace peersock::wire
