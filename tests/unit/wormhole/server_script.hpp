// Conversations with the rendezvous server machine, written as the lines that pass.
//
//     1 joins a            connection 1 connects and binds as side a of application "app"
//     1 joins a in other   … of application "other"
//     1 connects           connects only; the welcome is expected as any frame
//     1 leaves             disconnects
//     1> {"type":"list"}   connection 1 sends a frame, as it stands
//     1< closed            connection 1 hears; every frame has to be expected, in its order
//     1 dropped            the server closes connection 1
//     after 300            seconds pass; deadlines on the way are kept
//     acks on              acknowledgements are to be expected like any frame (otherwise ignored)
//
// `$name` in a `<` line stands for any one word the first time, and for that word from then on, in
// frames that are sent as well.
#pragma once

#include <deque>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/seeded_rng.hpp"
#include "wormhole/server.hpp"

namespace peersock::testing {

/// One frame of the server in few words: `claimed MAILBOX`, `error TEXT`,
/// `message SIDE PHASE BODY`, …; an empty word is written ''.
[[nodiscard]] std::string brief(const nlohmann::json& frame);

class ServerScript {
 public:
  explicit ServerScript(wormhole::ServerConfig config = {}, std::uint64_t seed = 1);
  /// A server that was restarted.
  ServerScript(wormhole::ServerConfig config, wormhole::ServerState restored);

  /// Plays the lines; each surprise is a test failure that names its line.
  void play(std::string_view script);

  /// Plays one line, and leaves what it causes in the inboxes.
  void begin(const std::string& line) { play_line(line); }

  /// Hands one input over, and sorts what comes back into the inboxes.
  void post(wormhole::ServerInput input);
  void pass_time(Duration duration);
  /// All frames for `connection` that were not taken yet.
  [[nodiscard]] std::deque<nlohmann::json>& inbox(wormhole::ConnectionId connection) {
    return inboxes_[connection];
  }
  [[nodiscard]] const wormhole::Server& server() const { return server_; }
  /// All that was to be stored, in its order.
  [[nodiscard]] const std::vector<wormhole::StateChange>& changes() const { return changes_; }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  void play_line(const std::string& line);
  void act(wormhole::ConnectionId who, const std::string& what);
  void expect(wormhole::ConnectionId who, const std::string& pattern);
  void expect_silence(std::string_view before);
  [[nodiscard]] std::string substituted(std::string text) const;
  [[nodiscard]] bool matches(const std::string& heard, const std::string& pattern);

  SeededRng rng_;
  Instant now_{};
  wormhole::Server server_;
  bool show_acks_ = false;
  std::map<wormhole::ConnectionId, std::deque<nlohmann::json>> inboxes_;
  std::map<wormhole::ConnectionId, int> drops_;
  std::map<std::string, std::string> words_;
  std::vector<wormhole::StateChange> changes_;
};

/// A script with a name, for parametrised tests.
struct ServerRule {
  const char* name;
  const char* script;
};
void PrintTo(const ServerRule& rule, std::ostream* out);
[[nodiscard]] std::string rule_name(const ::testing::TestParamInfo<ServerRule>& info);

}  // namespace peersock::testing
