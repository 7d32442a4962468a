// The rendezvous server under random requests of random clients: what must hold whatever they do.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "support/seeded_rng.hpp"
#include "wormhole/server.hpp"

namespace peersock::testing {
namespace {

using nlohmann::json;
using namespace peersock::wormhole;

/// One random step; every field is reduced to the small world that it is about.
struct Step {
  std::uint8_t verb = 0;
  std::uint8_t who = 0;
  std::uint8_t what = 0;
  std::uint16_t seconds = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << int(step.verb) << ' ' << int(step.who) << ' ' << int(step.what) << ' '
             << step.seconds << '}';
}

ServerConfig tight_config() {
  ServerConfig config;
  config.max_frame = 2000;
  config.max_messages_per_mailbox = 8;
  config.max_octets_per_mailbox = 4000;
  config.max_mailboxes = 5;
  config.max_octets = 12'000;
  config.max_listeners_per_mailbox = 3;
  return config;
}

class World {
 public:
  explicit World(std::uint64_t seed) : rng_(seed), server_(tight_config(), rng_, 0, now_) {}

  void take(const Step& step) {
    const ConnectionId who = step.who % 7;
    switch (step.verb % 14) {
      case 0:
        return connect(who);
      case 1:
        return disconnect(who);
      case 2:
        return bind(who, step.what);
      case 3:
        return ask(who, {{"type", "allocate"}});
      case 4:
        return ask(who, {{"type", "claim"}, {"nameplate", std::to_string(step.what % 3)}});
      case 5:
        return ask(who, {{"type", "release"}});
      case 6:
        return ask(who, {{"type", "release"}, {"nameplate", std::to_string(step.what % 3)}});
      case 7:
        return ask(who, {{"type", "open"}, {"mailbox", mailbox(step.what)}});
      case 8:
      case 9:
        return add(who, step.seconds % 1200);
      case 10:
        return ask(who, {{"type", "close"}, {"mood", "happy"}});
      case 11:
        return ask(who, {{"type", "close"}, {"mailbox", mailbox(step.what)}});
      case 12:
        return pass_time(std::chrono::seconds(step.seconds % 700));
      default:
        return post(ClientFrameReceived{who, garbage(step.what)});
    }
  }

  /// Everybody goes, and nobody comes back.
  void end() {
    for (ConnectionId who = 0; who < 7; ++who) disconnect(who);
    pass_time(20min);
    const auto counts = server_.counts();
    RC_ASSERT(counts.connections == 0U);
    RC_ASSERT(counts.mailboxes == 0U);
    RC_ASSERT(counts.nameplates == 0U);
    RC_ASSERT(counts.messages == 0U);
    RC_ASSERT(counts.octets == 0U);
    RC_ASSERT(!server_.deadline());
  }

 private:
  struct Client {
    std::optional<std::string> party;  ///< application and side
    std::vector<int> heard;            ///< since the last `open`
    std::string opening;               ///< the mailbox of the latest `open`
  };
  struct Said {
    std::string mailbox;
    std::set<std::string> parties;
  };

  void connect(ConnectionId who) {
    if (clients_.contains(who)) return;
    clients_[who] = {};
    post(ClientConnected{who, std::nullopt});
  }
  void disconnect(ConnectionId who) {
    clients_.erase(who);
    post(ClientDisconnected{who});
  }
  void bind(ConnectionId who, unsigned what) {
    const std::string appid = what % 5 == 0 ? "other" : "app";
    const std::string side(1, static_cast<char>('a' + what % 3));
    const auto client = clients_.find(who);
    if (client != clients_.end() && !client->second.party) client->second.party = appid + side;
    ask(who, {{"type", "bind"}, {"appid", appid}, {"side", side}});
  }
  void add(ConnectionId who, std::size_t octets) {
    const std::string body = std::to_string(said_.size()) + ' ' + std::string(octets, 'x');
    said_.emplace_back();
    adding_ = who;
    ask(who, {{"type", "add"}, {"phase", "p"}, {"body", body}});
    adding_.reset();
  }
  void ask(ConnectionId who, const json& request) {
    const auto client = clients_.find(who);
    if (client == clients_.end() || request.at("type") != "open") {
      return post(ClientFrameReceived{who, request.dump()});
    }
    const Client before = client->second;
    client->second.heard.clear();
    client->second.opening = request.at("mailbox");
    refused_ = false;
    post(ClientFrameReceived{who, request.dump()});
    if (refused_) client->second = before;
  }
  void pass_time(Duration duration) {
    const Instant end = now_ + duration;
    while (server_.deadline() && *server_.deadline() <= end) {
      now_ = std::max(now_, *server_.deadline());
      post(DeadlineReached{});
    }
    now_ = end;
  }

