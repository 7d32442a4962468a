#include "wormhole/client_errors.hpp"

#include <fmt/format.h>

#include "wire/text.hpp"

namespace peersock::wormhole {
namespace {

constexpr std::size_t kMaxReason = 200;
constexpr auto kTryElsewhere = "check the network, or choose another server with --rendezvous";
constexpr auto kNewCode = "make a new code and try again";

/// " (reason)", or nothing.
std::string in_brackets(std::string_view reason) {
  const std::string shown = wire::printable(reason, kMaxReason);
  return shown.empty() ? shown : fmt::format(" ({})", shown);
}

std::int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

Error server_unreachable(std::string_view reason, Duration waited) {
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server could not be reached within {} s{}; {}",
                      seconds(waited), in_brackets(reason), kTryElsewhere)};
}

Error server_silent(std::string_view reason, Duration waited) {
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server did not answer within {} s{}; {}", seconds(waited),
                      in_brackets(reason), kTryElsewhere)};
}

Error server_unwelcoming(std::string_view text) {
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server turns its clients away{}; try again later, or choose "
                      "another server with --rendezvous",
                      in_brackets(text))};
}

Error permission_required() {
  return {ErrorKind::kRendezvousUnreachable,
          "The rendezvous server asks for a permission (such as hashcash) that peersock cannot "
          "give; choose another server with --rendezvous"};
}

Error request_refused(std::string_view text, const std::optional<std::string>& request) {
  const std::string what = request ? fmt::format("refused \"{}\"", *request) : "reported an error";
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server {}{}; try again, or choose another server with "
                      "--rendezvous",
                      what, in_brackets(text))};
}

Error bad_mailbox_name() {
  return {ErrorKind::kRendezvousUnreachable,
          "The rendezvous server gave an unusable mailbox name; choose another server with "
          "--rendezvous"};
}

Error backlog_full() {
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server does not take our messages; {}", kTryElsewhere)};
}

Error code_in_use() {
  return {ErrorKind::kCodeInUse, fmt::format("Someone else used this code; {}", kNewCode)};
}

Error code_used_up() {
  return {ErrorKind::kCodeInUse, fmt::format("This code has been used before; {}", kNewCode)};
}

Error wrong_code() {
  return {ErrorKind::kAuthentication,
          "The other side used another code: it was mistyped, or someone tried to guess it; make "
          "a new code and try again"};
}

Error message_tampered() {
  return {ErrorKind::kAuthentication,
          fmt::format("A message of the other side was changed on its way; {}", kNewCode)};
}

Error peer_broke_protocol(std::string_view what) {
  return {ErrorKind::kConnectionLost,
          fmt::format("The other side sent {}; check that both sides run peersock, {}", what,
                      kNewCode)};
}

std::string link_lost_warning(std::string_view reason, bool had_joined) {
  return fmt::format("{} the rendezvous server{}; trying again",
                     had_joined ? "Lost the connection to" : "Could not reach",
                     in_brackets(reason));
}

}  // namespace peersock::wormhole
