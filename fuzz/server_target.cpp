// The rendezvous server under operations: connections come, ask, go, time passes, the process is
// restarted. The input chooses what is done next; what must hold is checked after every step.
#include <map>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "support/seeded_rng.hpp"
#include "support/state_model.hpp"
#include "targets.hpp"
#include "wire/json_reader.hpp"
#include "wormhole/server.hpp"

namespace peersock::fuzz {
namespace {

using nlohmann::json;
using namespace wormhole;  // NOLINT(google-build-using-namespace)

constexpr ConnectionId kConnections = 8;
constexpr double kEpoch = 1'700'000'000;

/// So tight that every limit is met soon.
ServerConfig tight_config() {
  ServerConfig config;
  config.store_changes = true;
  config.max_frame = 1500;
  config.max_messages_per_mailbox = 6;
  config.max_octets_per_mailbox = 3000;
  config.max_mailboxes = 6;
  config.max_octets = 9000;
  config.max_listeners_per_mailbox = 3;
  config.max_nameplates_per_origin = 3;
  return config;
}

/// Reads the input piece by piece; when it ends, everything is zero.
class Source {
 public:
  explicit Source(ByteView input) : input_(input) {}
  [[nodiscard]] bool empty() const { return input_.empty(); }
  std::uint8_t octet() {
    if (input_.empty()) return 0;
    const std::uint8_t first = input_.front();
    input_ = input_.subspan(1);
    return first;
  }
  std::string text(std::size_t size) {
    const std::size_t taken = std::min(size, input_.size());
    std::string text(as_text(input_.first(taken)));
    input_ = input_.subspan(taken);
    return text;
  }

 private:
  ByteView input_;
};

std::string quoted_name(std::uint8_t choice, std::string_view kind) {
  return std::string(kind) + static_cast<char>('a' + choice % 4);
}

/// A request of one of the known types, whose members are right, missing or of a wrong type.
json request_from(Source& source) {
  static constexpr const char* kTypes[] = {"bind", "list",  "allocate", "claim", "release", "open",
                                           "add",  "close", "ping",     "bind",  "add",     "odd"};
  const std::uint8_t shape = source.octet();
  const std::uint8_t detail = source.octet();
  json request = {{"type", kTypes[shape % std::size(kTypes)]}};
  const bool broken = detail >= 0xf0;
  const auto put = [&](const char* key, const json& value) {
    if (!broken) {
      request[key] = value;
    } else if (detail % 2 == 0) {
      request[key] = 7;
    }
  };
  const std::string type = request["type"];
  if (type == "bind") {
    put("appid", detail % 5 == 0 ? "other" : "app");
    put("side", quoted_name(detail, "s"));
  }
  const bool named = detail % 3 != 0;
  if (type == "claim" || (type == "release" && named)) {
    put("nameplate", std::to_string(detail % 4));
  }
  if (type == "open" || (type == "close" && named)) put("mailbox", quoted_name(detail, "m"));
  if (type == "close" && detail % 2 == 0) put("mood", detail % 4 == 0 ? "happy" : "scary");
  if (type == "add") {
    put("phase", std::to_string(detail % 3));
    put("body", std::string(std::size_t{detail} * 6, 'x'));
  }
  if (type == "ping") put("ping", detail);
  if (shape >= 0x80) request["id"] = detail;
  return request;
}

class World {
 public:
  World() : server_(tight_config(), rng_, kEpoch, now_) {}

  void step(Source& source) {
    const std::uint8_t choice = source.octet();
    const ConnectionId who = choice % kConnections;
    switch (choice / kConnections % 16) {
      case 0:
        return connect(who, source.octet());
      case 1:
        open_.erase(who);
        return post(ClientDisconnected{who});
      case 2:
        now_ += std::chrono::seconds(source.octet()) * 4;
        return post(DeadlineReached{});
      case 3:
        return restart();
      case 4:
        return send(who, source.text(source.octet()));
      case 5:
        return send(who, std::string(1501, ' '));
      case 6:
        return use_what_was_given(who, source.octet());
      default:
        return send(who, request_from(source).dump());
    }
  }

  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  void fail(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }

