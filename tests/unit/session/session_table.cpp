#include "session_table.hpp"

#include "session_fixture.hpp"

namespace peersock::testing {
namespace {

using namespace session;  // NOLINT(google-build-using-namespace): a table of its inputs

const Error kError{ErrorKind::kInternal, "broken"};
const PathInfo kOtherPath{true, "relay", "host", "192.0.2.9:1", "192.0.2.2:2", "udp"};

template <typename Reach>
Situation<Session> situation(std::string name, Reach reach) {
  return {std::move(name), [reach] {
            SessionDriver driver;
            reach(driver);
            return std::move(driver.machine);
          }};
}

std::vector<Situation<Session>> situations() {
  return {
      situation("Idle", [](SessionDriver&) {}),
      situation("Meeting", [](SessionDriver& d) { d.to_meeting(); }),
      situation("Meeting (peer seen)", [](SessionDriver& d) { d.to_seen(); }),
      situation("Connecting", [](SessionDriver& d) { d.to_connecting(); }),
      situation("Connecting (path ready)", [](SessionDriver& d) { d.to_shaking_hands(); }),
      situation("Proving", [](SessionDriver& d) { d.to_proving(); }),
      situation("Open", [](SessionDriver& d) { d.to_open(); }),
      situation("Leaving", [](SessionDriver& d) { d.to_leaving(); }),
      situation("Closing", [](SessionDriver& d) { d.to_closing(); }),
      situation("Ended", [](SessionDriver& d) { d.to_ended(); }),
  };
}

template <typename Make>
Example<Session> example(std::string name, Make make) {
  return {std::move(name), [make] { return SessionInput{make()}; }};
}

std::vector<Example<Session>> rendezvous_examples() {
  return {
      example("Started", [] { return Started{}; }),
      example("RendezvousJoined",
              [] {
                return RendezvousJoined{"ws://mailbox.test/v1", "hello"};
              }),
      example("CodeReady",
              [] {
                return CodeReady{sample_code(), true};
              }),
      example("PeerSeen", [] { return PeerSeen{}; }),
      example("PeerVerified",
              [] {
                return PeerVerified{introduction_of({}), Secret(std::string_view("key"))};
              }),
      example("PeerVerified (same kind)",
              [] {
                SessionOptions same;
                same.peer_mode = wire::Mode::kListen;
                return PeerVerified{introduction_of(same), Secret(std::string_view("key"))};
              }),
      example("RendezvousFailed", [] { return RendezvousFailed{kError}; }),
      example("RendezvousClosed", [] { return RendezvousClosed{}; }),
      example("StageWarned", [] { return StageWarned{"careful"}; }),
      example("RendezvousWarned", [] { return RendezvousWarned{"careful"}; }),
  };
}

std::vector<Example<Session>> connection_examples() {
  return {
      example("PathSought", [] { return PathSought{}; }),
      example("PathReady", [] { return PathReady{kOtherPath}; }),
      example("PathBroken", [] { return PathBroken{}; }),
      example("PathFailed", [] { return PathFailed{kError}; }),
      example("PathRestarted", [] { return PathRestarted{RestartReason::kSilent}; }),
      example("PeerSilent", [] { return PeerSilent{kError}; }),
      example("QuicEstablished",
              [] {
                return QuicEstablished{Secret(std::string_view("exporter")), 20ms};
              }),
      example("QuicClosed (done)",
              [] {
                return QuicClosed{0, {}, std::nullopt};
              }),
      example("QuicClosed (error)",
              [] {
                return QuicClosed{std::nullopt, {}, kError};
              }),
      example("ProofSucceeded", [] { return ProofSucceeded{}; }),
      example("ProofFailed", [] { return ProofFailed{kError}; }),
  };
}

std::vector<Example<Session>> later_examples() {
  using namespace wire;  // NOLINT(google-build-using-namespace): a table of its frames
  return {
      example("ControlReceived (hello)",
              [] {
                return ControlReceived{control::Hello{Mode::kConnect, "peersock"}};
              }),
      example("ControlReceived (ping)", [] { return ControlReceived{control::Ping{7}}; }),
      example("ControlReceived (ice)", [] { return ControlReceived{control::Ice{"{}"}}; }),
      example("ControlReceived (drained)", [] { return ControlReceived{control::Drained{}}; }),
      example("ControlReceived (goodbye)", [] { return ControlReceived{control::Goodbye{}}; }),
      example("ControlReceived (unknown)", [] { return ControlReceived{control::Unknown{9}}; }),
      example("ControlBroken", [] { return ControlBroken{kError}; }),
      example("TunnelFinished", [] { return TunnelFinished{}; }),
      example("TunnelFinished (failed)", [] { return TunnelFinished{kError}; }),
      example("InterruptRequested", [] { return InterruptRequested{}; }),
      example("LocalFailed", [] { return LocalFailed{kError}; }),
      example("DeadlineReached (early)", [] { return DeadlineReached{}; }),
  };
}

}  // namespace

Table session_table() {
  Table table = tabulate<Session>(situations(), rendezvous_examples(), kStart);
  for (const auto& examples : {connection_examples(), later_examples()}) {
    const Table more = tabulate<Session>(situations(), examples, kStart);
    table.insert(table.end(), more.begin(), more.end());
  }
  const Table late = tabulate<Session>(
      situations(), {example("DeadlineReached", [] { return DeadlineReached{}; })}, kStart + 1000s);
  table.insert(table.end(), late.begin(), late.end());
  return table;
}

}  // namespace peersock::testing
