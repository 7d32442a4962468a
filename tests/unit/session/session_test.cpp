#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_fixture.hpp"
#include "session_table.hpp"

namespace peersock::testing {
namespace {

using namespace session;  // NOLINT(google-build-using-namespace)

template <typename T>
const T* find(const std::vector<SessionOutput>& outputs) {
  for (const auto& output : outputs) {
    if (const T* held = std::get_if<T>(&output)) return held;
  }
  return nullptr;
}

const Error* failure(const std::vector<SessionOutput>& outputs) {
  for (const auto& output : outputs) {
    const auto* emit = std::get_if<Emit>(&output);
    if (emit == nullptr) continue;
    if (const auto* failed = std::get_if<event::Failed>(&emit->event)) return &failed->error;
  }
  return nullptr;
}

TEST(Session, DoesWhatItsTableSays) {
  EXPECT_EQ(to_text(session_table()), expected_table("session"));
}

TEST(Session, TheOpenerLeads) {
  using wire::Mode;
  for (const auto& [ours, theirs, role] :
       {std::tuple{Mode::kListen, Mode::kConnect, quic::Role::kClient},
        {Mode::kStdioB, Mode::kStdioA, quic::Role::kClient},
        {Mode::kConnect, Mode::kListen, quic::Role::kServer},
        {Mode::kStdioA, Mode::kStdioB, quic::Role::kServer}}) {
    SessionOptions options;
    options.mode = ours;
    options.peer_mode = theirs;
    SessionDriver d(options);
    d.to_seen();
    const auto outputs =
        d.give(PeerVerified{introduction_of(options), Secret(std::string_view("key"))});
    ASSERT_NE(find<StartQuic>(outputs), nullptr);
    EXPECT_EQ(find<StartQuic>(outputs)->role, role);
  }
}

TEST(Session, TwoOfTheSameKindAreRefusedWithOneSentenceOnBothSides) {
  using wire::Mode;
  for (const auto& [ours, theirs] : {std::pair{Mode::kListen, Mode::kListen},
                                     {Mode::kConnect, Mode::kConnect},
                                     {Mode::kStdioA, Mode::kStdioA},
                                     {Mode::kStdioB, Mode::kListen},
                                     {Mode::kConnect, Mode::kStdioA}}) {
    SessionOptions options;
    options.mode = ours;
    options.peer_mode = theirs;
    SessionDriver d(options);
    d.to_seen();
    const auto outputs =
        d.give(PeerVerified{introduction_of(options), Secret(std::string_view("key"))});
    ASSERT_NE(failure(outputs), nullptr);
    EXPECT_EQ(failure(outputs)->kind, ErrorKind::kIncompatible);
    EXPECT_EQ(d.names, "Emit CloseRendezvous");
  }
}

TEST(Session, NothingOfTheTunnelHappensBeforeTheProof) {
  // Whatever order facts come in, StartTunnel has one cause.
  for (const auto& row : session_table()) {
    if (row.outputs.find("StartTunnel") == std::string::npos) continue;
    EXPECT_EQ(row.state, "Proving");
    EXPECT_EQ(row.input, "ProofSucceeded");
  }
}

TEST(Session, AnOpenerChecksTheFirstMessageOnceWhileThePathIsSought) {
  SessionDriver opener;
  opener.to_connecting();
  EXPECT_EQ(opener.names, "Emit StartQuic AllowRestarts");
  const auto outputs = opener.give(PathSought{});
  ASSERT_NE(find<PrepareProof>(outputs), nullptr);
  EXPECT_EQ(find<PrepareProof>(outputs)->first, Bytes{1});
  EXPECT_TRUE(opener.give(PathSought{}).empty());

  SessionOptions accepting;
  accepting.mode = wire::Mode::kConnect;
  accepting.peer_mode = wire::Mode::kListen;
  SessionDriver acceptor(accepting);
  acceptor.to_connecting();
  EXPECT_TRUE(acceptor.give(PathSought{}).empty());
}

TEST(Session, AnEngineThatCannotBeginEndsTheSession) {
  SessionDriver d;
  d.to_meeting();
  const auto outputs = d.give(ProofFailed{{ErrorKind::kInternal, "no memory"}});
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(failure(outputs)->kind, ErrorKind::kInternal);
  EXPECT_EQ(d.names, "Emit CloseRendezvous");
}

TEST(Session, ASingleTunnelOnEitherSideMakesBothSingle) {
  for (const bool here : {true, false}) {
    SessionOptions options;
    options.once = here;
    options.peer_once = !here;
    SessionDriver d(options);
    d.to_proving();
    const auto outputs = d.give(ProofSucceeded{});
    ASSERT_NE(find<StartTunnel>(outputs), nullptr);
    EXPECT_TRUE(find<StartTunnel>(outputs)->single);
    EXPECT_TRUE(find<StartTunnel>(outputs)->opener);
  }
}

TEST(Session, TellsWithWhichEngineTheProofSucceeded) {
  SessionDriver d;
  d.to_proving();
  const auto outputs = d.give(ProofSucceeded{});
  const auto* emit = find<Emit>(outputs);
  ASSERT_NE(emit, nullptr);
  const auto* authenticated = std::get_if<event::Authenticated>(&emit->event);
  ASSERT_NE(authenticated, nullptr);
  EXPECT_EQ(authenticated->engine, "an engine");
}

TEST(Session, EndsWellOnlyWhenBothSidesAreDrained) {
  SessionOptions options;
  options.once = true;
  SessionDriver d(options);
  d.to_open();
  d.give(TunnelFinished{});
  EXPECT_EQ(d.names, "SendControl");
  d.give(ControlReceived{wire::control::Drained{}});
  EXPECT_EQ(d.names, "StopTunnel SendControl CloseRendezvous");
  d.give(ControlReceived{wire::control::Goodbye{}});
  EXPECT_EQ(d.names, "CloseQuic");
  const auto outputs = d.give(RendezvousClosed{});
  ASSERT_NE(find<End>(outputs), nullptr);
  EXPECT_EQ(find<End>(outputs)->exit_code, ExitCode::kDone);
}

TEST(Session, APeerThatLeavesASingleTunnelEarlyIsAnError) {
  SessionOptions options;
  options.once = true;
  SessionDriver d(options);
  d.to_open();
  const auto outputs = d.give(ControlReceived{
      wire::control::Goodbye{wire::control::Goodbye::Cause::kInterrupted, "interrupted"}});
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(failure(outputs)->kind, ErrorKind::kConnectionLost);
}

TEST(Session, ErrorsKeepTheirExitCodeThroughTheClosing) {
  SessionDriver d;
  d.to_meeting();
  d.give(InterruptRequested{});
  const auto outputs = d.give(RendezvousClosed{});
  ASSERT_NE(find<End>(outputs), nullptr);
  EXPECT_EQ(find<End>(outputs)->exit_code, ExitCode::kInterrupted);
}

TEST(Session, BlamesTheServerWhenItWasNotReachedInTime) {
  // Neither a welcome without a code nor a code without a welcome is a place where a peer can be.
  for (const bool joined : {false, true}) {
    SessionDriver d;
    d.give(Started{});
    if (joined) d.give(RendezvousJoined{"ws://mailbox.test/v1", {}});
    if (!joined) d.give(CodeReady{sample_code(), false});
    const auto outputs = d.give(DeadlineReached{}, kStart + 300s);
    ASSERT_NE(failure(outputs), nullptr);
    EXPECT_EQ(failure(outputs)->kind, ErrorKind::kRendezvousUnreachable);
    EXPECT_THAT(failure(outputs)->message, ::testing::HasSubstr("--timeout"));
    EXPECT_THAT(failure(outputs)->message, ::testing::HasSubstr("--rendezvous"));
  }
}

TEST(Session, TellsTheUserOfACodeToCheckIt) {
  SessionDriver d;
  d.give(Started{});
  d.give(CodeReady{sample_code(), false});
  d.give(RendezvousJoined{"ws://mailbox.test/v1", {}});
  const auto outputs = d.give(DeadlineReached{}, kStart + 300s);
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(failure(outputs)->kind, ErrorKind::kPeerNeverCame);
  EXPECT_THAT(failure(outputs)->message, ::testing::HasSubstr("check the code"));
}

TEST(Session, ShowsTheServerThatIsInUse) {
  SessionDriver d;
  d.give(Started{});
  const auto joined = d.give(RendezvousJoined{"ws://second.test/v1", {}});
  ASSERT_NE(find<Emit>(joined), nullptr);
  EXPECT_EQ(std::get<event::RendezvousJoined>(find<Emit>(joined)->event).url,
            "ws://second.test/v1");
  const auto made = d.give(CodeReady{wire::Code("8", wire::CodeWords{{992, 1174, 186}}, 2), true});
  ASSERT_NE(find<Emit>(made), nullptr);
  EXPECT_EQ(std::get<event::CodeMade>(find<Emit>(made)->event).code.reveal_text(),
            "2-8-lab-name-blanket");
}

TEST(Session, WaitsForThePeerOnlyAsLongAsAsked) {
  SessionDriver d;
  d.to_meeting();
  EXPECT_EQ(d.machine.deadline(), kStart + 300s);
  const auto outputs = d.give(DeadlineReached{}, kStart + 300s);
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(failure(outputs)->kind, ErrorKind::kPeerNeverCame);

  SessionOptions patient;
  patient.peer_timeout.reset();
  SessionDriver waits(patient);
  waits.to_meeting();
  EXPECT_EQ(waits.machine.deadline(), std::nullopt);
}

TEST(Session, DataBeforeTheProofEndsItAsAnAuthenticationFailure) {
  SessionDriver d;
  d.to_proving();
  const auto outputs = d.give(ControlReceived{wire::control::Hello{}});
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(failure(outputs)->kind, ErrorKind::kAuthentication);
}

TEST(Session, ASecondHelloBreaksTheProtocol) {
  SessionDriver d;
  d.to_open();
  d.give(ControlReceived{wire::control::Hello{wire::Mode::kConnect, "peersock"}});
  EXPECT_EQ(d.names, "");
  const auto outputs =
      d.give(ControlReceived{wire::control::Hello{wire::Mode::kConnect, "peersock"}});
  ASSERT_NE(failure(outputs), nullptr);
}

TEST(Session, TheCodeIsInNoOutputButTheOneThatMadeIt) {
  SessionDriver d;
  d.give(Started{});
  const auto outputs = d.give(CodeReady{sample_code(), false});
  EXPECT_TRUE(outputs.empty());
}

// ---- restarts -----------------------------------------------------------------------------------

TEST(Session, StaysInTheMailboxAsLongAsARestartMayNeedIt) {
  SessionDriver d;
  d.to_proving();
  d.give(ProofSucceeded{});
  EXPECT_EQ(d.names, "Emit SendControl StartTunnel WatchPath");
  EXPECT_TRUE(d.give(RendezvousWarned{"lost"}).empty());
  EXPECT_TRUE(d.give(RendezvousFailed{{ErrorKind::kRendezvousUnreachable, "gone"}}).empty());
  EXPECT_EQ(d.machine.state_name(), "Open");
}

TEST(Session, LeavesTheMailboxWithItsGoodbye) {
  SessionDriver d;
  d.to_open();
  d.give(InterruptRequested{});
  EXPECT_EQ(d.names, "Emit StopTunnel SendControl CloseRendezvous");
  d.give(RendezvousClosed{});
  d.give(ControlReceived{wire::control::Goodbye{}});
  EXPECT_EQ(d.names, "CloseQuic Emit End");
}

TEST(Session, AnOlderPeerGetsNoRestarts) {
  SessionOptions options;
  options.peer_restarts = false;
  SessionDriver d(options);
  d.to_seen();
  const auto outputs =
      d.give(PeerVerified{introduction_of(options), Secret(std::string_view("key"))});
  EXPECT_FALSE(find<StartQuic>(outputs)->patient);
  EXPECT_EQ(find<AllowRestarts>(outputs), nullptr);
  SessionDriver proved(options);
  proved.to_proving();
  proved.give(ProofSucceeded{});
  EXPECT_EQ(proved.names, "Emit SendControl StartTunnel CloseRendezvous");
}

TEST(Session, IceMessagesOnTheControlStreamGoToIceOnceThePeerIsProved) {
  const ControlReceived message{wire::control::Ice{"{}"}};
  SessionDriver d;
  d.to_open();
  const auto outputs = d.give(message);
  ASSERT_NE(find<HandOnIce>(outputs), nullptr);
  EXPECT_EQ(find<HandOnIce>(outputs)->json, "{}");
  SessionDriver early;
  early.to_proving();
  const auto refused = early.give(message);
  EXPECT_EQ(find<HandOnIce>(refused), nullptr);
  ASSERT_NE(failure(refused), nullptr);
  EXPECT_EQ(failure(refused)->kind, ErrorKind::kAuthentication);
}

TEST(Session, EndsWhenThePeerIsSilentByEveryWay) {
  SessionDriver d;
  d.to_open();
  const auto outputs = d.give(PeerSilent{{ErrorKind::kConnectionLost, "silent"}});
  ASSERT_NE(failure(outputs), nullptr);
  EXPECT_EQ(d.machine.state_name(), "Closing");
  const auto ended = d.give(RendezvousClosed{});
  ASSERT_NE(find<End>(ended), nullptr);
  EXPECT_EQ(find<End>(ended)->exit_code, ExitCode::kConnectionLost);
}

}  // namespace
}  // namespace peersock::testing