  void connect(ConnectionId who, std::uint8_t origin) {
    const bool fresh = open_.insert(who).second;
    answers_ = {};
    post(ClientConnected{who, std::nullopt, origin % 3 == 0 ? "" : quoted_name(origin, "o")});
    if (answers_[who]["welcome"] != (fresh ? 1U : 0U)) fail("not one welcome for a new client");
  }

  /// The ids that the server makes are random, so that no input can name them.
  void use_what_was_given(ConnectionId who, std::uint8_t detail) {
    if (given_.empty()) return;
    const auto& [nameplate, mailbox] = given_.at(detail % given_.size());
    if (detail % 2 == 0 && !mailbox.empty()) {
      return send(who, json{{"type", "open"}, {"mailbox", mailbox}}.dump());
    }
    send(who, json{{"type", "claim"}, {"nameplate", nameplate}}.dump());
  }

  void send(ConnectionId who, const std::string& frame) {
    answers_ = {};
    asked_ = frame;
    post(ClientFrameReceived{who, frame});
    check_answers(who, frame);
  }

  /// Every request is acknowledged once, and answered once by what belongs to it or an error.
  void check_answers(ConnectionId who, const std::string& frame) {
    auto& heard = answers_[who];
    const auto total = [&heard](std::initializer_list<const char*> types) {
      std::size_t sum = 0;
      for (const char* type : types) sum += heard[type];
      return sum;
    };
    const bool was_here = here_before_;
    const std::size_t replies =
        total({"nameplates", "allocated", "claimed", "released", "closed", "pong", "error"});
    // What the server takes for JSON; deeper nesting is none to it.
    const auto parsed = wire::parse_json(frame, {.octets = 1500, .depth = 32, .values = 1024});
    const json request = parsed.value_or(json());
    const bool typed = request.is_object() && request.contains("type");
    const bool known = was_here && frame.size() <= tight_config().max_frame;
    if (known && typed != (heard["ack"] == 1)) fail("not one acknowledgement");
    if (!was_here && total({"ack"}) + replies != 0) fail("an answer to nobody");
    if (!was_here) return;
    const std::string type = typed && request["type"].is_string() ? request["type"] : "";
    // Nothing but the acknowledgement, or the messages themselves, answers these.
    const bool silent = type == "bind" || type == "open" || type == "add";
    if (silent ? replies > 1 || (replies == 1 && heard["error"] != 1) : replies != 1) {
      fail("not one answer to " + type);
    }
    for (const auto& [other, types] : answers_) {
      if (other == who) continue;
      for (const auto& [kind, count] : types) {
        if (kind != "message" || type != "add") fail("others hear of " + type);
      }
    }
  }

  void restart() {
    const ServerState before = server_.state();
    const auto counts = server_.counts();
    server_ = Server(tight_config(), rng_, kEpoch, now_, before);
    open_.clear();
    if (server_.state() != before) fail("a restart changes the state");
    const auto after = server_.counts();
    if (after.octets != counts.octets || after.messages != counts.messages ||
        after.mailboxes != counts.mailboxes || after.nameplates != counts.nameplates) {
      fail("a restart changes the counts");
    }
    model_ = testing::StateModel(before);
  }

  void post(ServerInput input) {
    here_before_ = false;
    if (const auto* frame = std::get_if<ClientFrameReceived>(&input)) {
      here_before_ = open_.contains(frame->connection);
    }
    bool said = false;
    for (auto& output : server_.handle(std::move(input), now_)) {
      std::visit(Overloaded{
                     [&](const SendToClient& sent) {
                       said = true;
                       hear(sent);
                     },
                     [&](const DropClient& dropped) { open_.erase(dropped.connection); },
                     [&](const StoreChange& store) {
                       if (said) fail("something is stored after it was said");
                       if (!model_.apply(store.change)) fail("a change that does not fit");
                     },
                 },
                 output);
    }
    check();
  }

  void hear(const SendToClient& sent) {
    if (!open_.contains(sent.connection)) return fail("a frame for nobody");
    const json frame = json::parse(sent.frame, nullptr, false);
    if (!frame.is_object() || !frame.contains("server_tx")) return fail("a frame that is none");
    const std::string type = frame.value("type", "");
    ++answers_[sent.connection][type];
    if (type == "allocated") given_.emplace_back(frame.at("nameplate"), "");
    if (type == "claimed") {
      const json request = json::parse(asked_, nullptr, false);
      given_.emplace_back(request.at("nameplate"), frame.at("mailbox"));
    }
    if (given_.size() > 16) given_.erase(given_.begin());
  }

