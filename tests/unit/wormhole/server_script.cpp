#include "server_script.hpp"

#include <sstream>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

using nlohmann::json;
using wormhole::ConnectionId;

constexpr double kEpoch = 1'700'000'000;

std::string field(const json& frame, const char* key) {
  const auto found = frame.find(key);
  if (found == frame.end()) return "(none)";
  if (!found->is_string()) return found->dump();
  return found->get<std::string>().empty() ? "''" : found->get<std::string>();
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::string brief(const json& frame) {
  std::string type = field(frame, "type");
  if (type == "ack") return "ack " + field(frame, "id");
  if (type == "welcome") return "welcome " + field(frame, "welcome");
  if (type == "claimed") return "claimed " + field(frame, "mailbox");
  if (type == "allocated") return "allocated " + field(frame, "nameplate");
  if (type == "error") return "error " + field(frame, "error");
  if (type == "pong") return "pong " + field(frame, "pong");
  if (type == "nameplates") {
    std::string text = "nameplates";
    for (const json& nameplate : frame.at("nameplates")) text += ' ' + field(nameplate, "id");
    return text;
  }
  if (type == "message") {
    return "message " + field(frame, "side") + ' ' + field(frame, "phase") + ' ' +
           field(frame, "body");
  }
  return type;
}

ServerScript::ServerScript(wormhole::ServerConfig config, std::uint64_t seed)
    : rng_(seed), server_(std::move(config), rng_, kEpoch, now_) {}

ServerScript::ServerScript(wormhole::ServerConfig config, wormhole::ServerState restored)
    : rng_(2), server_(std::move(config), rng_, kEpoch, now_, std::move(restored)) {}

void ServerScript::post(wormhole::ServerInput input) {
  for (auto& output : server_.handle(std::move(input), now_)) {
    std::visit(
        Overloaded{
            [this](wormhole::SendToClient& sent) {
              json frame = json::parse(sent.frame);
              EXPECT_TRUE(frame.at("server_tx").is_number_float()) << sent.frame;
              if (frame.at("type") == "ack" && !show_acks_) return;
              inboxes_[sent.connection].push_back(std::move(frame));
            },
            [this](wormhole::DropClient& dropped) { ++drops_[dropped.connection]; },
            [this](wormhole::StoreChange& store) { changes_.push_back(std::move(store.change)); },
        },
        output);
  }
}

void ServerScript::pass_time(Duration duration) {
  const Instant end = now_ + duration;
  while (server_.deadline() && *server_.deadline() <= end) {
    now_ = *server_.deadline();
    post(DeadlineReached{});
  }
  now_ = end;
}

void ServerScript::play(std::string_view script) {
  std::istringstream lines{std::string(script)};
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    if (line.empty()) continue;
    SCOPED_TRACE("line: " + line);
    play_line(line);
  }
  expect_silence("the end");
}

void ServerScript::play_line(const std::string& line) {
  if (line == "acks on") {
    show_acks_ = true;
    return;
  }
  if (line.starts_with("after ")) {
    expect_silence(line);
    pass_time(std::chrono::seconds(std::stoll(line.substr(6))));
    return;
  }
  std::size_t used = 0;
  const ConnectionId who = std::stoull(line, &used);
  const std::string rest = line.substr(used);
  if (rest.starts_with("<")) return expect(who, trimmed(rest.substr(1)));
  if (rest == " dropped") {
    EXPECT_EQ(drops_[who], 1);
    drops_[who] = 0;
    return;
  }
  expect_silence(line);
  if (rest.starts_with(">")) {
    return post(wormhole::ClientFrameReceived{who, substituted(trimmed(rest.substr(1)))});
  }
  act(who, trimmed(rest));
}

void ServerScript::act(ConnectionId who, const std::string& what) {
  if (what == "connects") return post(wormhole::ClientConnected{who, std::nullopt});
  if (what == "leaves") return post(wormhole::ClientDisconnected{who});
  std::istringstream words(what);
  std::string verb;
  std::string side;
  std::string in;
  std::string appid = "app";
  words >> verb >> side >> in >> appid;
  ASSERT_EQ(verb, "joins") << "unknown line";
  if (in.empty()) appid = "app";
  post(wormhole::ClientConnected{who, std::nullopt});
  inboxes_[who].clear();
  const json bind = {{"type", "bind"}, {"appid", appid}, {"side", side}};
  post(wormhole::ClientFrameReceived{who, bind.dump()});
  if (show_acks_) inboxes_[who].clear();
}

void ServerScript::expect(ConnectionId who, const std::string& pattern) {
  auto& inbox = inboxes_[who];
  ASSERT_FALSE(inbox.empty()) << "nothing heard";
  const std::string heard = brief(inbox.front());
  inbox.pop_front();
  EXPECT_TRUE(matches(heard, pattern)) << "heard: " << heard;
}

void ServerScript::expect_silence(std::string_view before) {
  for (auto& [who, inbox] : inboxes_) {
    for (const json& frame : inbox) {
      ADD_FAILURE() << "connection " << who << " also heard, before " << before << ": "
                    << brief(frame);
    }
    inbox.clear();
  }
  for (auto& [who, drops] : drops_) {
    EXPECT_EQ(std::exchange(drops, 0), 0) << "connection " << who << " dropped before " << before;
  }
}

std::string ServerScript::substituted(std::string text) const {
  for (const auto& [name, word] : words_) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), word);
    }
  }
  return text;
}

bool ServerScript::matches(const std::string& heard, const std::string& pattern) {
  const std::string known = substituted(pattern);
  const auto dollar = known.find('$');
  if (dollar == std::string::npos) return heard == known;
  // One new word, the last of the line.
  if (heard.substr(0, dollar) != known.substr(0, dollar)) return false;
  const std::string word = heard.substr(dollar);
  if (word.empty() || word.find(' ') != std::string::npos) return false;
  words_[known.substr(dollar)] = word;
  return true;
}

void PrintTo(const ServerRule& rule, std::ostream* out) {
  *out << rule.name;
}
std::string rule_name(const ::testing::TestParamInfo<ServerRule>& info) {
  return info.param.name;
}

}  // namespace peersock::testing
