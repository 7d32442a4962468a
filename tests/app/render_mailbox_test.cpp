#include "app/render_mailbox.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace peersock::app {
namespace {

using namespace adapters;  // NOLINT(google-build-using-namespace)

struct Case {
  MailboxFact fact;
  std::string json;
  std::string text;
  Verbosity from = Verbosity::kNormal;
};

const Case kCases[] = {
    {MailboxAdminListening{"http://[::1]:9100"},
     R"({"v":1,"event":"admin_listening","url":"http://[::1]:9100"})",
     "Health and metrics at http://[::1]:9100"},
    {MailboxTlsReloaded{}, R"({"v":1,"event":"tls_reloaded"})", "Certificate and key read again"},
    {MailboxClientConnected{7, "192.0.2.0/24"},
     R"({"v":1,"event":"client_connected","client":7,"network":"192.0.2.0/24"})",
     "Client 7 connected from 192.0.2.0/24", Verbosity::kVerbose},
    {MailboxClientDisconnected{7, "unix", ClientEnd::kSlow, 1500ms, 2048, 3},
     R"({"v":1,"event":"client_disconnected","client":7,"network":"unix","reason":"slow",)"
     R"("seconds":1.5,"bytes_received":2048,"bytes_sent":3})",
     "Client 7 from unix has gone (slow) after 1.5 s, 2.0 KiB received, 3 B sent",
     Verbosity::kVerbose},
    {MailboxClientsRefused{2, 3}, R"({"v":1,"event":"clients_refused","full":2,"per_address":3})",
     "Warning: 5 connections turned away, 3 of them because of their address; see "
     "--max-connections"},
    {MailboxStateRestored{1, 2, 3},
     R"({"v":1,"event":"state_restored","mailboxes":1,"nameplates":2,"messages":3})",
     "Restored: 1 mailboxes, 2 nameplates, 3 messages"},
    {MailboxStateFailing{"the state file \xff is full\n"},
     "{\"v\":1,\"event\":\"state_failing\",\"message\":\"the state file \xef\xbf\xbd is full\\n\"}",
     "Warning: the state file \xef\xbf\xbd is full ; going on in memory"},
    {MailboxStateKept{}, R"({"v":1,"event":"state_kept"})", "The state file is whole again"},
};

TEST(RenderMailbox, EveryFactHasItsLines) {
  static_assert(std::variant_size_v<MailboxFact> == std::size(kCases));
  for (const Case& c : kCases) {
    EXPECT_EQ(render_json(c.fact), c.json);
    EXPECT_EQ(render_text(c.fact, Verbosity::kVerbose), c.text);
    EXPECT_EQ(render_text(c.fact, Verbosity::kNormal).has_value(), c.from == Verbosity::kNormal);
    EXPECT_FALSE(render_text(c.fact, Verbosity::kQuiet));
  }
}

TEST(RenderMailbox, TheSpecificationNamesEveryEventAndReason) {
  const std::string specification = peersock::testing::read_specification("events.md");
  for (const Case& c : kCases) {
    const auto begin = c.json.find("\"event\":\"") + 9;
    const std::string name = c.json.substr(begin, c.json.find('"', begin) - begin);
    EXPECT_NE(specification.find("`" + name + "`"), std::string::npos) << name;
  }
  for (std::size_t end = 0; end < kClientEnds; ++end) {
    const std::string name(to_string(static_cast<ClientEnd>(end)));
    EXPECT_NE(specification.find("`" + name + "`"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace peersock::app