  void check() {
    const ServerConfig config = tight_config();
    const auto counts = server_.counts();
    const ServerState state = server_.state();
    if (state != model_.state()) fail("what is stored is not what is");
    if (counts.connections != open_.size()) fail("connections are miscounted");
    if (counts.mailboxes != state.mailboxes.size()) fail("mailboxes are miscounted");
    if (counts.nameplates != state.nameplates.size()) fail("nameplates are miscounted");
    if (counts.octets > config.max_octets) fail("more is kept than may be");
    if (counts.mailboxes > config.max_mailboxes) fail("too many mailboxes");
    if (server_.deadline().has_value() != (counts.mailboxes > 0)) fail("a deadline for nothing");
    std::size_t messages = 0;
    std::size_t octets = 0;
    std::set<std::string> ids;
    for (const StoredMailbox& mailbox : state.mailboxes) {
      messages += mailbox.messages.size();
      ids.insert(mailbox.id);
      if (mailbox.messages.size() > config.max_messages_per_mailbox) fail("too many messages");
      for (const StoredMessage& message : mailbox.messages) octets += message.body.size();
    }
    if (messages != counts.messages) fail("messages are miscounted");
    if (octets > counts.octets) fail("octets are miscounted");
    for (const StoredNameplate& nameplate : state.nameplates) {
      if (!ids.contains(nameplate.mailbox)) fail("a nameplate that leads nowhere");
    }
  }

  testing::SeededRng rng_{1};
  Instant now_{};
  Server server_;
  testing::StateModel model_;
  std::set<ConnectionId> open_;
  std::vector<std::pair<std::string, std::string>> given_;  ///< nameplate, mailbox or ""
  std::string asked_;
  bool here_before_ = false;
  std::map<ConnectionId, std::map<std::string, std::size_t>> answers_;
  std::string broken_;
};

std::vector<Bytes> server_seeds() {
  // 0x00 + who connects, 0x38 + who sends a request: shape, detail.
  return {
      // Two sides meet: bind, allocate, claim what was given, open it, add, close.
      {0x00, 1, 0x38, 0,    1, 0x38, 2, 0,    0x30, 0,  0x30, 0, 0x38, 6,    9, 0x01, 2,
       0x39, 0, 2,    0x31, 1, 0x31, 0, 0x39, 6,    20, 0x38, 7, 3,    0x39, 7, 0},
      // Three come to one mailbox of their own choice; a restart; everybody again.
      {0x00, 0,    0x01, 0, 0x02, 0,    0x38, 0,    1,    0x39, 0,    2,  0x3a, 0,
       3,    0x38, 5,    4, 0x39, 5,    4,    0x3a, 5,    4,    0x38, 6,  5,    0x18,
       0x00, 1,    0x38, 0, 1,    0x38, 5,    4,    0x10, 250,  0x10, 250},
      // Claims and releases of one nameplate by two sides, then time passes.
      {0x00, 1, 0x01, 1,    0x38, 0,    1,    0x39, 0,    2,    0x38, 3,  5,
       0x39, 3, 5,    0x38, 4,    5,    0x38, 3,    5,    0x08, 0x00, 1,  0x38,
       0,    1, 0x38, 3,    5,    0x39, 4,    0,    0x10, 255,  0x10, 255},
      // What is no request, and what is too long.
      {0x00, 0, 0x20, 5, '{', '"', 'a', '"', '}', 0x20, 2, '[', ']', 0x28, 0x00, 0, 0x38, 0, 0xf1},
  };
}

std::string run_server(ByteView input) {
  World world;
  Source source(input);
  while (!source.empty() && world.broken().empty()) world.step(source);
  return world.broken();
}

constexpr Target kTargets[] = {{"server", server_seeds, run_server}};

}  // namespace

std::span<const Target> machine_targets() {
  return kTargets;
}

}  // namespace peersock::fuzz
