#include "app/render_text.hpp"

#include <array>

#include <fmt/format.h>

#include "app/printable.hpp"
#include "core/machine.hpp"

namespace peersock::app {
namespace {

using Line = std::optional<std::string>;

std::string path_line(const event::PathChosen& chosen, bool with_addresses) {
  const PathInfo& path = chosen.path;
  std::string line = fmt::format("Path: {}, {} to {}, {}", path.relayed ? "relayed" : "direct",
                                 printable(path.local_type), printable(path.remote_type),
                                 printable(path.transport));
  if (path.relay_transport == "tcp") line += ", relay over TCP";
  if (path.relay_transport == "tls") line += ", relay over TLS";
  if (chosen.round_trip) line += fmt::format(", {}", format_duration(*chosen.round_trip));
  if (path.reason != RelayReason::kNone) line += fmt::format(": {}", text_of(path.reason));
  if (with_addresses) {
    line += fmt::format(" ({} to {}, {})", printable(path.local_address),
                        printable(path.remote_address), path.split ? "split" : "nice");
  }
  return line;
}

std::string_view restart_line(RestartReason reason) {
  switch (reason) {
    case RestartReason::kSilent:
      return "Path: no answer from the other side, looking for another way";
    case RestartReason::kBroken:
      return "Path: broken, looking for another way";
    case RestartReason::kNetwork:
      return "Path: the network has changed, looking for another way";
    case RestartReason::kPeer:
      return "Path: the other side looks for another way";
  }
  return "Path: looking for another way";
}

std::string_view outcome(CloseReason reason) {
  switch (reason) {
    case CloseReason::kFinished:
      return "finished";
    case CloseReason::kAborted:
      return "reset";
    case CloseReason::kRefused:
      return "refused by the target";
    case CloseReason::kUnreachable:
      return "target not reachable";
    case CloseReason::kSessionLost:
      return "cut off";
  }
  return "finished";
}

std::string closed_line(const event::ConnectionClosed& closed) {
  return fmt::format("Connection {} {}, {} sent, {} received", closed.id, outcome(closed.reason),
                     format_bytes(closed.bytes_sent), format_bytes(closed.bytes_received));
}

/// A connection that never reached its target is news; one that ended is not.
bool failed(const event::ConnectionClosed& closed) {
  return closed.reason == CloseReason::kRefused || closed.reason == CloseReason::kUnreachable;
}

/// The line of an event, wherever it is to be shown.
std::string line_of(const Event& event, bool verbose) {
  return std::visit(
      Overloaded{
          [](const event::CodeMade& e) {
            return fmt::format("Connection Code is: {}", e.code.reveal_text());
          },
          [](const event::RendezvousJoined& e) {
            return fmt::format("Rendezvous server: {}", printable(e.url));
          },
          [](const event::Motd& e) {
            return fmt::format("The rendezvous server says: {}", printable(e.text));
          },
          [](const event::PeerArrived& e) {
            return fmt::format("The other side is here ({})", printable(e.mode));
          },
          [&](const event::PathChosen& e) { return path_line(e, verbose); },
          [](const event::PathRestarted& e) { return std::string(restart_line(e.reason)); },
          [](const event::Authenticated&) { return std::string("Auth success"); },
          [](const event::Listening& e) {
            return fmt::format("Listening on {}", printable(e.address));
          },
          [](const event::ConnectionOpened& e) {
            return fmt::format("Connection {} opened", e.id);
          },
          [](const event::ConnectionClosed& e) { return closed_line(e); },
          [](const event::PeerLeft&) { return std::string("The other side has left"); },
          [](const event::Warning& e) { return fmt::format("Warning: {}", printable(e.message)); },
          [](const event::Failed& e) {
            return fmt::format("Error: {}", printable(e.error.message));
          },
          [](const event::Ended& e) {
            return fmt::format("Ended with exit code {}", static_cast<int>(e.exit_code));
          },
          [](const event::MailboxListening& e) {
            return fmt::format("Rendezvous server at {}", printable(e.url));
          },
      },
      event);
}

/// The least verbosity that shows the event.
Verbosity threshold(const Event& event) {
  return std::visit(Overloaded{
                        [](const event::CodeMade&) { return Verbosity::kQuiet; },
                        [](const event::Failed&) { return Verbosity::kQuiet; },
                        [](const event::Motd&) { return Verbosity::kNormal; },
                        [](const event::PeerArrived&) { return Verbosity::kNormal; },
                        [](const event::PathChosen&) { return Verbosity::kNormal; },
                        [](const event::PathRestarted&) { return Verbosity::kNormal; },
                        [](const event::Authenticated&) { return Verbosity::kNormal; },
                        [](const event::Listening&) { return Verbosity::kNormal; },
                        [](const event::PeerLeft&) { return Verbosity::kNormal; },
                        [](const event::Warning&) { return Verbosity::kNormal; },
                        [](const event::MailboxListening&) { return Verbosity::kNormal; },
                        [](const event::ConnectionClosed& e) {
                          return failed(e) ? Verbosity::kNormal : Verbosity::kVerbose;
                        },
                        [](const event::RendezvousJoined&) { return Verbosity::kVerbose; },
                        [](const event::ConnectionOpened&) { return Verbosity::kVerbose; },
                        [](const event::Ended&) { return Verbosity::kVerbose; },
                    },
                    event);
}

}  // namespace

std::optional<std::string> render_text(const Event& event, Verbosity verbosity) {
  if (verbosity < threshold(event)) return std::nullopt;
  return line_of(event, verbosity == Verbosity::kVerbose);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // From 1023.5 on, rounding would write 1024.
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 99.95 ? fmt::format("{:.1f} {}", value, kUnits.at(unit))
                       : fmt::format("{:.0f} {}", value, kUnits.at(unit));
}

std::string format_duration(Duration duration) {
  const double ms = static_cast<double>(duration.count()) / 1e6;
  if (ms < 9.95) return fmt::format("{:.1f} ms", ms);
  if (ms < 999.5) return fmt::format("{:.0f} ms", ms);
  return fmt::format("{:.1f} s", ms / 1000);
}

}  // namespace peersock::app