  std::string mailbox(unsigned what) const {
    if (what % 2 == 0 && !claimed_.empty()) return claimed_[what % claimed_.size()];
    return std::string{'m', static_cast<char>('0' + what % 3)};
  }
  static std::string garbage(unsigned what) {
    static const char* const kGarbage[] = {
        "",
        "{",
        "[]",
        "5",
        "{}",
        R"({"type":{}})",
        R"({"type":"add"})",
        R"({"type":"open"})",
        "\xff",
        R"({"type":"claim","nameplate":[]})",
        R"({"type":"close","mailbox":7})",
        R"({"type":"bind","appid":{},"side":1})",
    };
    if (what == 255) return std::string(2001, ' ');
    return kGarbage[what % std::size(kGarbage)];
  }

  void post(ServerInput input) {
    for (const auto& output : server_.handle(std::move(input), now_)) {
      if (const auto* drop = std::get_if<DropClient>(&output)) {
        clients_.erase(drop->connection);
      } else {
        hear(std::get<SendToClient>(output));
      }
    }
    const auto counts = server_.counts();
    const auto config = tight_config();
    RC_ASSERT(counts.connections == clients_.size());
    RC_ASSERT(counts.mailboxes <= config.max_mailboxes);
    RC_ASSERT(counts.nameplates <= counts.mailboxes);
    RC_ASSERT(counts.messages <= counts.mailboxes * config.max_messages_per_mailbox);
    RC_ASSERT(counts.octets <= config.max_octets);
    RC_ASSERT((counts.octets == 0U) == (counts.mailboxes == 0U));
    RC_ASSERT(server_.deadline().has_value() == (counts.mailboxes > 0U));
  }

  void hear(const SendToClient& sent) {
    const auto client = clients_.find(sent.connection);
    RC_ASSERT(client != clients_.end());
    const json frame = json::parse(sent.frame);
    const std::string type = frame.at("type");
    if (type == "error") refused_ = true;
    if (type == "claimed") claimed_.push_back(frame.at("mailbox"));
    if (type != "message") return;
    RC_ASSERT(client->second.party.has_value());
    const int number = std::stoi(frame.at("body").get<std::string>());
    Said& said = said_.at(static_cast<std::size_t>(number));

    // A message reaches those who opened the mailbox that it was added to, and never a third side.
    if (said.mailbox.empty()) {
      RC_ASSERT(adding_.has_value());
      const Client& author = clients_.at(*adding_);
      said.mailbox = author.opening;
      said.parties.insert(*author.party);
    }
    said.parties.insert(*client->second.party);
    RC_ASSERT(said.parties.size() <= 2U);
    RC_ASSERT(client->second.opening == said.mailbox);

    // Each connection hears a mailbox from its beginning, in its order, each message once.
    auto& heard = client->second.heard;
    if (!heard.empty()) {
      RC_ASSERT(heard.back() < number);
      for (int between = heard.back() + 1; between < number; ++between) {
        RC_ASSERT(said_.at(static_cast<std::size_t>(between)).mailbox != said.mailbox);
      }
    }
    heard.push_back(number);
  }

  SeededRng rng_;
  Instant now_{};
  Server server_;
  std::map<ConnectionId, Client> clients_;
  std::vector<Said> said_;
  std::vector<std::string> claimed_;
  std::optional<ConnectionId> adding_;
  bool refused_ = false;
};

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(rc::gen::set(&Step::verb, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::who, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::what, rc::gen::arbitrary<std::uint8_t>()),
                              rc::gen::set(&Step::seconds, rc::gen::arbitrary<std::uint16_t>()));
}

TEST(ServerProperty, HoldsUnderRandomRequests) {
  EXPECT_TRUE(rc::check("random requests", [](std::uint64_t seed) {
    const auto steps = *rc::gen::resize(400, rc::gen::container<std::vector<Step>>(any_step()));
    World world(seed);
    for (const Step& step : steps) world.take(step);
    world.end();
  }));
}

/// A meeting of two that a crowd disturbs: most steps reach deep states.
TEST(ServerProperty, HoldsForClientsThatStartWell) {
  EXPECT_TRUE(rc::check("random requests after a good start", [](std::uint64_t seed) {
    const auto steps = *rc::gen::resize(300, rc::gen::container<std::vector<Step>>(any_step()));
    World world(seed);
    for (std::uint8_t who = 0; who < 4; ++who) {
      world.take({.verb = 0, .who = who});
      world.take({.verb = 2, .who = who, .what = static_cast<std::uint8_t>(1 + who % 2)});
      world.take({.verb = 7, .who = who, .what = 1});
    }
    for (const Step& step : steps) world.take(step);
    world.end();
  }));
}

}  // namespace
}  // namespace peersock::testing
