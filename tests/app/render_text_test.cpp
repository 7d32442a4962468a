#include "app/render_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Shown {
  std::string name;
  std::function<Event()> event;
  Verbosity from;  ///< the least verbosity at which it is shown
  std::string line;
};

const PathInfo kDirect{false, "host", "srflx", "192.0.2.1:5", "198.51.100.2:6", "udp"};
const PathInfo kRelayed{true, "relay", "host", "192.0.2.9:5", "[2001:db8::1]:6", "tcp"};

std::vector<Shown> all_events() {
  using V = Verbosity;
  return {
      {"code", [] { return event::CodeMade{Secret(std::string_view("8-lab-name-blanket"))}; },
       V::kQuiet, "Connection Code is: 8-lab-name-blanket"},
      {"rendezvous", [] { return event::RendezvousJoined{"ws://h/v1"}; }, V::kVerbose,
       "Rendezvous server: ws://h/v1"},
      {"motd", [] { return event::Motd{"back at noon"}; }, V::kNormal,
       "The rendezvous server says: back at noon"},
      {"peer", [] { return event::PeerArrived{"connect"}; }, V::kNormal,
       "The other side is here (connect)"},
      {"path",
       [] {
         return event::PathChosen{kDirect, 1500us};
       },
       V::kNormal, "Path: direct, host to srflx, udp, 1.5 ms"},
      {"relayed",
       [] {
         return event::PathChosen{kRelayed, std::nullopt};
       },
       V::kNormal, "Path: relayed, relay to host, tcp"},
      {"relayed, and why",
       [] {
         PathInfo path = kRelayed;
         path.reason = RelayReason::kBothNatsDependent;
         return event::PathChosen{path, 1500us};
       },
       V::kNormal,
       "Path: relayed, relay to host, tcp, 1.5 ms: the NATs of both sides use another address for "
       "each peer"},
      {"silent path", [] { return event::PathRestarted{RestartReason::kSilent}; }, V::kNormal,
       "Path: no answer from the other side, looking for another way"},
      {"broken path", [] { return event::PathRestarted{RestartReason::kBroken}; }, V::kNormal,
       "Path: broken, looking for another way"},
      {"other network", [] { return event::PathRestarted{RestartReason::kNetwork}; }, V::kNormal,
       "Path: the network has changed, looking for another way"},
      {"asked for", [] { return event::PathRestarted{RestartReason::kPeer}; }, V::kNormal,
       "Path: the other side looks for another way"},
      {"proof", [] { return event::Authenticated{}; }, V::kNormal, "Auth success"},
      {"listening", [] { return event::Listening{"127.0.0.1:80"}; }, V::kNormal,
       "Listening on 127.0.0.1:80"},
      {"opened", [] { return event::ConnectionOpened{3}; }, V::kVerbose, "Connection 3 opened"},
      {"finished",
       [] {
         return event::ConnectionClosed{3, CloseReason::kFinished, 10, 2048};
       },
       V::kVerbose, "Connection 3 finished, 10 B sent, 2.0 KiB received"},
      {"aborted",
       [] {
         return event::ConnectionClosed{4, CloseReason::kAborted, 0, 0};
       },
       V::kVerbose, "Connection 4 reset, 0 B sent, 0 B received"},
      {"cut off",
       [] {
         return event::ConnectionClosed{4, CloseReason::kSessionLost, 0, 0};
       },
       V::kVerbose, "Connection 4 cut off, 0 B sent, 0 B received"},
      {"refused",
       [] {
         return event::ConnectionClosed{5, CloseReason::kRefused, 0, 0};
       },
       V::kNormal, "Connection 5 refused by the target, 0 B sent, 0 B received"},
      {"unreachable",
       [] {
         return event::ConnectionClosed{5, CloseReason::kUnreachable, 0, 0};
       },
       V::kNormal, "Connection 5 target not reachable, 0 B sent, 0 B received"},
      {"left", [] { return event::PeerLeft{}; }, V::kNormal, "The other side has left"},
      {"warning", [] { return event::Warning{"slow"}; }, V::kNormal, "Warning: slow"},
      {"error",
       [] {
         return event::Failed{{ErrorKind::kNoPath, "no path; try again"}};
       },
       V::kQuiet, "Error: no path; try again"},
      {"ended", [] { return event::Ended{ExitCode::kNoPath}; }, V::kVerbose,
       "Ended with exit code 6"},
      {"mailbox", [] { return event::MailboxListening{"ws://127.0.0.1:4000/v1"}; }, V::kNormal,
       "Rendezvous server at ws://127.0.0.1:4000/v1"},
  };
}

