#include "wormhole/client_errors.hpp"

#include <fmt/format.h>

#include "wire/text.hpp"

namespace peersock::wormhole {
namespace {

constexpr std::size_t kMaxReason = 200;
constexpr std::size_t kMaxUrl = 100;
constexpr auto kTryElsewhere =
    "check the network, or use another server on both sides with --rendezvous";
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

Error to_error(const ServerFault& fault) {
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("The rendezvous server {}; {}", fault.did, fault.advice)};
}

ServerFault server_unwelcoming(std::string_view text) {
  return {fmt::format("turns its clients away{}", in_brackets(text)),
          "try again later, or use another server on both sides with --rendezvous"};
}

ServerFault permission_required() {
  return {"asks for a permission (such as hashcash) that peersock cannot give",
          "use another server on both sides with --rendezvous"};
}

ServerFault request_refused(std::string_view text, const std::optional<std::string>& request) {
  const std::string what = request ? fmt::format("refused \"{}\"", *request) : "reported an error";
  return {what + in_brackets(text),
          "try again, or use another server on both sides with --rendezvous"};
}

ServerFault not_understood(std::string_view what) {
  return {fmt::format("sent {}", what),
          "check its URL, or use another server on both sides with --rendezvous"};
}

Error bad_mailbox_name() {
  return {ErrorKind::kRendezvousUnreachable,
          "The rendezvous server gave an unusable mailbox name; use another server on both sides "
          "with --rendezvous"};
}

Error no_server_usable(const ClientServers& servers) {
  std::string list;
  for (const ClientServers::Server& server : servers.all()) {
    list += fmt::format("{}{}{}", list.empty() ? "" : ", ", wire::printable(server.url, kMaxUrl),
                        in_brackets(server.reason));
  }
  return {ErrorKind::kRendezvousUnreachable,
          fmt::format("None of the {} rendezvous servers can be used: {}; check the network, or "
                      "use others on both sides with --rendezvous",
                      servers.count(), list)};
}

Error server_not_configured(std::size_t number, std::size_t count) {
  return {ErrorKind::kUsage,
          fmt::format("The code was made on rendezvous server {} and only {} {} configured here; "
                      "give the servers of the other side in the same order, each with "
                      "--rendezvous",
                      number, count, count == 1 ? "is" : "are")};
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

std::string next_server_warning(std::size_t number, const ClientServers::Server& failed,
                                const ClientServers& servers) {
  return fmt::format("Rendezvous server {}, {}, cannot be used{}; trying server {}, {}", number,
                     wire::printable(failed.url, kMaxUrl), in_brackets(failed.reason),
                     servers.number(), wire::printable(servers.url(), kMaxUrl));
}

std::string next_round_warning(const ClientServers& servers) {
  return fmt::format("None of the {} rendezvous servers can be used; trying again",
                     servers.count());
}

}  // namespace peersock::wormhole