TEST(RenderText, EveryEventHasItsLineAndVerbosity) {
  for (const Shown& shown : all_events()) {
    for (const Verbosity verbosity : {Verbosity::kQuiet, Verbosity::kNormal, Verbosity::kVerbose}) {
      const auto line = render_text(shown.event(), verbosity);
      ASSERT_EQ(line.has_value(), verbosity >= shown.from) << shown.name;
      if (line && verbosity == shown.from) {
        EXPECT_EQ(*line, shown.line);
      }
    }
  }
}

TEST(RenderText, VerboseAddsTheAddresses) {
  EXPECT_EQ(render_text(event::PathChosen{kDirect, 20ms}, Verbosity::kVerbose),
            "Path: direct, host to srflx, udp, 20 ms (192.0.2.1:5 to 198.51.100.2:6, nice)");
  PathInfo split = kDirect;
  split.split = true;
  EXPECT_EQ(render_text(event::PathChosen{split, std::nullopt}, Verbosity::kVerbose),
            "Path: direct, host to srflx, udp (192.0.2.1:5 to 198.51.100.2:6, split)");
}

TEST(RenderText, TextOfOthersCannotTouchTheTerminal) {
  const std::string nasty = "a\x1b[2J\nAuth success\xff";
  const PathInfo path{false, nasty, nasty, nasty, nasty, nasty};
  const std::vector<Event> events = [&] {
    std::vector<Event> list;
    list.emplace_back(event::RendezvousJoined{nasty});
    list.emplace_back(event::Motd{nasty});
    list.emplace_back(event::PeerArrived{nasty});
    list.emplace_back(event::PathChosen{path, 1ms});
    list.emplace_back(event::Listening{nasty});
    list.emplace_back(event::Warning{nasty});
    list.emplace_back(event::Failed{{ErrorKind::kInternal, nasty}});
    list.emplace_back(event::MailboxListening{nasty});
    return list;
  }();
  for (const Event& event : events) {
    const auto line = render_text(event, Verbosity::kVerbose);
    ASSERT_TRUE(line);
    for (const char* bad : {"\x1b", "\n", "\xff"}) {
      EXPECT_THAT(*line, Not(HasSubstr(bad)));
    }
  }
}

TEST(RenderText, BytesHaveFourDigitsAtMost) {
  const auto of = [](std::uint64_t bytes) { return format_bytes(bytes); };
  EXPECT_THAT((std::vector{of(0), of(1), of(1023), of(1024), of(1536), of(102348), of(102400)}),
              ElementsAre("0 B", "1 B", "1023 B", "1.0 KiB", "1.5 KiB", "99.9 KiB", "100 KiB"));
  EXPECT_THAT((std::vector{of(1047551), of(1048063), of(1048064), of(1048576), of(64ULL << 30U)}),
              ElementsAre("1023 KiB", "1023 KiB", "1.0 MiB", "1.0 MiB", "64.0 GiB"));
  EXPECT_EQ(of(UINT64_MAX), "16.0 EiB");
}

TEST(RenderText, DurationsAreShort) {
  EXPECT_EQ(format_duration(0ns), "0.0 ms");
  EXPECT_EQ(format_duration(449us), "0.4 ms");
  EXPECT_EQ(format_duration(9940us), "9.9 ms");
  EXPECT_EQ(format_duration(9960us), "10 ms");
  EXPECT_EQ(format_duration(999ms), "999 ms");
  EXPECT_EQ(format_duration(1500ms), "1.5 s");
}

}  // namespace
}  // namespace peersock::app
